#include "alphaswarm/trading/paper/interrupts.hpp"

#include "alphaswarm/tasks/listen.hpp"
#include "alphaswarm/tasks/progress.hpp"

namespace alphaswarm::trading::paper {

namespace {
constexpr std::chrono::seconds kTryAgainAfter(1);
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

// False: ask again.
net::task<bool> read_stop_key(tasks::Bus& bus, const std::string& key, Interrupts& interrupts) {
  const auto value = co_await bus.get(key);
  if (value && *value) interrupts.request_stop(**value);
  co_return value.has_value();
}

}  // namespace

net::task<void> look_for_stop(tasks::Bus& bus, std::string task_id, Interrupts& interrupts) {
  const std::string key = tasks::stop_channel(task_id);
  std::ignore = co_await read_stop_key(bus, key, interrupts);
}

net::task<void> watch_stop_signal(tasks::Bus& bus, std::string task_id, Interrupts& interrupts) {
  const std::string channel = tasks::stop_channel(task_id);
  for (;;) {
    Result<tasks::Subscription> subscription = co_await bus.subscribe(channel);
    if (subscription) {
      std::uint64_t gaps = subscription->gaps();
      bool asked = co_await read_stop_key(bus, channel, interrupts);
      std::string payload;
      while (asked) {
        const tasks::Heard heard = co_await tasks::listen(*subscription, gaps, payload);
        if (heard == tasks::Heard::end) break;
        if (heard == tasks::Heard::payload) interrupts.request_stop(std::move(payload));
        if (heard == tasks::Heard::gap) asked = co_await read_stop_key(bus, channel, interrupts);
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
        const tasks::Heard heard = co_await tasks::listen(*subscription, gaps, payload);
        if (heard == tasks::Heard::end) break;
        if (heard == tasks::Heard::payload) interrupts.kill_switch_changed();
        if (heard == tasks::Heard::gap) interrupts.bus_came_back();
      }
    } else {
      first = false;
    }
    const Result<void> waited = co_await net::sleep_for(kTryAgainAfter);
    if (!waited) co_return;
  }
}

}  // namespace alphaswarm::trading::paper
