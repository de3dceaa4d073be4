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
#include "alphaswarm/net/task.hpp"

namespace alphaswarm::tasks {

// Priorities are kept in four steps, rounded down; lowest number first.
inline constexpr std::array<int, 4> kPrioritySteps = {0, 3, 6, 9};

// A message lent to a consumer until it is acknowledged or given back.
struct Delivery {
  std::string message;  // the envelope, JSON
  std::string queue;
  std::uint64_t tag = 0;
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
  // The next message of these queues, lowest priority step first, queues in turn within a step;
  // nullopt when `limit` passes or this task is asked to stop.
  virtual net::task<Result<std::optional<Delivery>>> pop(std::vector<std::string> queues,
                                                         std::chrono::nanoseconds limit) = 0;
  virtual net::task<Result<void>> acknowledge(const Delivery& delivery) = 0;
  // Puts it back where it is popped next, marked as redelivered. Acknowledging it afterwards, or
  // giving it back again, does nothing.
  virtual net::task<Result<void>> give_back(const Delivery& delivery) = 0;

  [[nodiscard]] virtual std::unique_ptr<ConsumerRegistration> register_consumer(
      std::vector<std::string> queues) = 0;
  // False if it is certain that nobody takes messages of this queue: within one process, without a
  // worker in it.
  [[nodiscard]] virtual bool has_consumer(std::string_view queue) const = 0;

  [[nodiscard]] virtual std::size_t waiting(std::string_view queue) const = 0;
  [[nodiscard]] virtual std::size_t unacknowledged() const = 0;
  // For messaging.system: "memory", "redis".
  [[nodiscard]] virtual std::string_view system() const noexcept = 0;
};

struct MemoryBrokerOptions {
  std::size_t max_messages = 100'000;  // waiting in one queue
};

[[nodiscard]] std::shared_ptr<Broker> make_memory_broker(const MemoryBrokerOptions& options = {});

// Why tasks cannot run on memory:// here; one sentence, for the API's 503 and for `worker`.
[[nodiscard]] std::string_view no_worker_message() noexcept;

}  // namespace alphaswarm::tasks
