// The tries of a task after the first.

#include <fmt/format.h>

#include <algorithm>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/base/random.hpp"
#include "alphaswarm/persistence/task_repository.hpp"
#include "alphaswarm/tasks/task_rows.hpp"
#include "alphaswarm/tasks/tracing.hpp"
#include "alphaswarm/tasks/worker_impl.hpp"

namespace alphaswarm::tasks {
namespace {

std::chrono::nanoseconds backoff(const TaskOptions& options, std::int64_t retries) {
  std::chrono::nanoseconds wait = options.first_backoff;
  for (std::int64_t i = 0; i < retries && wait < options.longest_backoff; ++i) wait *= 2;
  wait = std::min<std::chrono::nanoseconds>(wait, options.longest_backoff);
  // Jitter only shortens, so that the longest wait is what the setting says.
  const double factor = 1.0 - 0.2 * thread_random().uniform();
  return std::chrono::nanoseconds(
      static_cast<std::int64_t>(static_cast<double>(wait.count()) * factor));
}

}  // namespace

TaskMessage Worker::Impl::next_try_of(const TaskMessage& message, const persistence::TaskRow& row) {
  TaskMessage next = message;
  next.retries = row.retries;
  if (const auto noted = message_of(row)) next.eta = noted->eta;
  next.parent_id = message.id;
  return next;
}

net::task<std::optional<Worker::Impl::Settlement>> Worker::Impl::retry(const TaskMessage& message,
                                                                       const Outcome& outcome,
                                                                       Handling& handling) {
  const TaskOptions& options = functions_.find(message.task)->second.options;
  TaskMessage again = message;
  again.retries = message.retries + 1;
  again.eta = UnixNanos{now_unix().value + backoff(options, message.retries).count()};
  again.parent_id = message.id;
  again.redelivered = false;
  // Noted before it is queued: its end must not be overwritten by the note, and if this worker dies
  // in between, whoever gets the message sees that this try of it is over.
  if (database_ != nullptr) {
    const auto noted =
        persistence::TaskRepository(*database_)
            .mark_retry(message.id, outcome.error->message, again.retries, options_of(again));
    if (!noted) {
      if (auto ended = ended_in_table(message.id)) {
        co_return co_await settle_ended(message, std::move(*ended), handling);
      }
      log_error("worker", "noting a retry failed: " + noted.error().message);
    }
  }
  auto span = tracing::start_producer(again, broker_->system());
  tracing::inject(again);
  NextTry next{again.queue, again.priority, encode_message(again)};
  if (wants_result(message)) {
    TaskResult state;
    state.task_id = message.id;
    state.status = kRetry;
    state.error = outcome.error->message;
    state.exception_type = outcome.exception_type;
    if (broker_->keeps_results()) {
      next.state = {result_key(state.task_id), encode_result(state), kResultTimeToLive};
    } else if (const auto stored = co_await store(std::move(state)); !stored) {
      log_error("worker", "storing a task's state failed: " + stored.error().message);
    }
  }
  co_return co_await requeue(message.id, std::move(next), span, handling);
}

net::task<std::optional<Worker::Impl::Settlement>> Worker::Impl::requeue(std::string id,
                                                                         NextTry next,
                                                                         observability::Span& span,
                                                                         Handling& handling) {
  handling.release_slots();
  std::vector<Delivery> deliveries = handling.leave_claim();
  for (;;) {
    const auto queued = co_await broker_->requeue(deliveries, next);
    if (queued) co_return Settlement::settled;
    const std::string& why = queued.error().message;
    log_error("worker", fmt::format("task {} could not be queued for its retry: {}", id, why));
    const bool stopping = is_stopping();
    if (stopping || !passes(queued.error())) {
      span.error(why);
      handling.put_back(std::move(deliveries));
      co_return stopping ? std::optional(Settlement::give_back) : std::nullopt;
    }
    (void)co_await net::sleep_for(std::chrono::seconds(1));
  }
}

}  // namespace alphaswarm::tasks
