#include "alphaswarm/trading/paper/interrupts.hpp"

#include "alphaswarm/base/time.hpp"
#include "alphaswarm/tasks/progress.hpp"

namespace alphaswarm::trading::paper {

namespace {
constexpr std::chrono::seconds kTryAgainAfter(1);
constexpr std::chrono::seconds kLookForGapsEvery(1);
}  // namespace

void Interrupts::request_stop(std::string reason) {
  {
    const std::scoped_lock lock(mutex_);
    if (!stop_reason_) stop_reason_ = std::move(reason);
  }
  event_.set();
  stop_event_.set();
}

net::task<void> Interrupts::wait_for_stop(std::chrono::nanoseconds grace) {
  const Result<void> requested = co_await stop_event_.wait();
  if (requested) std::ignore = co_await net::sleep_for(grace);
}

void Interrupts::kill_switch_changed() {
  {
    const std::scoped_lock lock(mutex_);
    kill_switch_changed_ = true;
  }
  event_.set();
}

std::optional<std::string> Interrupts::stop_reason() const {
  const std::scoped_lock lock(mutex_);
  return stop_reason_;
}

bool Interrupts::take_kill_switch_change() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(kill_switch_changed_, false);
}

void Interrupts::bus_came_back() {
  {
    const std::scoped_lock lock(mutex_);
    bus_returned_ = true;
    kill_switch_changed_ = true;  // perhaps
  }
  event_.set();
}

bool Interrupts::take_bus_return() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(bus_returned_, false);
}

net::task<bool> Interrupts::wait_for(std::chrono::nanoseconds limit) {
  const Result<void> woken = co_await event_.wait_for(limit);
  // Reset before the caller looks: what comes after that sets it again.
  event_.reset();
  co_return woken || woken.error().code != ErrorCode::cancelled;
}

namespace {

enum class Heard : unsigned char { payload, gap, end };

// The next payload, or that some may have been lost, or that the subscription has ended.
net::task<Heard> listen(tasks::Subscription& subscription, std::uint64_t& gaps,
                        std::string& payload) {
  for (;;) {
    const std::int64_t from = monotonic_ns();
    std::optional<std::string> next = co_await subscription.next_for(kLookForGapsEvery);
    if (next) {
      payload = std::move(*next);
      co_return Heard::payload;
    }
    if (gaps != subscription.gaps()) {
      gaps = subscription.gaps();
      co_return Heard::gap;
    }
    const bool in_time = std::chrono::nanoseconds(monotonic_ns() - from) >= kLookForGapsEvery;
    if (!in_time || net::this_task_stop_token().stop_requested()) co_return Heard::end;
  }
}

// False: ask again.
net::task<bool> read_stop_key(tasks::Bus& bus, const std::string& key, Interrupts& interrupts) {
  const auto value = co_await bus.get(key);
  if (value && *value) interrupts.request_stop(**value);
  co_return value.has_value();
}

}  // namespace

net::task<void> watch_stop_signal(tasks::Bus& bus, std::string task_id, Interrupts& interrupts) {
  const std::string channel = tasks::stop_channel(task_id);
  for (;;) {
    Result<tasks::Subscription> subscription = co_await bus.subscribe(channel);
    if (subscription) {
      std::uint64_t gaps = subscription->gaps();
      bool asked = co_await read_stop_key(bus, channel, interrupts);
      std::string payload;
      while (asked) {
        const Heard heard = co_await listen(*subscription, gaps, payload);
        if (heard == Heard::end) break;
        if (heard == Heard::payload) interrupts.request_stop(std::move(payload));
        if (heard == Heard::gap) asked = co_await read_stop_key(bus, channel, interrupts);
      }
    }
    const Result<void> waited = co_await net::sleep_for(kTryAgainAfter);
    if (!waited) co_return;
  }
}

net::task<void> watch_kill_switch(tasks::Bus& bus, std::string channel, Interrupts& interrupts) {
  bool first = true;
  for (;;) {
    Result<tasks::Subscription> subscription = co_await bus.subscribe(channel);
    if (subscription) {
      std::uint64_t gaps = subscription->gaps();
      std::string payload;
      if (!std::exchange(first, false)) interrupts.bus_came_back();
      for (;;) {
        const Heard heard = co_await listen(*subscription, gaps, payload);
        if (heard == Heard::end) break;
        if (heard == Heard::payload) interrupts.kill_switch_changed();
        if (heard == Heard::gap) interrupts.bus_came_back();
      }
    } else {
      first = false;
    }
    const Result<void> waited = co_await net::sleep_for(kTryAgainAfter);
    if (!waited) co_return;
  }
}

}  // namespace alphaswarm::trading::paper
