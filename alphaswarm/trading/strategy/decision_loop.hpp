#pragma once

// What backtest and paper share, bar by bar: history, strategy, sizing, pre-trade risk, the account
// as the client sees it, mark to market and ledger lines. Who fills the orders is the caller's:
//
//   for each time step
//     loop.on_fill / loop.on_order_closed   for what the venue did with earlier orders at this bar
//     for (Decision& d : loop.on_bars(time, bars))       history, mark to market, strategy, sizing
//       if (loop.check(d).allowed())                     span risk.check_pretrade
//         submit d.order; loop.on_submitted(d)           or loop.on_refused(d, why)
//     loop.take_ledger()
//
// Not thread-safe. The same calls give the same decisions.

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "alphaswarm/trading/market/portfolio.hpp"
#include "alphaswarm/trading/market/types.hpp"
#include "alphaswarm/trading/risk/pretrade.hpp"
#include "alphaswarm/trading/strategy/history.hpp"
#include "alphaswarm/trading/strategy/strategy.hpp"

namespace alphaswarm::trading {

enum class LedgerType : std::uint8_t { signal, order, fill, risk, meta };
[[nodiscard]] std::string_view to_string(LedgerType type) noexcept;  // "SIGNAL", "ORDER" …

struct LedgerLine {
  UnixNanos time;
  LedgerType type = LedgerType::meta;
  std::string level;         // "info" or "warning"
  std::string message;       // a sentence
  std::string payload_json;  // an object
};

struct Decision {
  OrderRequest order;
  SignalKind signal = SignalKind::leave;
  double score = 0;
  Price reference;  // the close it was decided at
};

struct DecisionLoopConfig {
  std::string run_id;  // client order ids are "<run_id>-<number>", so a resumed run repeats none
  Money initial_cash;
  RiskLimits risk;
  std::size_t history_window = 500;  // bars; must hold what the strategy requires
  bool keep_ledger = true;
};

class DecisionLoop {
 public:
  // Errors: invalid_argument if the strategy needs more history than the window holds.
  [[nodiscard]] static Result<DecisionLoop> create(DecisionLoopConfig config,
                                                   std::unique_ptr<Strategy> strategy);
  // Continues from `state()` of a loop with the same config. Errors: data_loss.
  [[nodiscard]] Result<void> restore(const boost::json::object& state);
  [[nodiscard]] boost::json::object state() const;

  // A fill of one of our orders; those of unknown client ids change the portfolio as well.
  void on_fill(const Fill& fill);
  // The order is final; what was not filled never will be. Unknown ids are ignored.
  void on_order_closed(const ClientOrderId& id, OrderStatus status, std::string_view reason,
                       UnixNanos time);

  // Only history: for bars before the session that warm the strategy up.
  void warm_up(std::span<const SymbolBar> bars);
  // Bars of the session that are too old to decide on: history, marks and risk as with on_bars, but
  // no signals. They do not count as the session's bars in the eyes of a strategy.
  void observe(UnixNanos time, std::span<const SymbolBar> bars);
  // Bars of one time step, sorted by symbol, no symbol twice. The result lives until the next call.
  [[nodiscard]] std::span<const Decision> on_bars(UnixNanos time, std::span<const SymbolBar> bars);

  [[nodiscard]] Verdict check(const Decision& decision);
  void on_submitted(const Decision& decision);
  // The venue, the kill switch or an error kept it from being placed.
  void on_refused(const Decision& decision, std::string_view why);

  [[nodiscard]] const Strategy& strategy() const noexcept { return *strategy_; }
  [[nodiscard]] const Portfolio& portfolio() const noexcept { return portfolio_; }
  [[nodiscard]] Money equity() const noexcept { return monitor_.state().equity; }
  [[nodiscard]] const RiskMonitor& monitor() const noexcept { return monitor_; }
  [[nodiscard]] UnixNanos time() const noexcept { return time_; }       // of the last step
  [[nodiscard]] std::int64_t steps() const noexcept { return steps_; }  // calls of on_bars
  [[nodiscard]] std::size_t open_orders() const noexcept { return open_.size(); }
  [[nodiscard]] bool has_open(const ClientOrderId& id) const { return open_.contains(id.value); }
  // Lines since the last call, oldest first.
  [[nodiscard]] std::vector<LedgerLine> take_ledger();

 private:
  struct OpenOrder {
    VtSymbol symbol;
    Side side;
    Quantity remaining;
    Price reference;
  };

  struct SymbolState {
    VtSymbol symbol;
    History history;
    std::int64_t session_bars = 0;
  };

  DecisionLoop(DecisionLoopConfig config, std::unique_ptr<Strategy> strategy);
  template <class Each>
  void push_history(std::span<const SymbolBar> bars, Each each);
  [[nodiscard]] bool has_open_order(const VtSymbol& symbol) const noexcept;
  void decide(const Signal& signal);
  void note(UnixNanos time, LedgerType type, std::string_view level, std::string message,
            const boost::json::object& payload);
  [[nodiscard]] RiskInput risk_input(const Decision& decision) const;

  DecisionLoopConfig config_;
  std::unique_ptr<Strategy> strategy_;
  Portfolio portfolio_;
  RiskMonitor monitor_;
  std::vector<SymbolState> symbols_;  // sorted by symbol
  std::map<std::string, OpenOrder, std::less<>> open_;
  std::int64_t steps_ = 0;
  std::int64_t next_order_ = 1;
  UnixNanos time_;
  std::vector<SymbolView> views_;
  std::vector<Signal> signals_;
  std::vector<Decision> decisions_;
  std::vector<LedgerLine> ledger_;
};

}  // namespace alphaswarm::trading
