#pragma once

// Backtests on the bars of the database, with their results kept there.

#include <string>

#include "alphaswarm/persistence/backtest_repository.hpp"
#include "alphaswarm/persistence/database.hpp"
#include "alphaswarm/trading/backtest/engine.hpp"

namespace alphaswarm::trading {

// Bars of the config's universe (if it is empty: of every symbol), interval and time. Errors:
// not_found if a symbol has none, and those of the database.
[[nodiscard]] Result<Dataset> load_dataset(persistence::SqlExecutor& database,
                                           const BacktestConfig& config);

struct StoredBacktestRequest {
  BacktestConfig config;
  std::string task_id{};  // also the run's id, so that a task that is run again adds no second row
};

// One run and its row in backtest_runs, piece by piece: the row says `running` from the start, and
// in the end `completed`, with the curve, or `error`. Not thread-safe.
class StoredBacktest {
 public:
  // Writes the row, loads the bars. Errors: those of load_dataset and Backtest::create; then the
  // row says so.
  [[nodiscard]] static Result<StoredBacktest> start(persistence::Database& database,
                                                    StoredBacktestRequest request);
  [[nodiscard]] Backtest& backtest() noexcept { return backtest_; }

  // Writes the result.
  [[nodiscard]] Result<BacktestResult> finish();
  // The row says `error`. A failure to write it is logged: there is a first error to report.
  void abandon(const Error& error);

 private:
  StoredBacktest(persistence::Database& database, persistence::BacktestRow row, Backtest backtest);

  persistence::Database* database_;  // outlives the run
  persistence::BacktestRow row_;
  Backtest backtest_;
};

// A whole stored run within a span `backtest.run`: `alphaswarm backtest run`.
[[nodiscard]] Result<BacktestResult> run_stored_backtest(persistence::Database& database,
                                                         StoredBacktestRequest request);

}  // namespace alphaswarm::trading
