#pragma once

// Lines for operators, on standard error: "2026-11-22T14:03:11.284Z info  worker: message".
// Thread-safe. Never put secrets or personal data in a line.

#include <string_view>

namespace alphaswarm {

enum class LogLevel : unsigned char { debug, info, warning, error, off };

// Lines below `level` are dropped. Default: info.
void set_log_level(LogLevel level) noexcept;

void log_debug(std::string_view part, std::string_view message);
void log_info(std::string_view part, std::string_view message);
void log_warning(std::string_view part, std::string_view message);
void log_error(std::string_view part, std::string_view message);

}  // namespace alphaswarm
