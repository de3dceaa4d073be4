#include "alphaswarm/tasks/foreign_results.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <utility>
#include <vector>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/base/log.hpp"
#include "alphaswarm/base/time.hpp"
#include "alphaswarm/net/runtime.hpp"

namespace alphaswarm::tasks {
namespace {

using persistence::TaskRepository;
using persistence::TaskRow;

constexpr std::chrono::seconds kStep{1};              // between looks whether something was missed
constexpr std::size_t kLongestTraceback = 64U << 10;  // its end is kept, where the error stands

bool has_no_frame(const TaskRow& row) {
  return is_terminal(row.status) && row.terminal_frame_json.empty();
}

std::string end_of(const std::string& traceback) {
  if (traceback.size() <= kLongestTraceback) return traceback;
  std::size_t from = traceback.size() - kLongestTraceback;
  while (from < traceback.size() &&
         (static_cast<unsigned char>(traceback[from]) & 0xc0U) == 0x80U) {
    ++from;
  }
  return traceback.substr(from);
}

}  // namespace

ForeignResults::ForeignResults(std::shared_ptr<Broker> broker,
                               std::shared_ptr<persistence::Database> database,
                               std::shared_ptr<ProgressBus> progress)
    : broker_(std::move(broker)), database_(std::move(database)), progress_(std::move(progress)) {}

net::task<void> ForeignResults::send_terminal_frame(TaskRow row) const {
  TaskResult result = result_of(row);
  if (row.status == kSuccess) {
    co_await progress_->emit_done(std::move(row.id), std::move(result.result));
  } else {
    co_await progress_->emit_error(std::move(row.id), std::move(result.error));
  }
}

net::task<Result<bool>> ForeignResults::note(TaskResult result) const {
  const bool success = result.status == kSuccess;
  const std::string result_text = success ? boost::json::serialize(result.result) : std::string();
  std::string error = result.error.empty() ? result.exception_type : result.error;
  if (success) error.clear();
  std::erase(error, '\0');  // which PostgreSQL's text cannot hold
  std::erase(result.traceback, '\0');
  const auto end = [&] {
    return TaskRepository(*database_)
        .mark_finished(result.task_id, result.status, result_text, error,
                       result.date_done.value_or(now_unix()), end_of(result.traceback));
  };
  const auto ended = co_await net::blocking(end);
  if (!ended) co_return std::unexpected(ended.error());
  if (!*ended) co_return false;  // who ended it sends the frame
  static Counter& noted = counter("alphaswarm_tasks_foreign_results_total", "",
                                  "Tasks ended by a result that another worker than ours stored.");
  noted.add();
  if (success) {
    co_await progress_->emit_done(std::move(result.task_id), std::move(result.result));
  } else {
    co_await progress_->emit_error(std::move(result.task_id), std::move(error));
  }
  co_return true;
}

net::task<Result<std::optional<TaskRow>>> ForeignResults::look(std::string task_id) const {
  const auto find = [&] { return TaskRepository(*database_).find(task_id); };
  auto row = co_await net::blocking(find);
  if (!row || !*row) co_return row;
  if (!is_terminal((*row)->status) && broker_->keeps_results()) {
    const auto stored = co_await broker_->find_result(result_key(task_id));
    auto result = stored && *stored ? decode_result(**stored)
                                    : Result<TaskResult>(fail(ErrorCode::not_found, ""));
    if (!result) co_return row;
    if (!is_terminal(result->status)) {
      if (!result->status.empty()) (*row)->status = std::move(result->status);
      co_return row;
    }
    result->task_id = task_id;
    const auto noted = co_await note(std::move(*result));
    if (!noted) co_return std::unexpected(noted.error());
    row = co_await net::blocking(find);
  }
  // Whoever ended it did not live to say so, or is about to: then the first frame counts.
  if (row && *row && has_no_frame(**row)) co_await send_terminal_frame(**row);
  co_return row;
}

net::task<Result<std::size_t>> ForeignResults::sweep() const {
  const auto open = co_await net::blocking([&] { return TaskRepository(*database_).unfinished(); });
  if (!open) co_return std::unexpected(open.error());
  std::size_t ended = 0;
  for (const TaskRow& row : *open) {
    const auto stored = co_await broker_->find_result(result_key(row.id));
    if (!stored) co_return std::unexpected(stored.error());
    if (!*stored) continue;
    auto result = decode_result(**stored);
    if (!result || !is_terminal(result->status)) continue;
    result->task_id = row.id;
    const auto noted = co_await note(std::move(*result));
    if (!noted && noted.error().code != ErrorCode::invalid_argument) {
      co_return std::unexpected(noted.error());
    }
    if (!noted) {  // one that cannot be written does not keep the others waiting
      log_warning("tasks",
                  "the result of task " + row.id + " is left out: " + noted.error().message);
    } else if (*noted) {
      ++ended;
    }
  }
  co_return ended;
}

net::task<Result<void>> ForeignResults::note_announced(std::string text) const {
  auto result = decode_result(text);
  if (!result) {
    log_warning("tasks", "a result that was announced cannot be read: " + result.error().message);
    co_return Result<void>();
  }
  if (!is_terminal(result->status)) co_return Result<void>();
  // Most are of our own workers, which have ended the row before, or of no row at all.
  const auto row =
      co_await net::blocking([&] { return TaskRepository(*database_).find(result->task_id); });
  if (!row) co_return std::unexpected(row.error());
  if (!*row || (*row)->finished_at) co_return Result<void>();
  const auto noted = co_await note(std::move(*result));
  co_return noted ? Result<void>() : std::unexpected(noted.error());
}

net::task<void> ForeignResults::listen(Subscription subscription) const {
  bool missed = true;  // what was stored before
  std::uint64_t lost = subscription.gaps() + subscription.dropped();
  std::int64_t last_sweep = 0;
  while (!net::this_task_stop_token().stop_requested()) {
    const std::uint64_t lost_now = subscription.gaps() + subscription.dropped();
    missed = missed || lost_now != lost;
    lost = lost_now;
    if (missed && monotonic_ns() - last_sweep >= std::chrono::nanoseconds(kStep).count()) {
      const auto swept = co_await sweep();
      if (!swept) log_warning("tasks", "looking for results failed: " + swept.error().message);
      missed = !swept;
      last_sweep = monotonic_ns();
    }
    const std::int64_t from = monotonic_ns();
    std::optional<std::string> text = co_await subscription.next_for(kStep);
    if (text) {
      const auto noted = co_await note_announced(std::move(*text));
      if (noted) continue;
      log_warning("tasks", "noting a task's end failed: " + noted.error().message);
      missed = true;
    } else if (monotonic_ns() - from < std::chrono::nanoseconds(kStep).count()) {
      co_return;  // the subscription has ended
    }
  }
}

net::task<void> ForeignResults::watch(std::shared_ptr<ForeignResults> results) {
  if (!results->broker_->keeps_results()) co_return;
  for (;;) {
    auto subscription = co_await results->broker_->subscribe_results();
    if (subscription) {
      co_await results->listen(std::move(*subscription));
    }
    if (!co_await net::sleep_for(kStep)) co_return;
  }
}

}  // namespace alphaswarm::tasks
