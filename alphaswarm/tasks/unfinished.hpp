#pragma once

// Tasks that the table knows and that have not ended, for when the broker has lost their messages.

#include <chrono>
#include <memory>

#include "alphaswarm/net/task.hpp"
#include "alphaswarm/persistence/database.hpp"
#include "alphaswarm/tasks/broker.hpp"

namespace alphaswarm::tasks {

// For a broker that forgets with its process: sends those tasks of the table that have not ended
// again, marked as redelivered, oldest first. Call it once, before the first worker starts, and
// only where no other process runs tasks of this database. Gives how many. The runs start traces
// of their own: what they belonged to ended with the process. A task whose stored arguments cannot
// be read ends as FAILURE.
net::task<Result<std::size_t>> requeue_unfinished(Broker& broker, persistence::Database& database);

struct WatchOptions {
  std::chrono::milliseconds look_every{2'000};
  // In which a worker that still has a task says so; then it is sent again.
  std::chrono::milliseconds grace = kClaimGrace;
  // Longer than sending one takes, its waiting for the broker included, and than clocks differ.
  std::chrono::milliseconds settled{10'000};
};

// For a broker that many processes share: whenever it has come back empty, its tasks of the table
// that have not ended are sent again, by one of the processes that watch, except those that a
// worker goes on with. Whenever it has come back with what it had a while ago: those of them that
// were sent since then and are not there. Until this task is asked to stop. A task that was queued
// twice by this is run once: see Worker.
net::task<void> watch_for_loss(std::shared_ptr<Broker> broker,
                               std::shared_ptr<persistence::Database> database,
                               WatchOptions options = {});

}  // namespace alphaswarm::tasks
