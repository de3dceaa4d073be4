#include "alphaswarm/api/rows.hpp"

#include <optional>
#include <string_view>

namespace alphaswarm::api {
namespace {

// A column that holds JSON; the writers of these columns keep it valid, an empty one is {}.
std::string_view json_or_empty(std::string_view column) { return column.empty() ? "{}" : column; }

std::optional<double> total_return(Decimal initial, const std::optional<Decimal>& final_equity) {
  if (!final_equity || initial.is_zero()) return std::nullopt;
  return final_equity->to_double() / initial.to_double() - 1.0;
}

}  // namespace

void write(JsonWriter& json, const persistence::OrderRow& row) {
  json.begin_object()
      .field("client_order_id", row.client_order_id)
      .field_or_null("broker_order_id", row.broker_order_id)
      .field_or_null("run_id", row.run_id)
      .field("venue", row.venue)
      .field("vt_symbol", row.vt_symbol)
      .field("side", row.side)
      .field("order_type", row.order_type)
      .field("time_in_force", row.time_in_force)
      .field("quantity", row.quantity)
      .field("filled_quantity", row.filled_quantity)
      .field("average_price", row.average_price)
      .field("limit_price", row.limit_price)
      .field("stop_price", row.stop_price)
      .field("status", row.status)
      .field_or_null("status_reason", row.status_reason)
      .field_or_null("trace_id", row.trace_id)
      .field_or_null("span_id", row.span_id)
      .field_or_null("created_at", row.created_at)
      .field_or_null("updated_at", row.updated_at)
      .end_object();
}

void write(JsonWriter& json, const persistence::FillRow& row) {
  json.begin_object()
      .field("id", row.id)
      .field("client_order_id", row.client_order_id)
      .field_or_null("run_id", row.run_id)
      .field("vt_symbol", row.vt_symbol)
      .field("side", row.side)
      .field("quantity", row.quantity)
      .field("price", row.price)
      .field("commission", row.commission)
      .field("filled_at", row.filled_at)
      .field_or_null("trace_id", row.trace_id)
      .field_or_null("span_id", row.span_id)
      .field_or_null("created_at", row.created_at)
      .end_object();
}

void write(JsonWriter& json, const persistence::LedgerRow& row) {
  json.begin_object()
      .field("id", row.id)
      .field_or_null("run_id", row.run_id)
      .field_or_null("client_order_id", row.client_order_id)
      .field("entry_type", row.entry_type)
      .field("level", row.level)
      .field("message", row.message);
  json.key("payload").raw(json_or_empty(row.payload_json));
  json.field_or_null("trace_id", row.trace_id)
      .field_or_null("span_id", row.span_id)
      .field_or_null("created_at", row.created_at)
      .end_object();
}

void write(JsonWriter& json, const persistence::BarRow& row) {
  json.begin_object()
      .field("timestamp", row.timestamp)
      .field("open", row.open)
      .field("high", row.high)
      .field("low", row.low)
      .field("close", row.close)
      .field("volume", row.volume)
      .field("adjusted_close", row.adjusted_close)
      .end_object();
}

void write(JsonWriter& json, const persistence::SymbolSummary& row) {
  json.begin_object()
      .field("vt_symbol", row.vt_symbol)
      .field("interval", row.interval)
      .field("count", row.bars)
      .field("first", row.first)
      .field("last", row.last)
      .end_object();
}

void write_fields(JsonWriter& json, const persistence::RunRow& row) {
  json.field("id", row.id)
      .field_or_null("task_id", row.task_id)
      .field_or_null("trace_id", row.trace_id)
      .field("run_name", row.run_name)
      .field("strategy", row.strategy)
      .field("brokerage", row.brokerage)
      .field("feed", row.feed)
      .field("status", row.status)
      .field_or_null("status_reason", row.status_reason)
      .field_or_null("started_at", row.started_at)
      .field("last_heartbeat_at", row.last_heartbeat_at)
      .field("stopped_at", row.stopped_at)
      .field("initial_cash", row.initial_cash)
      .field("final_equity", row.final_equity)
      .field("total_return", total_return(row.initial_cash, row.final_equity))
      .field("realised_pnl", row.realised_pnl)
      .field("max_drawdown", row.max_drawdown)
      .field("bars_seen", row.bars_seen)
      .field("orders_submitted", row.orders_submitted)
      .field("fills_count", row.fills);
  json.key("config").raw(json_or_empty(row.config_json));
  json.field_or_null("error", row.error);
}

void write_fields(JsonWriter& json, const persistence::BacktestRow& row) {
  json.field("id", row.id)
      .field_or_null("task_id", row.task_id)
      .field_or_null("trace_id", row.trace_id)
      .field("run_name", row.run_name)
      .field("strategy", row.strategy)
      .field("engine", row.engine)
      .field("status", row.status)
      .field("start", row.start_time)
      .field("end", row.end_time)
      .field("initial_cash", row.initial_cash)
      .field("final_equity", row.final_equity)
      .field("total_return", row.total_return)
      .field("sharpe", row.sharpe)
      .field("sortino", row.sortino)
      .field("calmar", row.calmar)
      .field("max_drawdown", row.max_drawdown)
      .field("annual_volatility", row.annual_volatility)
      .field("turnover", row.turnover)
      .field("bars_count", row.bars_count)
      .field("orders_count", row.orders)
      .field("fills_count", row.fills)
      .field_or_null("dataset_hash", row.dataset_hash);
  json.key("config").raw(json_or_empty(row.config_json));
  json.field_or_null("error", row.error)
      .field_or_null("created_at", row.created_at)
      .field("finished_at", row.finished_at);
}

}  // namespace alphaswarm::api
