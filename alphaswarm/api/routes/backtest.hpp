#pragma once

#include "alphaswarm/api/routes/context.hpp"

namespace alphaswarm::api {

// POST /backtest/run {config, run_name?} → 202 TaskAccepted {task_id, status: "queued",
//                    stream_url: "/chat/stream/<id>"}; 422; 503 without a worker.
// GET /backtest/runs?limit=100 → [BacktestRun], newest first. BacktestRun = {id, task_id, trace_id,
//                    run_name, strategy, engine, status, start, end, initial_cash, final_equity,
//                    total_return, sharpe, sortino, calmar, max_drawdown, annual_volatility,
//                    turnover, bars_count, orders_count, fills_count, dataset_hash, config, error,
//                    created_at, finished_at}. Returns and drawdowns are fractions (0.12 is 12 %).
// GET /backtest/runs/{id} → BacktestRun; the id may be the task's. 404.
// GET /backtest/runs/{id}/plot/equity → {run_id, points: [{timestamp, value}]}, by time; 404.
// GET /backtest/runs/{id}/plot/drawdown → the same; value is the fraction below the peak, ≥ 0.
void add_backtest_routes(RouteTable& table, const Context& context);

}  // namespace alphaswarm::api
