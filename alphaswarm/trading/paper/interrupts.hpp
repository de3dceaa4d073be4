#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>

#include "alphaswarm/net/task.hpp"
#include "alphaswarm/tasks/bus.hpp"
#include "alphaswarm/trading/kill_switch/kill_switch.hpp"

namespace alphaswarm::trading::paper {

// What may reach a session from outside while it works or waits. Watchers write, the session reads.
// Thread-safe.
class Interrupts {
 public:
  void request_stop(std::string reason);  // the first reason stays
  void kill_switch_changed();
  // The bus was away and is back: what it held and what was said meanwhile may be lost.
  void bus_came_back();

  [[nodiscard]] std::optional<std::string> stop_reason() const;
  // Something else that a waiting session should look at.
  void wake() { event_.set(); }
  // True once after the kill switch was engaged.
  [[nodiscard]] bool take_kill_switch_change();
  // True once after the bus came back.
  [[nodiscard]] bool take_bus_return();
  // Until something happens or `limit` passes. False if this task was asked to stop.
  net::task<bool> wait_for(std::chrono::nanoseconds limit);
  // Until `grace` after the request to stop, or until this task is asked to stop.
  net::task<void> wait_for_stop(std::chrono::nanoseconds grace);

 private:
  mutable std::mutex mutex_;
  std::optional<std::string> stop_reason_;
  bool kill_switch_changed_ = false;
  bool bus_returned_ = false;
  net::AsyncEvent event_;
  net::AsyncEvent stop_event_;
};

// Whether a stop was asked for in the last minute, by the key alone.
net::task<void> look_for_stop(tasks::Bus& bus, std::string task_id, Interrupts& interrupts);

// Both run until they are asked to stop, whatever happens to the bus: while it is away they try
// again every second.
// Subscribes to the stop channel first and reads the key after, and again after each gap of the
// subscription, so that no signal is missed.
net::task<void> watch_stop_signal(tasks::Bus& bus, std::string task_id, Interrupts& interrupts);
net::task<void> watch_kill_switch(tasks::Bus& bus, std::string channel, Interrupts& interrupts);

}  // namespace alphaswarm::trading::paper
