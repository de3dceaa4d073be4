#pragma once

// Celery's stored results: key celery-task-meta-<id>, kept a day.

#include <boost/json/value.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/base/time.hpp"
#include "alphaswarm/persistence/task_repository.hpp"

namespace alphaswarm::tasks {

inline constexpr std::chrono::seconds kResultTimeToLive{86'400};

// Celery's names of states.
inline constexpr std::string_view kPending = "PENDING";
inline constexpr std::string_view kStarted = "STARTED";
inline constexpr std::string_view kRetry = "RETRY";
inline constexpr std::string_view kSuccess = "SUCCESS";
inline constexpr std::string_view kFailure = "FAILURE";
inline constexpr std::string_view kRevoked = "REVOKED";
inline constexpr std::string_view kIgnored = "IGNORED";  // never stored: of a message not run

// SUCCESS, FAILURE or REVOKED: the task never changes again.
[[nodiscard]] bool is_terminal(std::string_view status) noexcept;

struct TaskResult {
  std::string task_id;
  std::string status;
  boost::json::value result;   // the return value; {pid, hostname} of STARTED; null otherwise
  std::string exception_type;  // of FAILURE, RETRY, REVOKED, e.g. "NotRegistered"
  std::string exception_module;
  std::string error;                   // the exception's message
  std::optional<UnixNanos> date_done;  // of terminal states
  std::string traceback{};             // of Python workers
};

[[nodiscard]] std::string result_key(std::string_view task_id);
[[nodiscard]] std::string encode_result(const TaskResult& result);
[[nodiscard]] Result<TaskResult> decode_result(std::string_view text);

// What table tasks keeps of it; exception types are not kept there.
[[nodiscard]] TaskResult result_of(const persistence::TaskRow& row);

// The exception name a Python client sees for an error: "InvalidArgument", "Unavailable", …
[[nodiscard]] std::string exception_type_of(ErrorCode code);

}  // namespace alphaswarm::tasks
