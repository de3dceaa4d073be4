#pragma once

// Publish/subscribe and keys with a time to live, as Redis has them: within the process, or there.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/net/task.hpp"

namespace alphaswarm::tasks {

// Where a subscription's payloads come from; ends the subscription when destroyed.
class SubscriptionSource {
 public:
  virtual ~SubscriptionSource() = default;
  // `limit` nullopt: none.
  virtual net::task<std::optional<std::string>> next(
      std::optional<std::chrono::nanoseconds> limit) = 0;
  [[nodiscard]] virtual std::uint64_t dropped() const noexcept = 0;
  [[nodiscard]] virtual std::uint64_t gaps() const noexcept = 0;
};

// What arrives on a channel from when subscribe() returned. Bounded: a reader that is too slow
// loses the oldest payloads, which are counted. Unsubscribes when destroyed. Move-only; used by
// one task at a time.
class Subscription {
 public:
  explicit Subscription(std::unique_ptr<SubscriptionSource> source) noexcept
      : source_(std::move(source)) {}

  // The next payload; nullopt when the bus closes or this task is asked to stop.
  [[nodiscard]] net::task<std::optional<std::string>> next() { return source_->next({}); }
  // Also nullopt when `limit` passes first.
  [[nodiscard]] net::task<std::optional<std::string>> next_for(std::chrono::nanoseconds limit) {
    return source_->next(limit);
  }
  // Payloads lost so far because nobody read them in time.
  [[nodiscard]] std::uint64_t dropped() const noexcept { return source_->dropped(); }
  // How often the other side was away, each time with payloads lost, perhaps. Counted once it is
  // back and listened to again: what is looked up now is not missed. Never within the process.
  [[nodiscard]] std::uint64_t gaps() const noexcept { return source_->gaps(); }

 private:
  std::unique_ptr<SubscriptionSource> source_;
};

// Thread-safe. Delivery is at most once and only to those subscribed at that moment; payloads of
// one publisher on one channel keep their order. Failures are ErrorCode::unavailable while the
// other side is away (never within the process).
class Bus {
 public:
  virtual ~Bus() = default;

  virtual net::task<Result<void>> publish(std::string channel, std::string payload) = 0;
  // What is published after this returns is received.
  virtual net::task<Result<Subscription>> subscribe(std::string channel) = 0;

  virtual net::task<Result<void>> set(std::string key, std::string value,
                                      std::optional<std::chrono::seconds> time_to_live) = 0;
  virtual net::task<Result<std::optional<std::string>>> get(std::string key) = 0;
  // True if the key was there.
  virtual net::task<Result<bool>> del(std::string key) = 0;
};

struct MemoryBusOptions {
  std::size_t mailbox_capacity = 1024;  // payloads waiting for one subscriber
  std::size_t max_keys = 200'000;       // beyond it, those closest to their end of life go first
};

[[nodiscard]] std::shared_ptr<Bus> make_memory_bus(const MemoryBusOptions& options = {});

}  // namespace alphaswarm::tasks
