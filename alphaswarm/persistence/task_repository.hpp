#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/persistence/database.hpp"

namespace alphaswarm::persistence {

// One queued task (table tasks), written by the queue and the workers.
struct TaskRow {
  std::string id;  // UUID
  std::string name;
  std::string queue;
  std::string status;  // Celery's: PENDING, STARTED, RETRY, SUCCESS, FAILURE, REVOKED
  std::string args_json = "[]";
  std::string kwargs_json = "{}";
  std::string embed_json;    // what is to follow it, as Celery's messages have it; may be empty
  std::string options_json;  // priority, eta, expires, limits, … of its message; may be empty
  std::string result_json;   // of SUCCESS; empty otherwise
  std::string error;         // of FAILURE, RETRY, REVOKED
  std::string traceback;     // of FAILURE in a Python worker
  std::string terminal_frame_json;  // the progress bus's last word, for clients that come late
  std::string trace_id;
  std::string worker;  // hostname of the worker that took it
  std::int64_t retries = 0;
  UnixNanos created_at;
  std::optional<UnixNanos> started_at;
  std::optional<UnixNanos> finished_at;

  friend bool operator==(const TaskRow&, const TaskRow&) = default;
};

class TaskRepository {
 public:
  explicit TaskRepository(SqlExecutor& executor) noexcept : executor_(executor) {}

  // False if a task of that id is already there (nothing changes then).
  [[nodiscard]] Result<bool> insert(const TaskRow& row);
  // Each is not_found if there is no such task, or it has ended.
  // Also not_found if a later try of it is known; `take_over` false: or if another worker has
  // started this one.
  [[nodiscard]] Result<void> mark_started(std::string_view id, std::string_view worker,
                                          std::int64_t retries, UnixNanos when,
                                          bool take_over = true);
  // `options_json`: of the message of the next try.
  [[nodiscard]] Result<void> mark_retry(std::string_view id, std::string_view error,
                                        std::int64_t retries, std::string_view options_json);
  // SUCCESS, FAILURE or REVOKED. The first to finish a task wins: false if it already was.
  [[nodiscard]] Result<bool> mark_finished(std::string_view id, std::string_view status,
                                           std::string_view result_json, std::string_view error,
                                           UnixNanos when, std::string_view traceback = {});
  // Keeps the first terminal frame of a task: false if it already has one.
  [[nodiscard]] Result<bool> store_terminal_frame(std::string_view id, std::string_view frame_json);
  [[nodiscard]] Result<std::optional<TaskRow>> find(std::string_view id);
  // Newest first.
  [[nodiscard]] Result<std::vector<TaskRow>> list(std::int64_t limit);
  // Those that have not ended, oldest first.
  [[nodiscard]] Result<std::vector<TaskRow>> unfinished();

 private:
  SqlExecutor& executor_;
};

}  // namespace alphaswarm::persistence
