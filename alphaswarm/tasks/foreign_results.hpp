#pragma once

// Ends of tasks that other people's workers ran. Our own write a task's end into table `tasks` and
// send its terminal frame; a Python worker stores a result at the broker, and that is all.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "alphaswarm/net/task.hpp"
#include "alphaswarm/persistence/database.hpp"
#include "alphaswarm/persistence/task_repository.hpp"
#include "alphaswarm/tasks/broker.hpp"
#include "alphaswarm/tasks/progress.hpp"
#include "alphaswarm/tasks/task_result.hpp"

namespace alphaswarm::tasks {

// Thread-safe, and for many processes at once: the first to end a row wins, and a task has one
// terminal frame, whoever sends it. Before a broker that keeps no results there is nothing to note.
class ForeignResults {
 public:
  ForeignResults(std::shared_ptr<Broker> broker, std::shared_ptr<persistence::Database> database,
                 std::shared_ptr<ProgressBus> progress);

  // The row of a task, or nullopt. If it is open there but has ended at the broker, it is ended
  // now; a state in between (STARTED, RETRY) is told and not written. While the broker is away:
  // what the table says.
  net::task<Result<std::optional<persistence::TaskRow>>> look(std::string task_id) const;
  // Looks so at all tasks that are open in the table; how many have ended.
  net::task<Result<std::size_t>> sweep() const;

  // Notes each result as it is announced, and sweeps at the start and after each gap in what was
  // heard. Until this task is asked to stop.
  static net::task<void> watch(std::shared_ptr<ForeignResults> results);

 private:
  // True if the row was open.
  net::task<Result<bool>> note(TaskResult result) const;
  net::task<Result<void>> note_announced(std::string text) const;
  net::task<void> listen(Subscription subscription) const;
  net::task<void> send_terminal_frame(persistence::TaskRow row) const;

  const std::shared_ptr<Broker> broker_;
  const std::shared_ptr<persistence::Database> database_;
  const std::shared_ptr<ProgressBus> progress_;
};

}  // namespace alphaswarm::tasks
