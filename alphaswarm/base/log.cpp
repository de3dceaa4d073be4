#include "alphaswarm/base/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <utility>

namespace alphaswarm {
namespace {

spdlog::logger& logger() {
  // Leaked: threads may log while static objects are destroyed.
  static spdlog::logger* const kLogger = [] {
    auto* made =
        new spdlog::logger("alphaswarm", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%-7l%$ %v", spdlog::pattern_time_type::utc);
    return made;
  }();
  return *kLogger;
}

constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info,
                                                 spdlog::level::warn, spdlog::level::err,
                                                 spdlog::level::off};

std::atomic<std::string (*)()> log_suffix{nullptr};  // carries nothing but itself

struct Listening {
  std::shared_mutex mutex;
  LogListener listener;
};
Listening& listening() {
  static Listening* const kListening = new Listening;  // leaked, as the logger is
  return *kListening;
}
thread_local constinit bool telling = false;

void tell(LogLevel level, std::string_view part, std::string_view message) {
  if (telling) return;
  telling = true;
  {
    Listening& to = listening();
    const std::shared_lock lock(to.mutex);
    if (to.listener) to.listener(level, part, message);
  }
  telling = false;
}

void write(LogLevel level, std::string_view part, std::string_view message) {
  const auto theirs = kLevels[static_cast<unsigned>(level)];
  if (!logger().should_log(theirs)) return;
  const auto suffix = log_suffix.load(std::memory_order_relaxed);
  logger().log(theirs, "{}: {}{}", part, message, suffix != nullptr ? suffix() : std::string());
  tell(level, part, message);
}

}  // namespace

void set_log_level(LogLevel level) noexcept {
  logger().set_level(kLevels[static_cast<unsigned>(level)]);
}

void set_log_suffix(std::string (*suffix)()) {
  log_suffix.store(suffix, std::memory_order_relaxed);
}

void set_log_listener(LogListener listener) {
  const std::scoped_lock lock(listening().mutex);
  listening().listener = std::move(listener);
}

void log_debug(std::string_view part, std::string_view message) {
  write(LogLevel::debug, part, message);
}
void log_info(std::string_view part, std::string_view message) {
  write(LogLevel::info, part, message);
}
void log_warning(std::string_view part, std::string_view message) {
  write(LogLevel::warning, part, message);
}
void log_error(std::string_view part, std::string_view message) {
  write(LogLevel::error, part, message);
}

}  // namespace alphaswarm
