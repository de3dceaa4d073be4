#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "alphaswarm/persistence/task_repository.hpp"
#include "alphaswarm/tasks/message.hpp"
#include "alphaswarm/tasks/task_result.hpp"
#include "alphaswarm/tasks/worker.hpp"

namespace alphaswarm::tasks {

// One task (dispatch) takes messages and forks a handler for each; it needs one of `places_` to
// take one, so that it holds no more than can soon run. A handler runs its task in one of `slots_`;
// one that waits for its time (eta) holds neither. Kept alive by each of them.
class Worker::Impl : public std::enable_shared_from_this<Worker::Impl> {
 public:
  Impl(net::Runtime& runtime, std::shared_ptr<Broker> broker, std::shared_ptr<Bus> bus,
       std::shared_ptr<persistence::Database> database, std::shared_ptr<ProgressBus> progress,
       WorkerConfig config);

  void register_task(std::string name, TaskFunction function, TaskOptions options);
  void start();
  bool stop(std::chrono::milliseconds grace);
  [[nodiscard]] std::size_t running() const;
  [[nodiscard]] std::uint64_t finished() const;
  [[nodiscard]] const std::string& hostname() const { return config_.hostname; }
  [[nodiscard]] const WorkerConfig& config() const { return config_; }
  [[nodiscard]] std::vector<std::string> registered() const;
  [[nodiscard]] std::vector<TaskInfo> tasks() const;
  [[nodiscard]] std::map<std::string, std::uint64_t> totals() const;
  void revoke(std::string id, bool terminate);
  [[nodiscard]] std::vector<std::string> revoked() const;
  // The atomic flag orders nothing: an event more or less at the switch is no matter.
  void enable_events(bool on) { events_on_.store(on, std::memory_order_relaxed); }
  net::Channel<boost::json::object>& events() { return events_; }

 private:
  struct Registered {
    TaskFunction function;
    TaskOptions options;
  };
  struct Slot {};
  // How an attempt ended.
  struct Outcome {
    std::string_view status;       // SUCCESS, FAILURE or RETRY; empty: give the message back
    boost::json::value result;     // of SUCCESS
    std::optional<Error> error;    // else
    std::string exception_type{};  // what a Python client sees
    std::string exception_module{};
  };
  enum class Settlement : unsigned char { acknowledge, give_back, leave, settled };
  class SlotGuard;
  class Handling;

  // Keeps the worker alive from before `work` runs for the first time until it has ended.
  [[nodiscard]] static net::task<void> keeping(std::shared_ptr<Impl> self, net::task<void> work);
  [[nodiscard]] net::task<void> dispatch();
  // Tells the broker, until stopped, which messages are still worked on.
  [[nodiscard]] net::task<void> keep_deliveries();
  void begin_handling(Delivery delivery);
  [[nodiscard]] bool is_revoked(const std::string& id) const;
  void note(const std::string& tag, const TaskMessage& message);
  void enter_phase(const std::string& tag, TaskPhase phase);
  void event(std::string_view type, const std::string& id, boost::json::object more = {});
  void received_event(const TaskMessage& message);
  void ended_event(const Outcome& outcome, const std::string& id, double runtime);
  [[nodiscard]] net::task<void> handle(Delivery delivery, std::stop_source stop);
  // False if stopped meanwhile.
  [[nodiscard]] net::task<bool> wait_until(UnixNanos due);
  // What clients see of a task that has ended; nullopt also if that cannot be read now.
  [[nodiscard]] net::task<std::optional<TaskResult>> stored_result(const std::string& id);
  // The stored terminal result of a message that was delivered before.
  [[nodiscard]] net::task<std::optional<TaskResult>> earlier_result(const TaskMessage& message);
  // What to do with the message.
  [[nodiscard]] net::task<Settlement> run(TaskMessage message, std::stop_source stop,
                                          Handling& handling);
  // Runs it within its time limits.
  [[nodiscard]] net::task<Outcome> attempt(const TaskMessage& message, std::stop_source stop,
                                           observability::Span& span);
  [[nodiscard]] net::task<Outcome> call(const TaskMessage& message, std::stop_source stop,
                                        observability::Span& span);
  // Sends what is to follow it (canvas.hpp) and ends what never will be run. Before its own end is
  // stored: after a crash in between it is done again, with the same ids. Each has its row before
  // its message is sent, so that a message that is lost is sent again from there. False if the
  // broker cannot be reached before a stop.
  [[nodiscard]] net::task<bool> send_followers(const TaskMessage& message, const Outcome& outcome);
  [[nodiscard]] std::set<std::string> note_followers(const std::vector<TaskMessage>& followers);
  [[nodiscard]] net::task<bool> send_follower(TaskMessage& follower);
  // Its row, if it has one and this predecessor has made it.
  [[nodiscard]] net::task<void> end_unsent(const TaskMessage& follower, std::string why);
  [[nodiscard]] net::task<void> end_abandoned(const TaskMessage& message, const Outcome& outcome);
  // Queues the next try in the place of the message. Nullopt if that is refused: then this was the
  // last one. While the broker cannot be reached it waits, until a stop.
  [[nodiscard]] net::task<std::optional<Settlement>> retry(const TaskMessage& message,
                                                           const Outcome& outcome,
                                                           Handling& handling);
  [[nodiscard]] net::task<std::optional<Settlement>> requeue(std::string id, NextTry next,
                                                             observability::Span& span,
                                                             Handling& handling);
  // What is to be run in the place of a message whose try is over, by its row.
  [[nodiscard]] static TaskMessage next_try_of(const TaskMessage& message,
                                               const persistence::TaskRow& row);
  [[nodiscard]] net::task<Settlement> finish(const TaskMessage& message, Outcome outcome,
                                             Handling& handling);
  // Stores the result and acknowledges; false if the broker cannot be reached before a stop.
  [[nodiscard]] net::task<bool> finish_at_broker(TaskResult result, bool wanted,
                                                 Handling& handling);
  // For a task that somebody else has ended: its result is stored where clients have none.
  [[nodiscard]] net::task<Settlement> settle_ended(const TaskMessage& message, TaskResult ended,
                                                   Handling& handling);
  // Ends the message according to the outcome of its handling.
  [[nodiscard]] net::task<void> settle(Settlement settlement, Handling& handling);
  // What was left to others and is not with them goes back to its queue in time.
  void restore_left();
  [[nodiscard]] net::task<void> restore_after_grace();
  // What is left to do if the task is not to be run: it has ended, or another worker has it, or
  // should have its next try.
  struct NotToRun {
    std::optional<TaskResult> ended;
    std::optional<TaskMessage> next_try;
  };
  [[nodiscard]] net::task<std::optional<NotToRun>> note_started(const TaskMessage& message);
  // By the table.
  [[nodiscard]] std::optional<NotToRun> start_in_table(const TaskMessage& message);
  [[nodiscard]] std::optional<TaskResult> ended_in_table(const std::string& id) const;
  // Whether asking again may help.
  [[nodiscard]] static bool passes(const Error& error);
  [[nodiscard]] bool is_stopping() const;
  // Whether a client may ask for it.
  [[nodiscard]] bool wants_result(const TaskMessage& message) const;
  [[nodiscard]] net::task<Result<void>> store(TaskResult result);
  [[nodiscard]] Outcome outcome_of(const TaskMessage& message, Result<boost::json::value> result,
                                   const TaskOptions& options) const;
  void give_back_unfinished();

  net::Runtime& runtime_;
  const std::shared_ptr<Broker> broker_;
  const std::shared_ptr<Bus> bus_;
  const std::shared_ptr<persistence::Database> database_;
  const std::shared_ptr<ProgressBus> progress_;
  const WorkerConfig config_;
  std::map<std::string, Registered, std::less<>> functions_;  // fixed once started
  net::Channel<Slot> places_;
  net::Channel<Slot> slots_;
  net::Channel<boost::json::object> events_{10'000};
  std::atomic<bool> events_on_{false};
  std::stop_source dispatch_stop_;
  std::stop_source keep_stop_;
  std::unique_ptr<ConsumerRegistration> registration_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable idle_;
  bool dispatching_ = false;
  bool stopping_ = false;
  struct Handler {
    Delivery delivery;
    std::stop_source stop;
    std::optional<TaskInfo> info{};  // once its message is read
  };
  std::map<std::string, std::uint64_t> totals_;
  std::map<std::string, bool, std::less<>> revoked_;           // by id; true: terminate
  std::deque<std::string> revoked_order_;                      // oldest first
  std::map<std::string, Handler, std::less<>> handlers_;       // by delivery tag
  std::map<std::string, Handling*, std::less<>> running_ids_;  // by task id
  std::size_t scheduled_ = 0;                                  // that wait for their time
  bool restoring_ = false;                                     // restore_after_grace() runs
  bool left_more_ = false;                                     // since it began to wait
  std::uint64_t finished_ = 0;
};

// Holds one slot of a channel, or none.
class Worker::Impl::SlotGuard {
 public:
  explicit SlotGuard(net::Channel<Slot>& slots) : slots_(slots) {}
  SlotGuard(const SlotGuard&) = delete;
  SlotGuard& operator=(const SlotGuard&) = delete;
  ~SlotGuard() { release(); }
  // False if this task is asked to stop first.
  net::task<bool> take() {
    held_ = (co_await slots_.pop()).has_value();
    co_return held_;
  }
  void adopt() { held_ = true; }
  void hand_over() { held_ = false; }
  void release() {
    // The channel has room for every slot, so this never fails.
    if (std::exchange(held_, false)) (void)slots_.try_push(Slot{});
  }

 private:
  net::Channel<Slot>& slots_;
  bool held_ = false;
};

// A message in hand: noted when made, forgotten when destroyed.
class Worker::Impl::Handling {
 public:
  Handling(Impl& worker, Delivery delivery)
      : worker_(worker),
        tag_(delivery.tag),
        deliveries_{std::move(delivery)},
        place_(worker.places_),
        slot_(worker.slots_) {
    place_.adopt();  // what dispatch() has handed over
  }
  Handling(const Handling&) = delete;
  Handling& operator=(const Handling&) = delete;
  ~Handling() {
    {
      const std::scoped_lock lock(worker_.mutex_);
      worker_.handlers_.erase(tag_);
      if (!id_.empty()) worker_.running_ids_.erase(id_);
    }
    worker_.idle_.notify_all();
  }
  // False if a task of this id is running already: then it has this message too, and settles both.
  // That happens when the broker has lent the message again although its task still runs.
  bool claim(const std::string& id) {
    const std::scoped_lock lock(worker_.mutex_);
    for (Delivery& delivery : deliveries_) delivery.task_id = id;
    const auto [running, inserted] = worker_.running_ids_.emplace(id, this);
    if (inserted) {
      id_ = id;
      return true;
    }
    for (Delivery& delivery : deliveries_) {
      running->second->deliveries_.push_back(std::move(delivery));
    }
    deliveries_.clear();
    return false;
  }
  // Takes the messages out; the id may be claimed again, by its own retry.
  std::vector<Delivery> leave_claim() {
    const std::scoped_lock lock(worker_.mutex_);
    if (!id_.empty()) worker_.running_ids_.erase(id_);
    id_.clear();
    return std::exchange(deliveries_, {});
  }
  // For who gets the messages next.
  void replace_message(const std::string& message) {
    const std::scoped_lock lock(worker_.mutex_);
    for (Delivery& delivery : deliveries_) delivery.message = message;
  }
  [[nodiscard]] const std::string& tag() const { return tag_; }
  [[nodiscard]] SlotGuard& place() { return place_; }
  [[nodiscard]] SlotGuard& slot() { return slot_; }
  // The work is over: what is left, telling the broker, may overlap with the next tasks.
  void release_slots() {
    slot_.release();
    place_.release();
  }
  // Takes the messages out; none if another handling has them, or they are settled. With none left
  // the claim ends: a message of this id that comes now is handled for itself, and not given to
  // who will not look again.
  std::vector<Delivery> take_deliveries() {
    const std::scoped_lock lock(worker_.mutex_);
    if (deliveries_.empty() && !id_.empty()) {
      worker_.running_ids_.erase(id_);
      id_.clear();
    }
    return std::exchange(deliveries_, {});
  }
  void put_back(std::vector<Delivery> deliveries) {
    const std::scoped_lock lock(worker_.mutex_);
    for (Delivery& delivery : deliveries) deliveries_.push_back(std::move(delivery));
  }
  // Under the worker's mutex.
  [[nodiscard]] const std::vector<Delivery>& deliveries() const { return deliveries_; }

 private:
  Impl& worker_;
  const std::string tag_;
  std::string id_;  // guarded by the worker's mutex, like what follows
  std::vector<Delivery> deliveries_;
  SlotGuard place_;
  SlotGuard slot_;
};

}  // namespace alphaswarm::tasks
