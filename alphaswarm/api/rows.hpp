#pragma once

// The rows of the database as JSON objects. Decimals are numbers with their exact digits, times
// RFC 3339 texts with nine decimals, ids and trace ids texts; what is not there is null.

#include <span>

#include "alphaswarm/api/json_writer.hpp"
#include "alphaswarm/persistence/backtest_repository.hpp"
#include "alphaswarm/persistence/bar_repository.hpp"
#include "alphaswarm/persistence/fill_repository.hpp"
#include "alphaswarm/persistence/ledger_repository.hpp"
#include "alphaswarm/persistence/order_repository.hpp"
#include "alphaswarm/persistence/run_repository.hpp"

namespace alphaswarm::api {

// {client_order_id, broker_order_id, run_id, venue, vt_symbol, side, order_type, time_in_force,
//  quantity, filled_quantity, average_price, limit_price, stop_price, status, status_reason,
//  trace_id, span_id, created_at, updated_at}
void write(JsonWriter& json, const persistence::OrderRow& row);
// {id, client_order_id, run_id, vt_symbol, side, quantity, price, commission, filled_at, trace_id,
//  span_id, created_at}
void write(JsonWriter& json, const persistence::FillRow& row);
// {id, run_id, client_order_id, entry_type, level, message, payload: {…}, trace_id, span_id,
//  created_at}
void write(JsonWriter& json, const persistence::LedgerRow& row);
// {timestamp, open, high, low, close, volume, adjusted_close}
void write(JsonWriter& json, const persistence::BarRow& row);
// {vt_symbol, interval, count, first, last}
void write(JsonWriter& json, const persistence::SymbolSummary& row);

// The fields of a run, into an object that is already open: id, task_id, trace_id, run_name,
// strategy, brokerage, feed, status, status_reason, started_at, last_heartbeat_at, stopped_at,
// initial_cash, final_equity, total_return, realised_pnl, max_drawdown, bars_seen,
// orders_submitted, fills_count, config: {…}, error. total_return is final_equity / initial_cash
// − 1.
void write_fields(JsonWriter& json, const persistence::RunRow& row);
// id, task_id, trace_id, run_name, strategy, engine, status, start, end, initial_cash,
// final_equity, total_return, sharpe, sortino, calmar, max_drawdown, annual_volatility, turnover,
// bars_count, orders_count, fills_count, dataset_hash, config: {…}, error, created_at, finished_at.
void write_fields(JsonWriter& json, const persistence::BacktestRow& row);

template <class Row>
void write_array(JsonWriter& json, std::span<const Row> rows) {
  json.begin_array();
  for (const Row& row : rows) write(json, row);
  json.end_array();
}

}  // namespace alphaswarm::api
