#include "alphaswarm/tasks/queue.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/persistence/task_repository.hpp"
#include "alphaswarm/tasks/tracing.hpp"

namespace alphaswarm::tasks {
namespace {

persistence::TaskRow row_of(const TaskMessage& message) {
  persistence::TaskRow row;
  row.id = message.id;
  row.name = message.task;
  row.queue = message.queue;
  row.status = kPending;
  row.args_json = boost::json::serialize(message.args);
  row.kwargs_json = boost::json::serialize(message.kwargs);
  row.trace_id = tracing::current_trace_id();
  row.created_at = now_unix();
  return row;
}

Result<TaskMessage> message_of(const persistence::TaskRow& row) {
  boost::system::error_code bad_args;
  boost::system::error_code bad_kwargs;
  const boost::json::value args = boost::json::parse(row.args_json, bad_args);
  const boost::json::value kwargs = boost::json::parse(row.kwargs_json, bad_kwargs);
  if (bad_args || bad_kwargs || !args.is_array() || !kwargs.is_object()) {
    return fail(ErrorCode::data_loss,
                fmt::format("the stored arguments of task '{}' cannot be read", row.id));
  }
  TaskMessage message;
  message.id = row.id;
  message.task = row.name;
  message.queue = row.queue;
  message.args = args.get_array();
  message.kwargs = kwargs.get_object();
  message.retries = row.retries;
  message.redelivered = true;
  return message;
}

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
  auto span = tracing::start_producer(message, broker_->system());
  tracing::inject(message);
  auto sent = co_await send(std::move(message));
  if (!sent) span.error(sent.error().message);
  co_return sent;
}

net::task<Result<std::string>> TaskQueue::send(TaskMessage message) {
  if (database_ != nullptr) {
    const auto inserted = persistence::TaskRepository(*database_).insert(row_of(message));
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
    (void)persistence::TaskRepository(*database_)
        .mark_finished(message.id, kFailure, "", pushed.error().message, now_unix());
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
    auto row = persistence::TaskRepository(*database_).find(task_id);
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
    (void)co_await subscription->next_for(std::chrono::nanoseconds(left));
  }
}

net::task<Result<std::size_t>> requeue_unfinished(Broker& broker, persistence::Database& database) {
  persistence::TaskRepository tasks(database);
  const auto rows = tasks.unfinished();
  if (!rows) co_return std::unexpected(rows.error());
  std::size_t sent = 0;
  for (const persistence::TaskRow& row : *rows) {
    const auto message = message_of(row);
    if (!message) {
      const auto ended =
          tasks.mark_finished(row.id, kFailure, "", message.error().message, now_unix());
      if (!ended) co_return std::unexpected(ended.error());
      continue;
    }
    const auto pushed =
        co_await broker.push(message->queue, message->priority, encode_message(*message));
    if (!pushed) co_return std::unexpected(pushed.error());
    ++sent;
  }
  co_return sent;
}

}  // namespace alphaswarm::tasks
