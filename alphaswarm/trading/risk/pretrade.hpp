#pragma once

// The gate every order passes before it is submitted, in backtest and paper alike.

#include <boost/json/fwd.hpp>
#include <string>
#include <vector>

#include "alphaswarm/trading/market/types.hpp"

namespace alphaswarm::trading {

// Shares of equity. An order is refused when what it leads to is *more* than the limit.
struct RiskLimits {
  Decimal max_position_pct = Decimal::from_units(Decimal::kScale / 5);          // 0.20
  Decimal max_daily_loss_pct = Decimal::from_units(Decimal::kScale * 3 / 100);  // 0.03
  Decimal max_drawdown_pct = Decimal::from_units(Decimal::kScale * 15 / 100);   // 0.15
  Decimal max_gross_exposure = Decimal::from_units(Decimal::kScale);            // 1.0
};

// From a `risk:` section; invalid_argument names the limit, its value and the range.
[[nodiscard]] Result<RiskLimits> parse_risk_limits(const boost::json::object& section);

// Follows equity: its peak, and where the day started (the last equity of the UTC date before,
// or the initial cash).
class RiskMonitor {
 public:
  struct State {
    Money equity, peak, day_start;
    std::int64_t day = 0;  // UTC days since the epoch
    bool started = false;
  };

  explicit RiskMonitor(Money initial_cash)
      : state_{.equity = initial_cash, .peak = initial_cash, .day_start = initial_cash} {}
  explicit RiskMonitor(const State& state) : state_(state) {}

  // Times must not go back.
  void update(UnixNanos time, Money equity) noexcept;
  [[nodiscard]] const State& state() const noexcept { return state_; }
  [[nodiscard]] Decimal drawdown() const noexcept;    // (peak − equity) / peak, 0 to 1
  [[nodiscard]] Decimal daily_loss() const noexcept;  // (day start − equity) / day start, ≥ 0

 private:
  State state_;
};

// What a check needs to know about the account at the moment of the decision.
struct RiskInput {
  Quantity position;  // of the order's symbol, with what its open orders may still fill
  Price price;        // the last close: what the order is valued at
  Money equity;
  Money gross_exposure;  // Σ |position| × mark, with what open orders may still add
  Decimal drawdown;
  Decimal daily_loss;
};

struct Breach {
  std::string limit;  // "max_position_pct" …
  Decimal value, allowed;
  [[nodiscard]] std::string message() const;  // "max_position_pct: 0.31 is more than 0.2"
};

struct Verdict {
  std::vector<Breach> breaches;
  [[nodiscard]] bool allowed() const noexcept { return breaches.empty(); }
  [[nodiscard]] std::string_view text() const noexcept { return allowed() ? "allow" : "reject"; }
  [[nodiscard]] std::string message() const;  // all breaches; empty if allowed
};

// The pure decision. An order that only makes |position| smaller passes every limit: nothing may
// keep an account from reducing its risk.
[[nodiscard]] Verdict evaluate_pretrade(const RiskLimits& limits, const OrderRequest& order,
                                        const RiskInput& input);
// The same within a span `risk.check_pretrade` (risk.verdict, risk.breaches, order.client_id).
[[nodiscard]] Verdict check_pretrade(const RiskLimits& limits, const OrderRequest& order,
                                     const RiskInput& input);

}  // namespace alphaswarm::trading
