#include "alphaswarm/tasks/queue.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/net/runtime.hpp"
#include "alphaswarm/persistence/task_repository.hpp"
#include "alphaswarm/tasks/task_rows.hpp"
#include "alphaswarm/tasks/tracing.hpp"

namespace alphaswarm::tasks {
namespace {

constexpr std::chrono::seconds kLookAgain{5};    // whether a result is there
constexpr std::chrono::seconds kLookForGaps{1};  // of the subscription

std::int64_t as_ns(std::chrono::nanoseconds duration) { return duration.count(); }

}  // namespace

TaskQueue::TaskQueue(std::shared_ptr<Broker> broker, std::shared_ptr<Bus> bus,
                     std::shared_ptr<persistence::Database> database)
    : broker_(std::move(broker)), bus_(std::move(bus)), database_(std::move(database)) {}

net::task<Result<std::string>> TaskQueue::apply_async(std::string task_name,
                                                      boost::json::array args,
                                                      boost::json::object kwargs,
                                                      ApplyOptions options) {
  if (!broker_->has_consumer(options.queue)) {
    co_return fail(ErrorCode::unavailable, std::string(no_worker_message()));
  }
  TaskMessage message;
  message.id = options.task_id.empty() ? random_uuid() : std::move(options.task_id);
  message.task = std::move(task_name);
  message.queue = std::move(options.queue);
  message.args = std::move(args);
  message.kwargs = std::move(kwargs);
  message.priority = options.priority;
  message.eta = options.eta;
  message.expires = options.expires;
  message.ignore_result = options.ignore_result;
  auto span = tracing::start_producer(message, broker_->system());
  tracing::inject(message);
  auto sent = co_await send(std::move(message));
  if (!sent) span.error(sent.error().message);
  co_return sent;
}

net::task<Result<std::string>> TaskQueue::send(TaskMessage message) {
  if (database_ != nullptr) {
    const auto inserted = co_await net::blocking(
        [&] { return persistence::TaskRepository(*database_).insert(row_of(message)); });
    if (!inserted) co_return std::unexpected(inserted.error());
    if (!*inserted) {
      co_return fail(ErrorCode::already_exists,
                     fmt::format("there is already a task '{}'", message.id));
    }
  }
  std::string envelope = encode_message(message);
  const auto pushed = co_await broker_->push(message.queue, message.priority, std::move(envelope));
  if (pushed) co_return message.id;
  if (database_ != nullptr) {
    // Best effort: the caller learns of the failure in any case.
    (void)co_await net::blocking([&] {
      return persistence::TaskRepository(*database_)
          .mark_finished(message.id, kFailure, "", pushed.error().message, now_unix());
    });
  }
  co_return std::unexpected(pushed.error());
}

net::task<Result<std::optional<TaskResult>>> TaskQueue::result(std::string task_id) {
  const std::string key = result_key(task_id);
  const auto stored =
      broker_->keeps_results() ? co_await broker_->find_result(key) : co_await bus_->get(key);
  if (stored && *stored) {
    auto decoded = decode_result(**stored);
    if (!decoded) co_return std::unexpected(decoded.error());
    co_return std::move(*decoded);
  }
  if (database_ != nullptr) {
    auto row = co_await net::blocking(
        [&] { return persistence::TaskRepository(*database_).find(task_id); });
    if (!row) co_return std::unexpected(row.error());
    if (*row) co_return result_of(**row);
  }
  if (!stored) co_return std::unexpected(stored.error());
  co_return std::optional<TaskResult>();
}

net::task<Result<TaskResult>> TaskQueue::wait(std::string task_id, std::chrono::nanoseconds limit) {
  const std::int64_t deadline = monotonic_ns() + as_ns(limit);
  // Subscribed before looking, so that a result stored in between is not missed.
  auto subscription = co_await bus_->subscribe(result_key(task_id));
  if (!subscription) co_return std::unexpected(subscription.error());
  std::uint64_t gaps = subscription->gaps();
  for (;;) {
    auto found = co_await result(task_id);
    if (!found) co_return std::unexpected(found.error());
    if (*found && is_terminal((*found)->status)) co_return std::move(**found);
    const std::int64_t left = deadline - monotonic_ns();
    if (left <= 0) {
      co_return fail(ErrorCode::deadline_exceeded,
                     fmt::format("task '{}' has not finished in time", task_id));
    }
    if (net::this_task_stop_token().stop_requested()) {
      co_return fail(ErrorCode::cancelled, "stopped while waiting for a task");
    }
    // Not for the message alone: it is lost if Redis is away at the wrong moment.
    const std::int64_t look_again = std::min(deadline, monotonic_ns() + as_ns(kLookAgain));
    while (monotonic_ns() < look_again && gaps == subscription->gaps()) {
      const std::chrono::nanoseconds step = std::min<std::chrono::nanoseconds>(
          kLookForGaps, std::chrono::nanoseconds(look_again - monotonic_ns()));
      const std::int64_t from = monotonic_ns();
      if (co_await subscription->next_for(step)) break;
      if (net::this_task_stop_token().stop_requested()) break;
      if (monotonic_ns() - from < as_ns(step)) {
        co_return fail(ErrorCode::unavailable, "the bus was closed while waiting for a task");
      }
    }
    gaps = subscription->gaps();
  }
}

}  // namespace alphaswarm::tasks
