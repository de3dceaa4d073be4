#include "alphaswarm/persistence/task_repository.hpp"

#include "alphaswarm/persistence/columns.hpp"

namespace alphaswarm::persistence {

template <>
struct detail::Table<TaskRow> {
  static constexpr std::string_view kName = "tasks";
  static constexpr std::string_view kKey = "id";
  template <class Self, class Visit>
  static void columns(Self& row, Visit&& visit) {
    visit("id", row.id);
    visit("name", row.name);
    visit("queue", row.queue);
    visit("status", row.status);
    visit("args_json", row.args_json);
    visit("kwargs_json", row.kwargs_json);
    visit("embed_json", row.embed_json);
    visit("options_json", row.options_json);
    visit("result_json", row.result_json);
    visit("error", row.error);
    visit("traceback", row.traceback);
    visit("terminal_frame_json", row.terminal_frame_json);
    visit("trace_id", row.trace_id);
    visit("worker", row.worker);
    visit("retries", row.retries);
    visit("created_at", row.created_at);
    visit("started_at", row.started_at);
    visit("finished_at", row.finished_at);
  }
};

namespace {

Result<void> one_row(const Result<std::int64_t>& changed, std::string_view id) {
  if (!changed) return std::unexpected(changed.error());
  if (*changed == 0) {
    return fail(ErrorCode::not_found,
                "there is no task '" + std::string(id) + "' that is still open");
  }
  return {};
}

}  // namespace

Result<bool> TaskRepository::insert(const TaskRow& row) {
  return detail::insert_new_row(executor_, row);
}

Result<void> TaskRepository::mark_started(std::string_view id, std::string_view worker,
                                          std::int64_t retries, UnixNanos when, bool take_over) {
  constexpr std::string_view kText =
      "UPDATE tasks SET status = 'STARTED', worker = $1, retries = $2, "
      "started_at = coalesce(started_at, $3) WHERE id = $4 AND finished_at IS NULL "
      "AND retries <= $2";
  static const std::string kUnlessStarted =
      std::string(kText) + " AND (status <> 'STARTED' OR worker = $1 OR retries <> $2)";
  return one_row(detail::execute_idempotent(executor_, take_over ? kText : kUnlessStarted,
                                            {worker, retries, when, id}),
                 id);
}

Result<void> TaskRepository::mark_retry(std::string_view id, std::string_view error,
                                        std::int64_t retries, std::string_view options_json) {
  return one_row(
      detail::execute_idempotent(executor_,
                                 "UPDATE tasks SET status = 'RETRY', error = $1, retries = $2, "
                                 "options_json = $3 WHERE id = $4 AND finished_at IS NULL",
                                 {error, retries, options_json, id}),
      id);
}

Result<bool> TaskRepository::mark_finished(std::string_view id, std::string_view status,
                                           std::string_view result_json, std::string_view error,
                                           UnixNanos when, std::string_view traceback) {
  const auto changed = executor_.execute(
      "UPDATE tasks SET status = $1, result_json = $2, error = $3, traceback = $4, "
      "finished_at = $5 WHERE id = $6 AND finished_at IS NULL",
      {status, result_json, error, traceback, when, id});
  if (!changed) return std::unexpected(changed.error());
  if (*changed != 0) return true;
  const auto there = find(id);
  if (!there) return std::unexpected(there.error());
  if (!*there) return fail(ErrorCode::not_found, "there is no task '" + std::string(id) + "'");
  return false;
}

Result<bool> TaskRepository::store_terminal_frame(std::string_view id,
                                                  std::string_view frame_json) {
  const auto changed = executor_.execute(
      "UPDATE tasks SET terminal_frame_json = $1 WHERE id = $2 AND terminal_frame_json = ''",
      {frame_json, id});
  if (!changed) return std::unexpected(changed.error());
  if (*changed != 0) return true;
  const auto there = find(id);
  if (!there) return std::unexpected(there.error());
  if (!*there) return fail(ErrorCode::not_found, "there is no task '" + std::string(id) + "'");
  return false;
}

Result<std::optional<TaskRow>> TaskRepository::find(std::string_view id) {
  static const std::string kText = detail::select_text<TaskRow>("WHERE id = $1");
  return detail::select_one<TaskRow>(executor_, kText, {id});
}

Result<std::vector<TaskRow>> TaskRepository::list(std::int64_t limit) {
  static const std::string kText = detail::select_text<TaskRow>("ORDER BY sequence DESC LIMIT $1");
  return detail::select_all<TaskRow>(executor_, kText, {limit});
}

Result<std::vector<TaskRow>> TaskRepository::unfinished() {
  static const std::string kText =
      detail::select_text<TaskRow>("WHERE finished_at IS NULL ORDER BY sequence");
  return detail::select_all<TaskRow>(executor_, kText, {});
}

}  // namespace alphaswarm::persistence
