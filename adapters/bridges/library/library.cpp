#include "adapters/bridges/library/library.h"

#include <dlfcn.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "adapters/bridges/library/sealwire_bridge.h"
#include "adapters/bridges/process/lines.h"

namespace sealwire::bridge {
namespace {

constexpr std::size_t kWaiting = 256;  // lines, before `tell` waits
constexpr std::chrono::seconds kTell{5};

struct Unload {
  void operator()(void* library) const { ::dlclose(library); }
};
using Handle = std::unique_ptr<void, Unload>;

struct Functions {
  decltype(&sealwire_bridge_abi) abi = nullptr;
  decltype(&sealwire_bridge_start) start = nullptr;
  decltype(&sealwire_bridge_tell) tell = nullptr;
  decltype(&sealwire_bridge_end) end = nullptr;
};

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

// A thread tells, so that the library may say something while it is told, like a process.
class Library final : public Bridge {
 public:
  Library(Handle handle, const Functions& functions, OnSaid said, OnEnd ended)
      : handle_(std::move(handle)),
        functions_(functions),
        said_(std::move(said)),
        ended_(std::move(ended)),
        bridge_(functions_.start(on_said, this)),
        teller_([this] { run(); }) {
    if (bridge_ == nullptr) end({Errc::file_failed, "the library does not start a bridge"});
  }

  ~Library() override {
    tell(Stop{});
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    teller_.join();
    if (bridge_ != nullptr) functions_.end(bridge_);
  }

  void tell(const Told& told) override {
    std::string line = write_told(told);
    line.pop_back();  // its newline
    std::unique_lock lock(mutex_);
    const bool room = changed_.wait_for(lock, kTell, [&] { return lines_.size() < kWaiting; });
    if (!room) {
      lock.unlock();
      return end({Errc::timeout, "the library did not return for 5 s"});
    }
    lines_.push_back(std::move(line));
    changed_.notify_all();
  }

 private:
  static void on_said(void* self, const char* line, std::size_t size) {
    static_cast<Library*>(self)->say({line, size});
  }

  void say(std::string_view line) {
    auto said = parse_said(line);
    if (!said)
      return end({said.error().code, "the bridge broke the contract: " + said.error().detail});
    {
      const std::lock_guard lock(mutex_);
      if (over_ || ending_) return;
    }
    said_(std::move(*said));
  }

  void run() {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return ending_ || !lines_.empty(); });
      if (lines_.empty()) return;
      const std::string line = std::move(lines_.front());
      lines_.pop_front();
      lock.unlock();
      changed_.notify_all();
      if (bridge_ != nullptr) functions_.tell(bridge_, line.data(), line.size());
    }
  }

  void end(const Error& why) {
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(over_, true) || ending_) return;
    }
    ended_(why);
  }

  const Handle handle_;
  const Functions functions_;
  const OnSaid said_;
  const OnEnd ended_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> lines_;
  bool ending_ = false;
  bool over_ = false;
  sealwire_bridge* const bridge_;
  std::thread teller_;
};

}  // namespace

Result<std::unique_ptr<Bridge>> start_library(const std::string& path, Bridge::OnSaid said,
                                              Bridge::OnEnd ended) {
  Handle handle(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
  if (!handle) return fail(Errc::file_failed, ::dlerror());
  Functions functions;
  if (!find(handle.get(), "sealwire_bridge_abi", functions.abi) ||
      !find(handle.get(), "sealwire_bridge_start", functions.start) ||
      !find(handle.get(), "sealwire_bridge_tell", functions.tell) ||
      !find(handle.get(), "sealwire_bridge_end", functions.end))
    return fail(Errc::file_failed, path + ": not a bridge, see sealwire_bridge.h");
  if (functions.abi() != SEALWIRE_BRIDGE_ABI)
    return fail(Errc::version_unsupported, path + ": built for another ABI of bridges");
  return std::make_unique<Library>(std::move(handle), functions, std::move(said), std::move(ended));
}

}  // namespace sealwire::bridge
