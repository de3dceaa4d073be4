#include "alphaswarm/base/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

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

void write(spdlog::level::level_enum level, std::string_view part, std::string_view message) {
  logger().log(level, "{}: {}", part, message);
}

}  // namespace

void set_log_level(LogLevel level) noexcept {
  static constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info,
                                                          spdlog::level::warn, spdlog::level::err,
                                                          spdlog::level::off};
  logger().set_level(kLevels[static_cast<unsigned>(level)]);
}

void log_debug(std::string_view part, std::string_view message) {
  write(spdlog::level::debug, part, message);
}
void log_info(std::string_view part, std::string_view message) {
  write(spdlog::level::info, part, message);
}
void log_warning(std::string_view part, std::string_view message) {
  write(spdlog::level::warn, part, message);
}
void log_error(std::string_view part, std::string_view message) {
  write(spdlog::level::err, part, message);
}

}  // namespace alphaswarm
