#pragma once

// The event loop over history. At each time step: orders of earlier steps meet this step's bars,
// the decision loop sees the bars and decides, its orders pass the risk gate and wait for the next
// step, the account is marked to market.

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "alphaswarm/trading/backtest/config.hpp"
#include "alphaswarm/trading/backtest/dataset.hpp"
#include "alphaswarm/trading/backtest/metrics.hpp"
#include "alphaswarm/trading/strategy/decision_loop.hpp"

namespace alphaswarm::trading {

struct CurvePoint {
  UnixNanos time;
  Money equity;         // at the close
  double drawdown = 0;  // below the peak so far, a fraction
};

struct BacktestResult {
  std::string id;  // of the run; a UUID
  BacktestConfig config;
  std::vector<VtSymbol> symbols;
  std::int64_t bars_count = 0;  // of all symbols, as far as the run went
  UnixNanos start, end;         // first and last bar
  Money final_equity;
  Money realised;  // after commissions
  Metrics metrics;
  std::string dataset_hash;
  std::vector<CurvePoint> curve;  // one point a time step
  std::vector<Order> orders;      // as submitted, with what became of them
  std::vector<Fill> fills;
  std::vector<LedgerLine> ledger;
  std::int64_t refused = 0;  // orders the risk gate held back
};

struct BacktestOptions {
  std::string run_id{};     // empty: a random UUID
  bool keep_ledger = true;  // lines for every signal, order, fill and refusal
  // Called about a hundred times a run; false stops the run with ErrorCode::cancelled.
  std::function<bool(std::int64_t done_bars, std::int64_t all_bars)> progress{};
};

// Runs within a span `backtest.run`. `dataset` must be normalised; bars outside the config's start
// and end are skipped, and if its universe is not empty, so are other symbols. Errors:
// invalid_argument for an impossible config, not_found if no bar remains or a symbol of the
// universe has none, cancelled.
[[nodiscard]] Result<BacktestResult> run_backtest(const BacktestConfig& config,
                                                  const Dataset& dataset,
                                                  const BacktestOptions& options = {});

// The part of `dataset` the config asks for; run_backtest does it itself.
[[nodiscard]] Result<Dataset> select_bars(const BacktestConfig& config, const Dataset& dataset);

// Amounts are texts (exact), ratios numbers or null. `with_curve` adds "equity_curve", a list of
// [time, equity, drawdown].
[[nodiscard]] boost::json::object to_json(const BacktestResult& result, bool with_curve);

}  // namespace alphaswarm::trading
