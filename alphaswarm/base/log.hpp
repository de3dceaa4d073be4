#pragma once

// Lines for operators, on standard error: "2026-11-22T14:03:11.284Z info  worker: message".
// Thread-safe. Never put secrets or personal data in a line.

#include <functional>
#include <string>
#include <string_view>

namespace alphaswarm {

enum class LogLevel : unsigned char { debug, info, warning, error, off };

// Lines below `level` are dropped. Default: info.
void set_log_level(LogLevel level) noexcept;

// What is appended to each line, asked on the thread that logs: " trace_id=…", for one. Null: no
// more. Any thread.
void set_log_suffix(std::string (*suffix)());

// Hears of each line that is written, on the thread that logs it: MUST NOT throw, and lines it logs
// itself are not told to it. One at a time; null: no more, and none is under way any longer.
using LogListener =
    std::function<void(LogLevel level, std::string_view part, std::string_view message)>;
void set_log_listener(LogListener listener);

void log_debug(std::string_view part, std::string_view message);
void log_info(std::string_view part, std::string_view message);
void log_warning(std::string_view part, std::string_view message);
void log_error(std::string_view part, std::string_view message);

}  // namespace alphaswarm
