// What a message asks for beyond its task: time limits, and what is to follow.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/persistence/task_repository.hpp"
#include "alphaswarm/tasks/canvas.hpp"
#include "alphaswarm/tasks/task_rows.hpp"
#include "alphaswarm/tasks/tracing.hpp"
#include "alphaswarm/tasks/worker_impl.hpp"

namespace alphaswarm::tasks {
namespace {

constexpr double kNanosPerSecond = 1e9;
constexpr double kLongestLimitSeconds = 1e9;

enum class Passed : std::uint8_t { none, soft, hard };

struct Limits {
  std::atomic<Passed> passed{Passed::none};  // read once the task has returned; orders nothing else
  std::stop_source over;                     // of who waits for them
};

struct Limit {
  double seconds;
  Passed which;
};

// Asks the task to stop as each limit passes: a coroutine cannot be ended from outside.
net::task<void> enforce(std::shared_ptr<Limits> limits, std::array<Limit, 2> each,
                        std::stop_source task) {
  double waited = 0;
  for (const Limit& limit : each) {
    if (limit.which == Passed::none) continue;
    const double left = std::clamp(limit.seconds - waited, 0.0, kLongestLimitSeconds);
    const std::chrono::nanoseconds wait(static_cast<std::int64_t>(left * kNanosPerSecond));
    if (!co_await net::sleep_for(wait)) co_return;
    waited = limit.seconds;
    limits->passed.store(limit.which, std::memory_order_relaxed);
    task.request_stop();
  }
}

std::array<Limit, 2> limits_of(const TaskMessage& message) {
  std::array<Limit, 2> limits{};
  if (message.soft_time_limit_seconds) limits[0] = {*message.soft_time_limit_seconds, Passed::soft};
  if (message.time_limit_seconds) limits[1] = {*message.time_limit_seconds, Passed::hard};
  std::ranges::sort(limits, {}, &Limit::seconds);
  return limits;
}

// One link with an id may follow several tasks: only the first of them has made its row. The parent
// of a retry is the task itself: then nobody knows, and it has begun.
bool has_same_parent(const persistence::TaskRow& row, const TaskMessage& follower) {
  const auto noted = message_of(row);
  return noted && (noted->parent_id == follower.parent_id || noted->parent_id == row.id);
}

}  // namespace

net::task<Worker::Impl::Outcome> Worker::Impl::attempt(const TaskMessage& message,
                                                       std::stop_source stop,
                                                       observability::Span& span) {
  if (const auto possible = check_canvas(message); !possible) {
    co_return Outcome{kFailure, nullptr, possible.error(), "NotImplementedError", "builtins"};
  }
  if (!message.time_limit_seconds && !message.soft_time_limit_seconds) {
    co_return co_await call(message, stop, span);
  }
  const auto limits = std::make_shared<Limits>();  // shared with who waits for them
  net::spawn(runtime_, limits->over, enforce(limits, limits_of(message), stop));
  Outcome outcome = co_await call(message, stop, span);
  limits->over.request_stop();
  const Passed passed = limits->passed.load(std::memory_order_relaxed);
  // Asked to end, it may have ended in order; ended, it may not.
  const bool soft = passed == Passed::soft && outcome.status != kSuccess;
  if (outcome.status == kRevoked || (passed != Passed::hard && !soft)) co_return outcome;
  const double seconds = soft ? *message.soft_time_limit_seconds : *message.time_limit_seconds;
  co_return Outcome{kFailure, nullptr,
                    Error{ErrorCode::deadline_exceeded,
                          fmt::format("the time limit of {} s has passed", seconds), false},
                    soft ? "SoftTimeLimitExceeded" : "TimeLimitExceeded", "billiard.exceptions"};
}

// Those that an earlier try of the same end has sent: they have begun or ended.
std::set<std::string> Worker::Impl::note_followers(const std::vector<TaskMessage>& followers) {
  std::set<std::string> sent;
  if (database_ == nullptr || followers.empty()) return sent;
  // Nobody would ever say that it has ended, and its row be open for ever.
  const auto ends_unheard = [&](const TaskMessage& message) {
    return message.ignore_result.value_or(false) && !functions_.contains(message.task);
  };
  const auto noted = persistence::in_transaction(
      *database_,
      [&](persistence::SqlExecutor& executor) -> Result<void> {
        sent.clear();
        persistence::TaskRepository tasks(executor);
        for (const TaskMessage& follower : followers) {
          if (ends_unheard(follower)) continue;
          const auto inserted = tasks.insert(row_of(follower));
          if (!inserted) return std::unexpected(inserted.error());
          if (*inserted) continue;
          const auto row = tasks.find(follower.id);
          if (!row) return std::unexpected(row.error());
          if (*row && (*row)->status != kPending && has_same_parent(**row, follower)) {
            sent.insert(follower.id);
          }
        }
        return {};
      },
      persistence::Effects::idempotent);
  if (!noted) {
    log_error("worker", "noting what is to follow a task failed: " + noted.error().message);
  }
  return sent;
}

net::task<bool> Worker::Impl::send_followers(const TaskMessage& message, const Outcome& outcome) {
  const bool failed = outcome.status == kFailure;
  if (message.embed.empty() || (!failed && outcome.status != kSuccess)) co_return true;
  auto followers = failed ? after_failure(message) : after_success(message, outcome.result);
  if (!followers) {
    log_error("worker", fmt::format("what is to follow task {} was not sent: {}", message.id,
                                    followers.error().message));
    co_return true;
  }
  const std::set<std::string> sent = note_followers(*followers);
  for (TaskMessage& follower : *followers) {
    if (sent.contains(follower.id)) continue;
    if (!co_await send_follower(follower)) co_return false;
  }
  if (failed) co_await end_abandoned(message, outcome);
  co_return true;
}

net::task<bool> Worker::Impl::send_follower(TaskMessage& follower) {
  auto span = tracing::start_producer(follower, broker_->system());
  tracing::inject(follower);
  const std::string envelope = encode_message(follower);
  for (;;) {
    const auto pushed = co_await broker_->push(follower.queue, follower.priority, envelope);
    if (pushed) co_return true;
    const std::string& why = pushed.error().message;
    log_error("worker", fmt::format("task {}, which is to follow {}, could not be sent: {}",
                                    follower.id, follower.parent_id, why));
    if (!passes(pushed.error())) {  // e.g. its queue's name is taken by something else
      span.error(why);
      co_await end_unsent(follower, why);
      co_return true;
    }
    if (is_stopping()) {
      span.error(why);
      co_return false;
    }
    (void)co_await net::sleep_for(std::chrono::seconds(1));
  }
}

net::task<void> Worker::Impl::end_unsent(const TaskMessage& follower, std::string why) {
  if (database_ == nullptr) co_return;
  persistence::TaskRepository tasks(*database_);
  const auto row = tasks.find(follower.id);
  if (!row || !*row || (*row)->status != kPending) co_return;
  if (!has_same_parent(**row, follower)) co_return;
  const auto ended = tasks.mark_finished(follower.id, kFailure, "", why, now_unix());
  if (ended && *ended) co_await progress_->emit_error(follower.id, std::move(why));
}

net::task<void> Worker::Impl::end_abandoned(const TaskMessage& message, const Outcome& outcome) {
  // An earlier try may have succeeded and noted them, and died before it sent them.
  if (const auto unsent = after_success(message, nullptr)) {
    for (const TaskMessage& each : *unsent) co_await end_unsent(each, outcome.error->message);
  }
  for (std::string& id : abandoned_by_failure(message)) {
    TaskResult result;
    result.task_id = std::move(id);
    result.status = kFailure;
    result.exception_type = outcome.exception_type;
    result.exception_module = outcome.exception_module;
    result.error = outcome.error->message;
    result.date_done = now_unix();
    const auto stored = co_await store(std::move(result));
    if (!stored) {
      log_error("worker", "the end of a chain's task was not stored: " + stored.error().message);
    }
  }
}

}  // namespace alphaswarm::tasks
