#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "alphaswarm/trading/market/types.hpp"
#include "alphaswarm/trading/matching/engine.hpp"
#include "alphaswarm/trading/risk/pretrade.hpp"

namespace alphaswarm::trading {

// What a backtest is asked to do. One document serves a paper session and a backtest of the same
// strategy; the sections and keys a backtest understands:
//   session   run_name, universe (symbols), initial_cash, history_window_bars, max_bars; what only
//             a live session needs (heartbeat_seconds, …) is allowed and unused
//   strategy  name, params
//   brokerage params: slippage_bps, commission_rate, leverage, max_fill_share; venue is unused
//   feed      params: interval, start, end (bars from start up to, not including, end)
//   risk      the four limits
struct BacktestConfig {
  std::string run_name = "backtest-adhoc";
  std::vector<VtSymbol> universe;
  std::size_t history_window_bars = 500;
  std::optional<std::int64_t> max_bars;  // time steps
  std::string strategy = "mean_reversion";
  boost::json::object strategy_params;
  MatchingConfig matching;  // initial_cash is session.initial_cash, interval feed.params.interval
  RiskLimits risk;
  UnixNanos start{std::numeric_limits<std::int64_t>::min()};
  UnixNanos end{std::numeric_limits<std::int64_t>::max()};
};

// Errors: invalid_argument, one sentence that names the section, key, value and what is allowed.
// The strategy's parameters are checked as well.
[[nodiscard]] Result<BacktestConfig> parse_backtest_config(const boost::json::object& document);
// The same settings written out in full, defaults included.
[[nodiscard]] boost::json::object to_json(const BacktestConfig& config);

}  // namespace alphaswarm::trading
