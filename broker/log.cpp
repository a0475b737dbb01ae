#include "broker/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <ctime>
#include <mutex>
#include <nlohmann/json.hpp>

#include "broker/suggest.h"

namespace sealwire::broker {
namespace {

constexpr std::size_t kMessageBytesMax = 2048;

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      break;
  }
  return "error";
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      break;
  }
  return spdlog::level::err;
}

std::string rfc3339(UnixMillis now) {
  const auto seconds = static_cast<std::time_t>(now.value / 1000);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                     now.value % 1000);
}

UnixMillis system_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since).count())};
}

}  // namespace

struct Log::Impl {
  explicit Impl(LogFormat as) : format(as) {}
  void put(LogLevel level, std::string_view message, UnixMillis now) {
    logger.log(spdlog_level(level), log_line(format, level, message, now));
  }
  LogFormat format;
  std::mutex mutex;
  LineLimit limit;  // under `mutex`
  spdlog::logger logger{"sealwired", std::make_shared<spdlog::sinks::stderr_sink_mt>()};
};

Log::Log(LogConfig config) : impl_(std::make_unique<Impl>(config.format)) {
  impl_->logger.set_pattern("%v");
  impl_->logger.flush_on(spdlog::level::debug);
  set_level(config.level);
}

Log::~Log() = default;

void Log::write(LogLevel level, std::string_view message) {
  if (!impl_->logger.should_log(spdlog_level(level))) return;
  const UnixMillis now = system_now();
  if (level == LogLevel::info || level == LogLevel::debug) {
    std::uint64_t left_out = 0;
    {
      const std::lock_guard lock(impl_->mutex);
      if (!impl_->limit.allow(now, left_out)) return;
    }
    if (left_out > 0)
      impl_->put(LogLevel::warning, std::to_string(left_out) + " lines left out", now);
  }
  impl_->put(level, message, now);
}

bool LineLimit::allow(UnixMillis now, std::uint64_t& left_out) {
  const std::uint64_t second = now.value / kSecondMs;
  if (second != second_) {
    second_ = second;
    lines_ = 0;
  }
  if (lines_ == kLinesPerSecond) {
    ++left_out_;
    return false;
  }
  ++lines_;
  left_out = std::exchange(left_out_, 0);
  return true;
}

bool Log::wants(LogLevel level) const {
  return impl_->logger.should_log(spdlog_level(level));
}

void Log::set_level(LogLevel level) {
  impl_->logger.set_level(spdlog_level(level));
}

std::string log_line(LogFormat format, LogLevel level, std::string_view message, UnixMillis now) {
  if (format == LogFormat::text)
    return fmt::format("{} {:<7} {}", rfc3339(now), level_name(level),
                       printable(message, kMessageBytesMax));
  const nlohmann::ordered_json line{{"time", rfc3339(now)},
                                    {"level", level_name(level)},
                                    {"message", message.substr(0, kMessageBytesMax)}};
  // ASCII only, invalid UTF-8 replaced: a line is a line for every reader.
  return line.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace sealwire::broker
