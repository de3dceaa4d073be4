#include "alphaswarm/trading/paper/order_tracker.hpp"

#include "alphaswarm/trading/broker/order_news.hpp"

namespace alphaswarm::trading::paper {

namespace otel = alphaswarm::observability;

persistence::OrderRow make_order_row(const OrderRequest& request, std::string_view run_id,
                                     std::string_view venue, const otel::SpanContext& span) {
  persistence::OrderRow row;
  row.client_order_id = request.client_id.value;
  row.run_id = run_id;
  row.venue = venue;
  row.vt_symbol = request.symbol.text();
  row.side = to_string(request.side);
  row.order_type = to_string(request.type);
  row.time_in_force = to_string(request.time_in_force);
  row.quantity = request.quantity.value();
  if (request.limit_price) row.limit_price = request.limit_price->value();
  if (request.stop_price) row.stop_price = request.stop_price->value();
  row.status = to_string(OrderStatus::submitting);
  if (span.is_valid()) {
    row.trace_id = span.trace_id.to_hex();
    row.span_id = span.span_id.to_hex();
  }
  row.created_at = now_unix();
  row.updated_at = row.created_at;
  return row;
}

void update_row(persistence::OrderRow& row, const Order& order) {
  if (!order.id.value.empty()) row.broker_order_id = order.id.value;
  row.status = to_string(order.status);
  row.status_reason = order.reason;
  row.filled_quantity = order.filled.value();
  if (!order.filled.is_zero()) row.average_price = order.average_price.value();
  row.updated_at = now_unix();
}

persistence::FillRow make_fill_row(const persistence::OrderRow& order, const Fill& fill,
                                   std::string execution_id) {
  return {.id = std::move(execution_id),
          .client_order_id = order.client_order_id,
          .run_id = order.run_id,
          .vt_symbol = order.vt_symbol,
          .side = order.side,
          .quantity = fill.quantity.value(),
          .price = fill.price.value(),
          .commission = fill.commission.value(),
          .filled_at = fill.time,
          .trace_id = order.trace_id,
          .span_id = order.span_id,
          .created_at = now_unix()};
}

Result<OrderRequest> request_of(const persistence::OrderRow& row, Decimal remaining) {
  OrderRequest request;
  const Result<VtSymbol> symbol = VtSymbol::parse(row.vt_symbol);
  const Result<Side> side = parse_side(row.side);
  const Result<OrderType> type = parse_order_type(row.order_type);
  const Result<TimeInForce> force = parse_time_in_force(row.time_in_force);
  if (!symbol || !side || !type || !force) {
    return fail(ErrorCode::data_loss, "order " + row.client_order_id + " cannot be read back");
  }
  request.client_id.value = row.client_order_id;
  request.symbol = *symbol;
  request.side = *side;
  request.type = *type;
  request.time_in_force = *force;
  request.quantity = Quantity(remaining);
  if (row.limit_price) request.limit_price = Price(*row.limit_price);
  if (row.stop_price) request.stop_price = Price(*row.stop_price);
  return request;
}

Result<Order> order_of(const persistence::OrderRow& row) {
  Result<OrderRequest> request = request_of(row, row.quantity);
  if (!request) return std::unexpected(std::move(request.error()));
  Order order;
  order.id.value = row.broker_order_id;
  order.request = std::move(*request);
  const Result<OrderStatus> status = parse_order_status(row.status);
  if (!status) return std::unexpected(status.error());
  order.status = *status;
  order.filled = Quantity(row.filled_quantity);
  if (row.average_price) order.average_price = Price(*row.average_price);
  order.created = row.created_at;
  order.updated = row.updated_at;
  return order;
}

void OrderTracker::open(otel::Span span, persistence::OrderRow row) {
  span.suspend();
  recorder_.order(row);
  std::string id = row.client_order_id;
  entries_.insert_or_assign(std::move(id), Entry{std::move(span), std::move(row)});
}

void OrderTracker::accepted(Entry& entry, const OrderId& id) {
  if (entry.row.broker_order_id == id.value) return;
  entry.row.broker_order_id = id.value;
  entry.row.status_reason.clear();
  if (entry.row.status == to_string(OrderStatus::submitting)) {
    entry.row.status = to_string(OrderStatus::new_order);
  }
  entry.row.updated_at = now_unix();
  entry.span.set("order.id", id.value);
  recorder_.order(entry.row);
}

std::vector<BrokerUpdate> OrderTracker::news(const BrokerUpdate& told) {
  const auto found = entries_.find(told.order.request.client_id.value);
  if (found == entries_.end()) return {};
  const Result<Order> before = order_of(found->second.row);
  if (!before) return {};
  accepted(found->second, told.order.id);
  std::vector<BrokerUpdate> all = order_news(*before, told);
  for (BrokerUpdate& one : all) {
    // A venue may name its symbols in its own way.
    one.order.request.symbol = before->request.symbol;
    if (one.fill) one.fill->symbol = before->request.symbol;
  }
  return all;
}

const persistence::OrderRow* OrderTracker::row_of(const std::string& client_id) const {
  const auto found = entries_.find(client_id);
  return found == entries_.end() ? nullptr : &found->second.row;
}

OrderTracker::Applied OrderTracker::apply(const BrokerUpdate& update) {
  const auto found = entries_.find(update.order.request.client_id.value);
  if (found == entries_.end()) return {};
  Entry& entry = found->second;
  Applied applied;
  if (update.fill) {
    const Fill& fill = *update.fill;
    entry.span.event("order.fill", {{"price", fill.price.to_double()},
                                    {"quantity", fill.quantity.to_double()},
                                    {"commission", fill.commission.to_double()},
                                    {"order.client_id", fill.client_id.value},
                                    {"execution.id", update.execution_id},
                                    {"market.bar_time", to_rfc3339(fill.time)}});
    applied.fill = make_fill_row(entry.row, fill, update.execution_id);
    recorder_.fill(*applied.fill);
  }
  update_row(entry.row, update.order);
  recorder_.order(entry.row);
  applied.row = entry.row;
  if (is_final(update.order.status)) {
    entry.span.set("order.status", entry.row.status);
    entries_.erase(found);
  }
  return applied;
}

void OrderTracker::close(const std::string& client_id, OrderStatus status,
                         std::string_view reason) {
  const auto found = entries_.find(client_id);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  entry.row.status = to_string(status);
  entry.row.status_reason = reason;
  entry.row.updated_at = now_unix();
  recorder_.order(entry.row);
  entry.span.set("order.status", entry.row.status);
  entry.span.event("order.closed", {{"order.client_id", client_id}, {"reason", reason}});
  entries_.erase(found);
}

void OrderTracker::doubt(const std::string& client_id, std::string_view reason) {
  const auto found = entries_.find(client_id);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  entry.row.status_reason = reason;
  entry.row.updated_at = now_unix();
  recorder_.order(entry.row);
  entry.span.event("order.unknown", {{"order.client_id", client_id}, {"reason", reason}});
}

void OrderTracker::leave_all(std::string_view why) {
  for (auto& [id, entry] : entries_) {
    entry.span.event("order.left_open", {{"order.client_id", id}, {"reason", why}});
  }
  entries_.clear();
}

std::vector<std::pair<std::string, OrderId>> OrderTracker::open_orders() const {
  std::vector<std::pair<std::string, OrderId>> open;
  open.reserve(entries_.size());
  for (const auto& [id, entry] : entries_)
    open.emplace_back(id, OrderId{entry.row.broker_order_id});
  return open;
}

otel::SpanContext OrderTracker::span_of(const std::string& client_id) const {
  const auto found = entries_.find(client_id);
  return found == entries_.end() ? otel::SpanContext{} : found->second.span.context();
}

}  // namespace alphaswarm::trading::paper
