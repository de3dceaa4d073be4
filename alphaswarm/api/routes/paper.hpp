#pragma once

#include "alphaswarm/api/routes/context.hpp"

namespace alphaswarm::api {

// POST /paper/start {config, run_name?} → 202 TaskAccepted; 422; 503 without a worker.
// POST /paper/stop/{task_id}?reason= → {task_id, reason, ok}; ok is false if the session had
//                    already ended. 404 if there is no such paper task.
// GET /paper/runs?limit=100 → [PaperRun], newest first. PaperRun = {id, task_id, trace_id,
// run_name,
//                    strategy, brokerage, feed, status, status_reason, started_at,
//                    last_heartbeat_at, stopped_at, initial_cash, final_equity, total_return,
//                    realised_pnl, max_drawdown, bars_seen, orders_submitted, fills_count, config,
//                    error}.
//                    status: pending, bootstrapping, warming_up, running, stopping, completed,
//                    cancelled, error, halted, stale.
// GET /paper/runs/{id}?limit=500&points=1000 → PaperRun and {equity, state: {…}, orders: [Order],
//                    fills: [Fill], ledger: [LedgerEntry] (each newest first, at most
//                    `limit`), positions: [Position], equity_curve: [{timestamp, equity, drawdown}]
//                    (by time, thinned to about `points`)}; the id may be the task's. 404.
void add_paper_routes(RouteTable& table, const Context& context);

}  // namespace alphaswarm::api
