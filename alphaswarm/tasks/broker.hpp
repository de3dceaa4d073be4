#pragma once

// Queues of task messages, in Celery's envelope (message.hpp), as kombu keeps them on Redis.

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/base/time.hpp"
#include "alphaswarm/net/task.hpp"
#include "alphaswarm/tasks/bus.hpp"

namespace alphaswarm::tasks {

// Priorities are kept in four steps, rounded down; lowest number first.
inline constexpr std::array<int, 4> kPrioritySteps = {0, 3, 6, 9};

// In which a worker that has a task says so, though the broker does not know of it.
inline constexpr std::chrono::milliseconds kClaimGrace{15'000};

// A message lent to a consumer until it is acknowledged or given back.
struct Delivery {
  std::string message;  // the envelope, JSON
  std::string queue;
  std::string tag;  // the broker's name of this loan, never used again
  // The task's, once who has the message knows it: a broker that has forgotten the loan may find it
  // again by this.
  std::string task_id{};
};

// What a result backend keeps of an ended task.
struct StoredResult {
  std::string key;
  std::string text;
  std::chrono::seconds time_to_live{};
};

// The next try of a task whose message is in hand.
struct NextTry {
  std::string queue;
  int priority = 0;
  std::string message;
  StoredResult state{};  // published with it; without a key: none
};

// The other side has started again with what it had at an earlier time: what was sent after `since`
// may be lost. Nothing that was sent after `until` is.
struct Setback {
  std::string run;  // the broker's name of it
  UnixNanos since;
  UnixNanos until;
  std::string owner;  // the caller's right to see to it
};

// While it lives, this process takes messages from the queues it was made for.
class ConsumerRegistration {
 public:
  virtual ~ConsumerRegistration() = default;
};

// Thread-safe. Delivery is at least once: a message is gone only when acknowledged.
class Broker {
 public:
  virtual ~Broker() = default;

  // resource_exhausted when the queue is full, unavailable while the other side is away.
  virtual net::task<Result<void>> push(std::string queue, int priority, std::string message) = 0;
  // Up to `most` of the next messages of these queues, lowest priority step first, queues in turn
  // within a step; as soon as there is one. None when `limit` passes or this task is asked to stop.
  virtual net::task<Result<std::vector<Delivery>>> take(std::vector<std::string> queues,
                                                        std::size_t most,
                                                        std::chrono::nanoseconds limit) = 0;
  // The same for one.
  net::task<Result<std::optional<Delivery>>> pop(std::vector<std::string> queues,
                                                 std::chrono::nanoseconds limit);
  virtual net::task<Result<void>> acknowledge(const Delivery& delivery) = 0;
  // Puts it back where it is popped next, marked as redelivered. Acknowledging it afterwards, or
  // giving it back again, does nothing.
  virtual net::task<Result<void>> give_back(const Delivery& delivery) = 0;

  // Queues the next try in the place of these messages of one task, in one step, and stores its
  // state where results are kept. False, and nothing is done, if none of them is lent any more.
  // After a failure it may be asked again.
  virtual net::task<Result<bool>> requeue(std::vector<Delivery> deliveries, NextTry next) = 0;

  // For a task that another is seen to work on. Where loans can be forgotten: the message is noted
  // as presume_lent() does, in the place of this loan, and is lent again unless that one says
  // within `grace` that it has the task. Else it is acknowledged.
  virtual net::task<Result<void>> leave(const Delivery& delivery, std::chrono::nanoseconds grace);

  // Asks all workers there are, whoever wrote them, not to begin this task. Who runs it goes on,
  // and one that starts later does not know. Within one process there is nobody to ask.
  virtual net::task<Result<void>> revoke(std::string task_id);

  [[nodiscard]] virtual std::unique_ptr<ConsumerRegistration> register_consumer(
      std::vector<std::string> queues) = 0;
  // False if it is certain that nobody takes messages of this queue: within one process, without a
  // worker in it.
  [[nodiscard]] virtual bool has_consumer(std::string_view queue) const = 0;

  // Tells that these are still worked on, so that they are not lent to another. Call it well within
  // lease() of taking them; a broker without a lease has nothing to do.
  virtual net::task<Result<void>> keep(std::vector<Delivery> deliveries);
  // How long a message may stay unacknowledged before it is lent again; zero: for ever.
  [[nodiscard]] virtual std::chrono::nanoseconds lease() const noexcept { return {}; }

  // True if results are stored here: then finish() takes the place of acknowledge(), and
  // find_result() that of the bus.
  [[nodiscard]] virtual bool keeps_results() const noexcept { return false; }
  // Stores and publishes the result and acknowledges the message in one step, if the message is
  // still lent to the caller. False, and nothing is stored, if it is not: whoever has it now
  // stores.
  virtual net::task<Result<bool>> finish(const Delivery& delivery, StoredResult result);
  // Stores and publishes a state that is not the last.
  virtual net::task<Result<void>> store(StoredResult result);
  virtual net::task<Result<std::optional<std::string>>> find_result(std::string key);
  // Every state and result that is stored from now on, by whomever. `unimplemented` where
  // keeps_results() is false.
  virtual net::task<Result<Subscription>> subscribe_results();

  // For a broker whose other side may come back empty. True for one caller each time that has
  // happened: it calls presume_lent() with all that should be there, and then remember(). If it
  // does not within half a minute, another is told.
  virtual net::task<Result<bool>> has_forgotten();
  // Notes messages (with their task_id) as lent to somebody unknown. Whoever has such a task tells
  // so by keep() within `grace`; the others go back to their queues by restore().
  virtual net::task<Result<void>> presume_lent(std::vector<Delivery> messages,
                                               std::chrono::nanoseconds grace);
  virtual net::task<Result<void>> remember();
  // For a broker whose other side may come back with what it had some time ago. To be asked every
  // few seconds: what was there when it was last asked is what is certain. Told to one caller each
  // time, once `settled` has passed since it was noticed (by then all that was being sent has
  // arrived or failed); if that one does not call presume_lent_if_missing() within half a minute,
  // to another.
  virtual net::task<Result<std::optional<Setback>>> find_setback(std::chrono::nanoseconds settled);
  // presume_lent() for those that neither wait nor are lent nor have a result; how many. `conflict`
  // if another was told of the setback since: then that one sees to it.
  virtual net::task<Result<std::size_t>> presume_lent_if_missing(std::vector<Delivery> messages,
                                                                 std::chrono::nanoseconds grace,
                                                                 Setback setback);
  // Puts back what was lent and neither acknowledged nor kept for too long, and gives how many; a
  // broker with a consumer does so by itself from time to time.
  virtual net::task<Result<std::size_t>> restore();

  virtual net::task<Result<std::size_t>> waiting(std::string queue) = 0;
  virtual net::task<Result<std::size_t>> unacknowledged() = 0;
  // For messaging.system: "memory", "redis".
  [[nodiscard]] virtual std::string_view system() const noexcept = 0;
};

// The index in kPrioritySteps of a priority.
[[nodiscard]] std::size_t priority_step(int priority) noexcept;

struct MemoryBrokerOptions {
  std::size_t max_messages = 100'000;  // waiting in one queue
};

[[nodiscard]] std::shared_ptr<Broker> make_memory_broker(const MemoryBrokerOptions& options = {});

// Why tasks cannot run on memory:// here; one sentence, for the API's 503 and for `worker`.
[[nodiscard]] std::string_view no_worker_message() noexcept;

}  // namespace alphaswarm::tasks
