#pragma once

// Runs tasks.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "alphaswarm/net/task.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/persistence/database.hpp"
#include "alphaswarm/tasks/broker.hpp"
#include "alphaswarm/tasks/bus.hpp"
#include "alphaswarm/tasks/progress.hpp"

namespace alphaswarm::tasks {

// What a task's function gets; lives until it returns.
struct TaskContext {
  std::string id;
  std::string name;
  std::string queue;
  boost::json::array args;
  boost::json::object kwargs;
  std::int64_t retries = 0;  // 0 on the first attempt
  bool redelivered = false;  // a worker had it before and did not finish
  std::stop_token stop;      // the worker is stopping; also this_task_stop_token()
  ProgressBus& progress;

  // The argument of that name, by keyword or else by position; null if absent.
  [[nodiscard]] const boost::json::value* argument(std::string_view name,
                                                   std::size_t position) const;
};

// Its value is the task's result, its error the FAILURE (or, if retryable, a reason to retry). A
// function that is asked to stop either ends its work in order and returns a value, or returns
// ErrorCode::cancelled: then the message goes back to the queue, for another worker to go on.
using TaskFunction = std::function<net::task<Result<boost::json::value>>(TaskContext&)>;

struct TaskOptions {
  std::int64_t max_retries = 0;                  // of errors that say they are retryable
  std::chrono::milliseconds first_backoff{500};  // doubles with each retry, with up to 20 % jitter
  std::chrono::milliseconds longest_backoff{60'000};
  bool ignore_result = false;  // where the message does not say: no result is stored for clients
};

struct WorkerConfig {
  std::vector<std::string> queues = {"default", "backtest", "paper", "ingestion"};
  unsigned concurrency = 4;  // tasks at a time
  // Messages held for each of those, the running one included. 1 leaves all others to workers that
  // are free: right for long tasks. More saves round trips for short ones.
  unsigned prefetch = 1;
  std::size_t max_scheduled = 10'000;  // held beside those until their time (eta)
  bool track_started = true;           // store the state STARTED
  // For a task that another worker seems to have: unless that one says so by then, it is lost.
  std::chrono::milliseconds claim_grace = kClaimGrace;
  std::string hostname{};  // empty: "celery@<host name>"
  // Of the run/… spans; null: the process default. MUST outlive the worker.
  observability::TracerProvider* provider = nullptr;
};

enum class TaskPhase : std::uint8_t { reserved, scheduled, active };

// A task a worker holds, for those who ask from outside.
struct TaskInfo {
  std::string id;
  std::string name;
  std::string queue;
  boost::json::array args;
  boost::json::object kwargs;
  int priority = 0;
  bool redelivered = false;
  TaskPhase phase = TaskPhase::reserved;
  UnixNanos since;  // when this phase began
  std::optional<UnixNanos> eta;
};

// Takes messages, runs them on a runtime, stores results, acknowledges late: a message is gone only
// when its result is stored. A message of a task that has ended is acknowledged unrun; one of a try
// that another worker has started, unless it was redelivered, waits for a word of that worker
// (Broker::leave). Unknown tasks end as FAILURE
// (NotRegistered), exceptions and errors as FAILURE; each task gets exactly one terminal progress
// frame. The runtime, database and progress bus MUST outlive the worker and what it runs (stop the
// runtime first if a task ignores the request to stop).
class Worker {
 public:
  // `database` may be null: then nothing is written to table tasks.
  Worker(net::Runtime& runtime, std::shared_ptr<Broker> broker, std::shared_ptr<Bus> bus,
         std::shared_ptr<persistence::Database> database, std::shared_ptr<ProgressBus> progress,
         WorkerConfig config);
  ~Worker();  // stop() with a grace of 100 ms
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Before start().
  void register_task(std::string name, TaskFunction function, TaskOptions options = {});
  void start();
  // Takes no more messages, asks running tasks to stop, waits up to `grace` for them; what is then
  // unfinished goes back to its queue. From outside the runtime's threads. True if all had ended.
  bool stop(std::chrono::milliseconds grace);

  [[nodiscard]] std::size_t running() const;
  [[nodiscard]] std::uint64_t finished() const;  // with any terminal state
  [[nodiscard]] const std::string& hostname() const;

  [[nodiscard]] const WorkerConfig& config() const;
  [[nodiscard]] std::vector<std::string> registered() const;  // by name
  [[nodiscard]] std::vector<TaskInfo> tasks() const;
  [[nodiscard]] std::map<std::string, std::uint64_t> totals() const;  // taken so far, by task
  // The task ends as REVOKED instead of being run; with `terminate` one that runs is asked to stop
  // and ends so too. Also for tasks that arrive later; the last 50,000 ids are remembered.
  void revoke(std::string id, bool terminate);
  [[nodiscard]] std::vector<std::string> revoked() const;
  // What happens to tasks, in Celery's words (task-received, …), for one reader; the oldest go when
  // it is too slow. Only while switched on.
  void enable_events(bool on);
  [[nodiscard]] net::task<std::optional<boost::json::object>> next_event();
  [[nodiscard]] std::optional<boost::json::object> try_next_event();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // shared with the tasks it runs
};

}  // namespace alphaswarm::tasks
