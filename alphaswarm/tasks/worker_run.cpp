// What a worker does with one message: run it, store the result.

#include <cxxabi.h>
#include <fmt/format.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <memory>
#include <typeinfo>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/base/log.hpp"
#include "alphaswarm/persistence/task_repository.hpp"
#include "alphaswarm/tasks/task_rows.hpp"
#include "alphaswarm/tasks/tracing.hpp"
#include "alphaswarm/tasks/worker_impl.hpp"

namespace alphaswarm::tasks {
namespace {

namespace json = boost::json;

std::string readable_type(const std::exception& error) {
  int status = 0;
  const std::unique_ptr<char, decltype(&::free)> name(
      abi::__cxa_demangle(typeid(error).name(), nullptr, nullptr, &status), &::free);
  return name != nullptr ? name.get() : typeid(error).name();
}

void count_finished(std::string_view status) {
  counter("alphaswarm_tasks_finished_total", fmt::format(R"(state="{}")", status),
          "Tasks by the state they ended in.")
      .add();
}

void log_if_failed(const Result<void>& done, std::string_view what) {
  if (!done) log_error("worker", fmt::format("{} failed: {}", what, done.error().message));
}

}  // namespace

net::task<std::optional<TaskResult>> Worker::Impl::stored_result(const std::string& id) {
  const std::string key = result_key(id);
  const auto stored =
      broker_->keeps_results() ? co_await broker_->find_result(key) : co_await bus_->get(key);
  if (!stored || !*stored) co_return std::nullopt;
  auto result = decode_result(**stored);
  if (!result || !is_terminal(result->status)) co_return std::nullopt;
  co_return std::move(*result);
}

net::task<std::optional<TaskResult>> Worker::Impl::earlier_result(const TaskMessage& message) {
  if (!message.redelivered) co_return std::nullopt;
  if (auto stored = co_await stored_result(message.id)) co_return stored;
  co_return ended_in_table(message.id);
}

std::optional<TaskResult> Worker::Impl::ended_in_table(const std::string& id) const {
  if (database_ == nullptr) return std::nullopt;
  const auto row = persistence::TaskRepository(*database_).find(id);
  if (!row || !*row || !is_terminal((*row)->status)) return std::nullopt;
  return result_of(**row);
}

net::task<Worker::Impl::Settlement> Worker::Impl::run(TaskMessage message, std::stop_source stop,
                                                      Handling& handling) {
  const observability::Extracted sender = tracing::extract(message, config_.provider);
  const observability::BaggageScope baggage(sender.baggage);
  auto span = tracing::start_consumer(message, sender.parent, config_.hostname, config_.provider);
  Outcome outcome;
  const std::int64_t begin = monotonic_ns();
  if (is_revoked(message.id)) {
    outcome.status = kRevoked;
    outcome.error = Error{ErrorCode::cancelled, "revoked", false};
    outcome.exception_type = "TaskRevokedError";
    outcome.exception_module = "celery.exceptions";
  } else if (message.expires && *message.expires <= now_unix()) {
    outcome.status = kRevoked;
    outcome.error = Error{ErrorCode::deadline_exceeded, "expired", false};
    outcome.exception_type = "TaskRevokedError";
    outcome.exception_module = "celery.exceptions";
  } else {
    enter_phase(handling.tag(), TaskPhase::active);
    if (auto other = co_await note_started(message)) {
      tracing::finish_consumer(span, kIgnored, nullptr);
      if (other->ended) {
        co_return co_await net::shielded(settle_ended(message, std::move(*other->ended), handling));
      }
      if (other->next_try) handling.replace_message(encode_message(*other->next_try));
      co_return Settlement::leave;
    }
    event("task-started", message.id);
    outcome = co_await attempt(message, stop, span);
  }
  ended_event(outcome, message.id, static_cast<double>(monotonic_ns() - begin) / 1e9);
  if (outcome.status.empty()) {
    // Another worker goes on with it; nothing has ended.
    tracing::finish_consumer(span, kPending, nullptr);
    co_return Settlement::give_back;
  }
  if (outcome.status == kRetry) {
    tracing::retry_event(span, outcome.error->message);
    tracing::finish_consumer(span, kRetry, nullptr);
    if (const auto settled = co_await net::shielded(retry(message, outcome, handling))) {
      co_return *settled;
    }
    outcome.status = kFailure;  // no retry can be queued
  }
  if (!co_await net::shielded(send_followers(message, outcome))) {
    tracing::finish_consumer(span, kPending, nullptr);
    co_return Settlement::give_back;
  }
  const bool failed = outcome.status == kFailure;
  tracing::finish_consumer(span, outcome.status, failed ? &*outcome.error : nullptr);
  co_return co_await net::shielded(finish(message, std::move(outcome), handling));
}

net::task<Worker::Impl::Outcome> Worker::Impl::call(const TaskMessage& message,
                                                    std::stop_source stop,
                                                    observability::Span& span) {
  const auto found = functions_.find(message.task);
  if (found == functions_.end()) {
    co_return Outcome{
        kFailure, nullptr,
        Error{ErrorCode::not_found,
              fmt::format("task '{}' is not known to this worker", message.task), false},
        "NotRegistered", "celery.exceptions"};
  }
  TaskContext context{message.id,          message.task,     message.queue,
                      message.args,        message.kwargs,   message.retries,
                      message.redelivered, stop.get_token(), *progress_};
  Outcome thrown{kFailure, nullptr, std::nullopt, {}, {}};
  try {
    auto result = co_await found->second.function(context);
    co_return outcome_of(message, std::move(result), found->second.options);
  } catch (const std::exception& error) {
    span.record_current_exception();
    thrown.error = Error{ErrorCode::internal, error.what(), false};
    thrown.exception_type = readable_type(error);
  } catch (...) {
    span.record_current_exception();
    thrown.error = Error{ErrorCode::internal, "an exception that is not a std::exception", false};
    thrown.exception_type = "Exception";
  }
  co_return thrown;
}

Worker::Impl::Outcome Worker::Impl::outcome_of(const TaskMessage& message,
                                               Result<json::value> result,
                                               const TaskOptions& options) const {
  if (result) return {kSuccess, std::move(*result), std::nullopt, {}, {}};
  Outcome outcome{kFailure, nullptr, result.error(), exception_type_of(result.error().code), {}};
  bool stopping = false;
  bool terminated = false;
  {
    const std::scoped_lock lock(mutex_);
    stopping = stopping_;
    const auto found = revoked_.find(message.id);
    terminated = found != revoked_.end() && found->second;
  }
  if (terminated) {
    outcome.status = kRevoked;
    outcome.error = Error{ErrorCode::cancelled, "terminated", false};
    outcome.exception_type = "TaskRevokedError";
    outcome.exception_module = "celery.exceptions";
    return outcome;
  }
  if (stopping && result.error().code == ErrorCode::cancelled) {
    outcome.status = {};
  } else if (result.error().retryable && message.retries < options.max_retries) {
    outcome.status = kRetry;
  }
  return outcome;
}

void Worker::Impl::ended_event(const Outcome& outcome, const std::string& id, double runtime) {
  if (!events_on_.load(std::memory_order_relaxed)) return;
  const std::string why = outcome.error ? outcome.error->message : std::string();
  if (outcome.status == kSuccess) {
    event("task-succeeded", id,
          {{"result", json::serialize(outcome.result)}, {"runtime", runtime}});
  } else if (outcome.status == kRevoked) {
    event(
        "task-revoked", id,
        {{"terminated", why == "terminated"}, {"signum", nullptr}, {"expired", why == "expired"}});
  } else if (!outcome.status.empty()) {
    event(outcome.status == kRetry ? "task-retried" : "task-failed", id,
          {{"exception", fmt::format("{}('{}')", outcome.exception_type, why)}, {"traceback", ""}});
  }
}

bool Worker::Impl::wants_result(const TaskMessage& message) const {
  if (message.ignore_result) return !*message.ignore_result;
  const auto found = functions_.find(message.task);
  return found == functions_.end() || !found->second.options.ignore_result;
}

std::optional<Worker::Impl::NotToRun> Worker::Impl::start_in_table(const TaskMessage& message) {
  if (database_ == nullptr) return std::nullopt;
  persistence::TaskRepository tasks(*database_);
  const UnixNanos now = now_unix();
  // A redelivered one was another worker's, which is lost.
  auto noted =
      tasks.mark_started(message.id, config_.hostname, message.retries, now, message.redelivered);
  if (!noted && noted.error().code == ErrorCode::not_found) {
    const auto row = tasks.find(message.id);
    if (row && *row) {
      NotToRun other;
      if (is_terminal((*row)->status)) {
        other.ended = result_of(**row);
      } else if ((*row)->retries > message.retries) {
        other.next_try = next_try_of(message, **row);
      }
      return other;
    }
    // Sent by another client than ours.
    persistence::TaskRow fresh = row_of(message);
    fresh.status = kStarted;
    fresh.worker = config_.hostname;
    fresh.created_at = now;
    fresh.started_at = now;
    const auto inserted = tasks.insert(fresh);
    noted = inserted ? Result<void>() : std::unexpected(inserted.error());
  }
  log_if_failed(noted, "noting a task's start");
  return std::nullopt;
}

net::task<std::optional<Worker::Impl::NotToRun>> Worker::Impl::note_started(
    const TaskMessage& message) {
  if (auto other = start_in_table(message)) co_return other;
  if (!config_.track_started || !wants_result(message)) co_return std::nullopt;
  TaskResult started;
  started.task_id = message.id;
  started.status = kStarted;
  started.result = json::object{{"pid", ::getpid()}, {"hostname", config_.hostname}};
  const auto stored = co_await store(std::move(started));
  log_if_failed(stored, "storing a task's state");
  co_return std::nullopt;
}

net::task<Result<void>> Worker::Impl::store(TaskResult result) {
  const std::string key = result_key(result.task_id);
  const std::string text = encode_result(result);
  if (broker_->keeps_results()) {
    StoredResult state{key, text, kResultTimeToLive};
    co_return co_await broker_->store(std::move(state));
  }
  auto stored = co_await bus_->set(key, text, kResultTimeToLive);
  if (stored) stored = co_await bus_->publish(key, text);
  co_return stored;
}

net::task<Worker::Impl::Settlement> Worker::Impl::finish(const TaskMessage& message,
                                                         Outcome outcome, Handling& handling) {
  const std::string error = outcome.error ? outcome.error->message : std::string();
  if (!error.empty()) {
    log_warning("worker", fmt::format("task {} ({}) ended as {}: {}", message.id, message.task,
                                      outcome.status, error));
  }
  const UnixNanos now = now_unix();
  const bool success = outcome.status == kSuccess;
  const std::string result_text = success ? json::serialize(outcome.result) : std::string();
  Result<void> in_table = fail(ErrorCode::unavailable, "there is no database");
  if (database_ != nullptr) {
    const auto marked = persistence::TaskRepository(*database_)
                            .mark_finished(message.id, outcome.status, result_text, error, now);
    if (marked && !*marked) {
      if (auto ended = ended_in_table(message.id)) {
        co_return co_await settle_ended(message, std::move(*ended), handling);
      }
    }
    in_table = marked ? Result<void>() : std::unexpected(marked.error());
    log_if_failed(in_table, "storing a task's result in the database");
  }
  TaskResult result{message.id,
                    std::string(outcome.status),
                    success ? outcome.result : json::value(nullptr),
                    outcome.exception_type,
                    outcome.exception_module,
                    error,
                    now};
  const bool at_broker = broker_->keeps_results();
  const bool wanted = wants_result(message);
  if (!at_broker && wanted) {
    const auto on_bus = co_await store(result);
    log_if_failed(on_bus, "storing a task's result on the bus");
    // Stored nowhere: leave the message unacknowledged rather than lose the task.
    if (!in_table && !on_bus) co_return Settlement::settled;
  }
  if (success) {
    co_await progress_->emit_done(message.id, std::move(outcome.result));
  } else {
    co_await progress_->emit_error(message.id, error);
  }
  // Last, because it also acknowledges: after a crash before it, all of the above comes again and
  // finds what the first time has written.
  if (at_broker && !co_await finish_at_broker(std::move(result), wanted, handling)) {
    co_return Settlement::settled;
  }
  count_finished(outcome.status);
  {
    const std::scoped_lock lock(mutex_);
    ++finished_;
  }
  co_return at_broker ? Settlement::settled : Settlement::acknowledge;
}

}  // namespace alphaswarm::tasks
