#include "sdk/cli/adapter/recording.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "adapters/bridges/process/lines.h"
#include "adapters/files/private_file.h"
#include "sdk/cli/pipe/line.h"

namespace sealwire::cli {
namespace {

using bridge::Bridge;
using bridge::Launch;
using bridge::Said;
using bridge::Told;

constexpr std::chrono::seconds kPatience{10};
constexpr std::size_t kRecordingBytes = std::size_t{256} * 1024 * 1024;

std::string line_of(const Said& said) {
  std::string line = bridge::write_said(said);
  line.pop_back();  // its newline
  return line;
}

class Recorder {
 public:
  explicit Recorder(const std::string& file) : stream_(file, std::ios::app) {}
  void write(std::string_view which, std::string line) {
    line.pop_back();  // its newline
    const std::lock_guard lock(mutex_);
    stream_ << "{\"" << which << "\":" << line << "}" << std::endl;
  }

 private:
  std::mutex mutex_;
  std::ofstream stream_;
};

class Recorded final : public Bridge {
 public:
  Recorded(std::unique_ptr<Bridge> recorded, std::shared_ptr<Recorder> recorder)
      : bridge_(std::move(recorded)), recorder_(std::move(recorder)) {}
  void tell(const Told& told) override {
    recorder_->write("told", bridge::write_told(told));
    bridge_->tell(told);
  }

 private:
  const std::unique_ptr<Bridge> bridge_;
  const std::shared_ptr<Recorder> recorder_;
};

// What a replayed bridge says, for one thread to wait on.
class Heard {
 public:
  void add(const Said& said) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(line_of(said));
    changed_.notify_all();
  }
  void end(const Error& why) {
    const std::lock_guard lock(mutex_);
    ended_ = why.detail;
    changed_.notify_all();
  }
  /// So many lines, or fewer if no more come.
  std::vector<std::string> next(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return lines_.size() >= count || !ended_.empty(); });
    const auto end = lines_.begin() + static_cast<std::ptrdiff_t>(std::min(count, lines_.size()));
    std::vector<std::string> some(lines_.begin(), end);
    lines_.erase(lines_.begin(), end);
    return some;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> lines_;
  std::string ended_;
};

struct Step {
  std::vector<std::string> said;  // before this is told
  std::optional<Told> told;       // absent at the end
};

Outcome<std::vector<Step>> read_steps(const std::string& file) {
  SW_TRY(const std::string text, files::read_text_file(file, kRecordingBytes));
  std::vector<Step> steps(1);
  std::istringstream lines(text);
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const auto wrong = [&](const std::string& what) {
      return failure(Errc::config_invalid, fmt::format("{}:{}: {}", file, number, what));
    };
    const auto json = parse_json(line);
    if (!json || !json->is_object() || json->size() != 1)
      return wrong("not {\"said\":…} or {\"told\":…}");
    const std::string inner = json->begin().value().dump();
    if (json->begin().key() == "said") {
      const auto said = bridge::parse_said(inner);
      if (!said) return wrong(said.error().detail);
      steps.back().said.push_back(line_of(*said));
    } else {
      const auto told = bridge::parse_told(inner);
      if (!told) return wrong(told.error().detail);
      // A recording that spans a restart is of more than one bridge: the first is played.
      if (std::holds_alternative<bridge::Start>(*told) && steps.size() > 1) break;
      steps.back().told = *told;
      steps.emplace_back();
    }
  }
  return steps;
}

}  // namespace

Outcome<Launch> record(Launch launch, const std::string& file) {
  SW_CHECK(files::create_file(file, {}, files::Access::owner));
  auto recorder = std::make_shared<Recorder>(file);
  return Launch([launch = std::move(launch), recorder](
                    Bridge::OnSaid said, Bridge::OnEnd ended) -> Result<std::unique_ptr<Bridge>> {
    SW_TRY(auto recorded, launch(
                              [recorder, said = std::move(said)](Said one) {
                                recorder->write("said", bridge::write_said(one));
                                said(std::move(one));
                              },
                              std::move(ended)));
    return std::make_unique<Recorded>(std::move(recorded), recorder);
  });
}

Outcome<std::vector<Check>> replay(const Launch& launch, const std::string& file) {
  auto steps = read_steps(file);
  if (!steps) return tl::unexpected(steps.error());
  Heard heard;
  auto played =
      launch([&](const Said& said) { heard.add(said); }, [&](const Error& why) { heard.end(why); });
  if (!played) return failure(played.error());
  std::vector<Check> checks;
  for (Step& step : *steps) {
    std::vector<std::string> said = heard.next(step.said.size());
    std::ranges::sort(said);
    std::ranges::sort(step.said);
    for (std::size_t i = 0; i < step.said.size(); ++i) {
      const bool same = i < said.size() && said[i] == step.said[i];
      checks.push_back({fmt::format("says {}", step.said[i].substr(0, 100)),
                        same ? Check::Verdict::kept : Check::Verdict::broken, Check::Level::must,
                        same              ? ""
                        : i < said.size() ? "but said " + said[i]
                                          : "but said nothing"});
      if (!same) return checks;  // what comes later follows from it
    }
    if (step.told) (*played)->tell(*step.told);
  }
  return checks;
}

}  // namespace sealwire::cli
