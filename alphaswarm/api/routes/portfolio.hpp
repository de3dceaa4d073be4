#pragma once

#include "alphaswarm/api/routes/context.hpp"

namespace alphaswarm::api {

// Lists are newest first; `limit` is 1 to 10000 (default 100); `run_id` leaves only that run's.
// GET /portfolio/orders → [Order]: {client_order_id, broker_order_id, run_id, venue, vt_symbol,
// side,
//                    order_type, time_in_force, quantity, filled_quantity, average_price,
//                    limit_price, stop_price, status, status_reason, trace_id, span_id, created_at,
//                    updated_at}
// GET /portfolio/fills → [Fill]: {id, client_order_id, run_id, vt_symbol, side, quantity, price,
//                    commission, filled_at, trace_id, span_id, created_at}
// GET /portfolio/ledger → [LedgerEntry]: {id, run_id, client_order_id, entry_type (SIGNAL, ORDER,
//                    FILL, RISK, META), level, message, payload: {…}, trace_id, span_id,
//                    created_at}
// GET /portfolio/positions → [Position]: {run_id, run_name, vt_symbol, quantity (negative: short),
//                    average_cost, mark, value, unrealised_pnl, realised_pnl}, open ones only
// GET /portfolio/pnl → [RunPnl]: {run_id, run_name, status, initial_cash, equity, realised_pnl,
//                    unrealised_pnl, total_return, max_drawdown}
void add_portfolio_routes(RouteTable& table, const Context& context);

}  // namespace alphaswarm::api
