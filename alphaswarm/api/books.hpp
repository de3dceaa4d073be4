#pragma once

// The books of a paper session as anyone can recompute them: its fills applied to its initial cash,
// marked at the closes of the bars it has seen. They do not depend on what the session itself has
// flushed, so that they are as new as the rows.

#include <cstddef>
#include <vector>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/persistence/backtest_repository.hpp"
#include "alphaswarm/persistence/database.hpp"
#include "alphaswarm/persistence/run_repository.hpp"
#include "alphaswarm/trading/market/portfolio.hpp"

namespace alphaswarm::api {

struct Books {
  trading::Portfolio portfolio;
  std::vector<persistence::EquityPoint> curve;  // by time, one a step; empty unless asked for
};

// Marked at the last close that the session has seen of each symbol it holds.
[[nodiscard]] Result<Books> books_now(persistence::Database& database,
                                      const persistence::RunRow& run);

// The same, with equity and drawdown at every step of time so far. Reads all its bars.
[[nodiscard]] Result<Books> books_over_time(persistence::Database& database,
                                            const persistence::RunRow& run);

// About `points` of the curve: every n-th, always the first and the last. `points` is at least 2.
[[nodiscard]] std::vector<persistence::EquityPoint> thinned(
    const std::vector<persistence::EquityPoint>& curve, std::size_t points);

}  // namespace alphaswarm::api
