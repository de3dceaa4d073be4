#include "alphaswarm/trading/paper/interrupts.hpp"

#include "alphaswarm/tasks/progress.hpp"

namespace alphaswarm::trading::paper {

namespace {
constexpr std::chrono::seconds kTryAgainAfter(1);
}

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

net::task<bool> Interrupts::wait_for(std::chrono::nanoseconds limit) {
  const Result<void> woken = co_await event_.wait_for(limit);
  // Reset before the caller looks: what comes after that sets it again.
  event_.reset();
  co_return woken || woken.error().code != ErrorCode::cancelled;
}

net::task<void> watch_stop_signal(tasks::Bus& bus, std::string task_id, Interrupts& interrupts) {
  const std::string channel = tasks::stop_channel(task_id);
  for (;;) {
    Result<tasks::Subscription> subscription = co_await bus.subscribe(channel);
    if (subscription) {
      const auto key = co_await bus.get(channel);
      if (key && *key) interrupts.request_stop(**key);
      while (auto reason = co_await subscription->next()) {
        interrupts.request_stop(std::move(*reason));
      }
    }
    const Result<void> waited = co_await net::sleep_for(kTryAgainAfter);
    if (!waited) co_return;
  }
}

net::task<void> watch_kill_switch(tasks::Bus& bus, std::string channel, Interrupts& interrupts) {
  for (;;) {
    Result<tasks::Subscription> subscription = co_await bus.subscribe(channel);
    if (subscription) {
      while (co_await subscription->next()) interrupts.kill_switch_changed();
    }
    const Result<void> waited = co_await net::sleep_for(kTryAgainAfter);
    if (!waited) co_return;
  }
}

}  // namespace alphaswarm::trading::paper
