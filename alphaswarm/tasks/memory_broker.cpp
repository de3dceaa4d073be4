#include <deque>
#include <map>
#include <mutex>
#include <unordered_map>

#include <fmt/format.h>

#include "alphaswarm/tasks/broker.hpp"
#include "alphaswarm/tasks/message.hpp"

namespace alphaswarm::tasks {
namespace {

class MemoryBroker final : public Broker {
 public:
  explicit MemoryBroker(const MemoryBrokerOptions& options)
      : options_(options), state_(std::make_shared<State>()) {}

  net::task<Result<void>> push(std::string queue, int priority, std::string message) override {
    {
      const std::scoped_lock lock(state_->mutex);
      Queue& target = state_->queues[queue];
      if (target.size() >= options_.max_messages) {
        co_return fail(ErrorCode::resource_exhausted,
                       fmt::format("queue {} holds {} messages and takes no more until some are "
                                   "done; try again later",
                                   queue, options_.max_messages));
      }
      target.steps[priority_step(priority)].push_back(std::move(message));
      state_->arrived();
    }
    co_return Result<void>();
  }

  net::task<Result<std::vector<Delivery>>> take(std::vector<std::string> queues, std::size_t most,
                                                std::chrono::nanoseconds limit) override {
    const std::int64_t deadline = monotonic_ns() + limit.count();
    for (;;) {
      std::shared_ptr<net::AsyncEvent> arrival;
      {
        const std::scoped_lock lock(state_->mutex);
        std::vector<Delivery> taken;
        while (taken.size() < most) {
          auto delivery = state_->take(queues);
          if (!delivery) break;
          taken.push_back(std::move(*delivery));
        }
        if (!taken.empty()) co_return taken;
        arrival = state_->arrival;
      }
      const std::int64_t left = deadline - monotonic_ns();
      if (left <= 0) co_return std::vector<Delivery>();
      const auto woken = co_await arrival->wait_for(std::chrono::nanoseconds(left));
      if (!woken) co_return std::vector<Delivery>();
    }
  }

  net::task<Result<void>> acknowledge(const Delivery& delivery) override {
    const std::scoped_lock lock(state_->mutex);
    state_->unacknowledged.erase(delivery.tag);
    co_return Result<void>();
  }

  net::task<Result<void>> give_back(const Delivery& delivery) override {
    const std::scoped_lock lock(state_->mutex);
    const auto found = state_->unacknowledged.find(delivery.tag);
    if (found == state_->unacknowledged.end()) co_return Result<void>();
    const std::size_t step = found->second;
    state_->unacknowledged.erase(found);
    state_->queues[delivery.queue].steps[step].push_front(mark_redelivered(delivery.message));
    state_->arrived();
    co_return Result<void>();
  }

  net::task<Result<bool>> requeue(std::vector<Delivery> deliveries, NextTry next) override {
    const std::scoped_lock lock(state_->mutex);
    std::size_t lent = 0;
    for (const Delivery& each : deliveries) lent += state_->unacknowledged.erase(each.tag);
    if (lent == 0) co_return false;
    // Full or not: it takes the place of one that was accepted.
    state_->queues[next.queue].steps[priority_step(next.priority)].push_back(
        std::move(next.message));
    state_->arrived();
    co_return true;
  }

  std::unique_ptr<ConsumerRegistration> register_consumer(
      std::vector<std::string> queues) override {
    return std::make_unique<Registration>(state_, std::move(queues));
  }

  bool has_consumer(std::string_view queue) const override {
    const std::scoped_lock lock(state_->mutex);
    const auto found = state_->consumers.find(queue);
    return found != state_->consumers.end() && found->second > 0;
  }

  net::task<Result<std::size_t>> waiting(std::string queue) override {
    const std::scoped_lock lock(state_->mutex);
    const auto found = state_->queues.find(queue);
    co_return found == state_->queues.end() ? std::size_t{0} : found->second.size();
  }

  net::task<Result<std::size_t>> unacknowledged() override {
    const std::scoped_lock lock(state_->mutex);
    co_return state_->unacknowledged.size();
  }

  std::string_view system() const noexcept override { return "memory"; }

 private:
  struct Queue {
    std::array<std::deque<std::string>, kPrioritySteps.size()> steps;
    [[nodiscard]] std::size_t size() const {
      std::size_t total = 0;
      for (const auto& step : steps) total += step.size();
      return total;
    }
  };

  struct State {
    mutable std::mutex mutex;  // guards what follows
    std::map<std::string, Queue, std::less<>> queues;
    std::map<std::string, int, std::less<>> consumers;
    std::unordered_map<std::string, std::size_t> unacknowledged;  // tag to priority step
    std::uint64_t next_tag = 1;
    std::size_t turn = 0;
    // Set when something arrives and then replaced: a waiter holds the one it saw.
    std::shared_ptr<net::AsyncEvent> arrival = std::make_shared<net::AsyncEvent>();

    void arrived() {
      arrival->set();
      arrival = std::make_shared<net::AsyncEvent>();
    }

    std::optional<Delivery> take(const std::vector<std::string>& names) {
      const std::size_t first = names.empty() ? 0 : turn++ % names.size();
      for (std::size_t step = 0; step < kPrioritySteps.size(); ++step) {
        for (std::size_t i = 0; i < names.size(); ++i) {
          const std::string& name = names[(first + i) % names.size()];
          const auto found = queues.find(name);
          if (found == queues.end() || found->second.steps[step].empty()) continue;
          std::deque<std::string>& waiting = found->second.steps[step];
          Delivery delivery{std::move(waiting.front()), name, std::to_string(next_tag++)};
          waiting.pop_front();
          unacknowledged.emplace(delivery.tag, step);
          return delivery;
        }
      }
      return std::nullopt;
    }
  };

  class Registration final : public ConsumerRegistration {
   public:
    Registration(std::shared_ptr<State> state, std::vector<std::string> queues)
        : state_(std::move(state)), queues_(std::move(queues)) {
      const std::scoped_lock lock(state_->mutex);
      for (const std::string& queue : queues_) ++state_->consumers[queue];
    }
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;
    ~Registration() override {
      const std::scoped_lock lock(state_->mutex);
      for (const std::string& queue : queues_) --state_->consumers[queue];
    }

   private:
    std::shared_ptr<State> state_;
    std::vector<std::string> queues_;
  };

  const MemoryBrokerOptions options_;
  std::shared_ptr<State> state_;  // shared with registrations, which may outlive the broker
};

}  // namespace

std::shared_ptr<Broker> make_memory_broker(const MemoryBrokerOptions& options) {
  return std::make_shared<MemoryBroker>(options);
}

std::string_view no_worker_message() noexcept {
  return "the task queue memory:// works only within one process, and API and worker do not share "
         "this one: set ALPHASWARM_REDIS_URL=redis://host:6379/0 for both, or run `alphaswarm up`, "
         "which has both";
}

}  // namespace alphaswarm::tasks
