#pragma once

// Where tasks are sent from.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "alphaswarm/net/task.hpp"
#include "alphaswarm/persistence/database.hpp"
#include "alphaswarm/tasks/broker.hpp"
#include "alphaswarm/tasks/bus.hpp"
#include "alphaswarm/tasks/message.hpp"
#include "alphaswarm/tasks/task_result.hpp"

namespace alphaswarm::tasks {

struct ApplyOptions {
  std::string queue = "default";
  std::string task_id{};  // empty: a new UUID
  int priority = 0;       // 0 to 9, lowest first
  std::optional<UnixNanos> eta{};
  std::optional<UnixNanos> expires{};
  bool ignore_result = false;  // it is kept in table tasks only
};

// Thread-safe. The parts are shared with workers and the progress bus, which may end in any order.
class TaskQueue {
 public:
  // `database` may be null: then there is no row in table tasks.
  TaskQueue(std::shared_ptr<Broker> broker, std::shared_ptr<Bus> bus,
            std::shared_ptr<persistence::Database> database);

  // Sends a task and gives its id. Opens `apply_async/{task}` (PRODUCER), the parent of the
  // worker's span, and writes the row of table tasks first, so that an id that was given out is
  // always known. ErrorCode::unavailable with no_worker_message() if nobody could ever take it.
  net::task<Result<std::string>> apply_async(std::string task_name, boost::json::array args,
                                             boost::json::object kwargs, ApplyOptions options = {});

  // The stored result; PENDING for a task that is known and waits; nullopt for an unknown id.
  net::task<Result<std::optional<TaskResult>>> result(std::string task_id);
  // Waits for a terminal state; deadline_exceeded after `limit`, cancelled when asked to stop. A
  // result is found though its announcement was lost, five seconds later at most.
  net::task<Result<TaskResult>> wait(std::string task_id, std::chrono::nanoseconds limit);

  // See Broker::revoke().
  net::task<Result<void>> revoke(std::string task_id) {
    return broker_->revoke(std::move(task_id));
  }

 private:
  net::task<Result<std::string>> send(TaskMessage message);

  std::shared_ptr<Broker> broker_;
  std::shared_ptr<Bus> bus_;
  std::shared_ptr<persistence::Database> database_;
};

}  // namespace alphaswarm::tasks
