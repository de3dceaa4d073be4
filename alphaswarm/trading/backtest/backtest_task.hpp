#pragma once

#include <string_view>

#include "alphaswarm/persistence/database.hpp"
#include "alphaswarm/tasks/worker.hpp"

namespace alphaswarm::trading {

inline constexpr std::string_view kBacktestTask = "alphaswarm.tasks.backtest_tasks.run_backtest";

// Registers the task run_backtest(cfg, run_name=null): `cfg` as parse_backtest_config reads it. It
// tells its progress about twenty times and gives {run_id, trace_id, run_name, strategy, symbols,
// bars_count, orders, fills, initial_cash, final_equity, dataset_hash, metrics}. `database` must
// outlive the worker.
void register_backtest_task(tasks::Worker& worker, persistence::Database& database);

}  // namespace alphaswarm::trading
