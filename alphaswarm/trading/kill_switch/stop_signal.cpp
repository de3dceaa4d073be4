#include "alphaswarm/trading/kill_switch/stop_signal.hpp"

#include <chrono>

#include "alphaswarm/tasks/progress.hpp"

namespace alphaswarm::trading {

net::task<Result<void>> send_stop(tasks::Bus& bus, std::string_view task_id, std::string reason) {
  if (reason.empty()) reason = "stopped by the user";
  const std::string channel = tasks::stop_channel(task_id);
  Result<void> set = co_await bus.set(channel, reason, std::chrono::seconds(60));
  if (!set) co_return set;
  co_return co_await bus.publish(channel, reason);
}

}  // namespace alphaswarm::trading
