#include "alphaswarm/tasks/unfinished.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/base/log.hpp"
#include "alphaswarm/net/runtime.hpp"
#include "alphaswarm/persistence/task_repository.hpp"
#include "alphaswarm/tasks/message.hpp"
#include "alphaswarm/tasks/task_result.hpp"
#include "alphaswarm/tasks/task_rows.hpp"

namespace alphaswarm::tasks {
namespace {

Counter& noted_again() {
  static Counter& count = counter("alphaswarm_tasks_noted_again_total", "",
                                  "Open tasks noted again in a queue that had lost them.");
  return count;
}

// When a task was sent.
struct Span {
  UnixNanos from{0};
  UnixNanos to{INT64_MAX};
};

// The messages of those that can be read; the others end here.
Result<std::vector<TaskMessage>> unfinished_messages(persistence::Database& database,
                                                     Span sent = {}) {
  persistence::TaskRepository tasks(database);
  const auto rows = tasks.unfinished();
  if (!rows) return std::unexpected(rows.error());
  std::vector<TaskMessage> messages;
  for (const persistence::TaskRow& row : *rows) {
    if (row.created_at < sent.from || row.created_at > sent.to) continue;
    auto message = message_of(row);
    if (message) {
      messages.push_back(std::move(*message));
      continue;
    }
    const auto ended =
        tasks.mark_finished(row.id, kFailure, "", message.error().message, now_unix());
    if (!ended) return std::unexpected(ended.error());
  }
  return messages;
}

std::vector<Delivery> deliveries_of(const std::vector<TaskMessage>& messages) {
  std::vector<Delivery> all;
  for (const TaskMessage& message : messages) {
    all.push_back({encode_message(message), message.queue, {}, message.id});
  }
  return all;
}

// How many of those that were sent since then are not there any more.
net::task<Result<std::size_t>> note_missing(Broker& broker, persistence::Database& database,
                                            Setback setback, const WatchOptions& options) {
  // A row is written before its message is sent.
  const std::int64_t on_the_way = std::chrono::nanoseconds(options.settled).count();
  const Span sent{{setback.since.value - on_the_way}, setback.until};
  const auto messages = co_await net::blocking([&] { return unfinished_messages(database, sent); });
  if (!messages) co_return std::unexpected(messages.error());
  std::vector<Delivery> sent_since = deliveries_of(*messages);
  co_return co_await broker.presume_lent_if_missing(std::move(sent_since), options.grace,
                                                    std::move(setback));
}

net::task<Result<std::size_t>> note_unfinished(Broker& broker, persistence::Database& database,
                                               std::chrono::nanoseconds grace) {
  auto messages = co_await net::blocking([&] { return unfinished_messages(database); });
  if (!messages) co_return std::unexpected(messages.error());
  std::vector<Delivery> lost = deliveries_of(*messages);
  const std::size_t count = lost.size();
  if (count > 0) {
    const auto noted = co_await broker.presume_lent(std::move(lost), grace);
    if (!noted) co_return std::unexpected(noted.error());
  }
  const auto remembered = co_await broker.remember();
  if (!remembered) co_return std::unexpected(remembered.error());
  co_return count;
}

}  // namespace

net::task<Result<std::size_t>> requeue_unfinished(Broker& broker, persistence::Database& database) {
  const auto messages = co_await net::blocking([&] { return unfinished_messages(database); });
  if (!messages) co_return std::unexpected(messages.error());
  for (const TaskMessage& message : *messages) {
    const auto pushed =
        co_await broker.push(message.queue, message.priority, encode_message(message));
    if (!pushed) co_return std::unexpected(pushed.error());
  }
  co_return messages->size();
}

net::task<void> watch_for_loss(std::shared_ptr<Broker> broker,
                               std::shared_ptr<persistence::Database> database,
                               WatchOptions options) {
  for (;;) {
    const auto forgotten = co_await broker->has_forgotten();
    if (forgotten && *forgotten) {
      const auto noted = co_await note_unfinished(*broker, *database, options.grace);
      if (!noted) {
        log_warning("tasks", "the queue is empty, and noting the open tasks again failed: " +
                                 noted.error().message);
      } else if (*noted > 0) {
        noted_again().add(*noted);
        log_warning("tasks", fmt::format("the queue came back empty; of {} open tasks, those that "
                                         "no worker has are sent again",
                                         *noted));
        if (!co_await net::sleep_for(options.grace)) co_return;
        // If it fails, the next round of any worker does it.
        (void)co_await broker->restore();
      }
    }
    auto setback = co_await broker->find_setback(options.settled);
    if (setback && *setback) {
      const auto noted = co_await note_missing(*broker, *database, std::move(**setback), options);
      if (!noted) {
        log_warning("tasks", "the queue has gone back in time, and noting what it misses failed: " +
                                 noted.error().message);
      } else if (*noted > 0) {
        noted_again().add(*noted);
        log_warning("tasks", fmt::format("the queue has gone back in time; {} open tasks are not "
                                         "there any more and are sent again",
                                         *noted));
        if (!co_await net::sleep_for(options.grace)) co_return;
        (void)co_await broker->restore();
      }
    }
    if (!co_await net::sleep_for(options.look_every)) co_return;
  }
}

}  // namespace alphaswarm::tasks
