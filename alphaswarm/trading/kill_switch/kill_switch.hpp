#pragma once

// The switch that stops all trading at once. It stands in two places, a key on the bus (fast, seen
// by every process) and a row in the database (survives everything): it is engaged if either says
// so, and released only if both say so.

#include <memory>
#include <string>
#include <string_view>

#include "alphaswarm/net/coroutine.hpp"
#include "alphaswarm/persistence/database.hpp"
#include "alphaswarm/tasks/bus.hpp"

namespace alphaswarm::trading {

inline constexpr std::string_view kKillSwitchKey = "alphaswarm:kill_switch";

struct KillSwitchState {
  bool engaged = false;
  std::string reason;  // empty unless engaged
};

// Thread-safe. Engaging does not wait for the sessions: each sees the switch before its next bar,
// or at once while it waits, and cancels its open orders.
class KillSwitch {
 public:
  // `key` is ALPHASWARM_RISK_KILL_SWITCH_KEY; changes are told on `<key>:engaged` and
  // `<key>:released`.
  KillSwitch(std::shared_ptr<tasks::Bus> bus, std::shared_ptr<persistence::Database> database,
             std::string key = std::string(kKillSwitchKey));

  // Span kill_switch.engage. Succeeds if one of the two places took it (a warning is logged for the
  // other); engaging an engaged switch replaces the reason.
  net::task<Result<void>> engage(std::string reason);
  // Span kill_switch.release. Succeeds only if both places are clear.
  net::task<Result<void>> release(std::string reason = {});
  // unavailable if neither says it is engaged and one of them cannot be asked: then nobody may
  // trade.
  net::task<Result<KillSwitchState>> state();

  [[nodiscard]] std::string engaged_channel() const { return key_ + ":engaged"; }
  [[nodiscard]] std::string released_channel() const { return key_ + ":released"; }

 private:
  net::task<Result<void>> store(bool engaged, std::string reason);

  std::shared_ptr<tasks::Bus> bus_;  // shared: services end in any order
  std::shared_ptr<persistence::Database> database_;
  std::string key_;
};

}  // namespace alphaswarm::trading
