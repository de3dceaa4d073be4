#include "alphaswarm/api/hand_orders.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/net/task.hpp"
#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/persistence/fill_repository.hpp"
#include "alphaswarm/trading/broker/order_news.hpp"
#include "alphaswarm/trading/paper/order_tracker.hpp"

namespace alphaswarm::api {

namespace otel = alphaswarm::observability;

using persistence::OrderRepository;
using persistence::OrderRow;
using trading::Order;
using trading::paper::update_row;

namespace {

bool same_order(const OrderRow& a, const OrderRow& b) {
  return a.venue == b.venue && a.vt_symbol == b.vt_symbol && a.side == b.side &&
         a.order_type == b.order_type && a.time_in_force == b.time_in_force &&
         a.quantity == b.quantity && a.limit_price == b.limit_price && a.stop_price == b.stop_price;
}

// Told again, it has the same id.
Result<void> keep_fill(persistence::Database& database, const OrderRow& row,
                       const trading::BrokerUpdate& update) {
  if (!update.fill) return {};
  const trading::Fill& fill = *update.fill;
  const Result<bool> kept =
      persistence::FillRepository(database).insert({.id = update.execution_id,
                                                    .client_order_id = row.client_order_id,
                                                    .run_id = {},
                                                    .vt_symbol = row.vt_symbol,
                                                    .side = row.side,
                                                    .quantity = fill.quantity.value(),
                                                    .price = fill.price.value(),
                                                    .commission = fill.commission.value(),
                                                    .filled_at = fill.time,
                                                    .trace_id = row.trace_id,
                                                    .span_id = row.span_id,
                                                    .created_at = now_unix()});
  if (!kept) return std::unexpected(kept.error());
  return {};
}

bool is_over(const OrderRow& row) {
  const auto status = trading::parse_order_status(row.status);
  return status && trading::is_final(*status);
}

}  // namespace

void update_row(OrderRow& row, const Error& error) {
  if (trading::is_refusal(error.code)) row.status = to_string(trading::OrderStatus::rejected);
  row.status_reason = error.message;
  row.updated_at = now_unix();
}

Result<bool> keep(OrderRepository& orders, OrderRow& row) {
  const Result<void> kept = orders.insert(row);
  if (kept) return false;
  if (kept.error().code != ErrorCode::already_exists) return std::unexpected(kept.error());
  Result<std::optional<OrderRow>> there = orders.find(row.client_order_id);
  if (!there) return std::unexpected(there.error());
  if (!there->has_value() || !same_order(**there, row)) {
    return fail(ErrorCode::already_exists,
                "Another order has the client order id '" + row.client_order_id + "'.");
  }
  row = std::move(**there);
  return true;
}

Result<void> keep_fills(persistence::Database& database, const OrderRow& row, const Order& order) {
  for (const trading::BrokerUpdate& update : trading::order_news(nullptr, order)) {
    if (const Result<void> kept = keep_fill(database, row, update); !kept) return kept;
  }
  return {};
}

Result<void> keep_news(persistence::Database& database,
                       const std::vector<trading::BrokerUpdate>& news) {
  OrderRepository orders(database);
  Result<void> all;
  for (const trading::BrokerUpdate& update : news) {
    Result<std::optional<OrderRow>> row = orders.find(update.order.request.client_id.value);
    Result<void> kept;
    if (!row) {
      kept = std::unexpected(row.error());
    } else if (row->has_value()) {
      kept = keep_fill(database, **row, update);
      update_row(**row, update.order);
      if (kept) kept = orders.upsert(**row);
    }
    if (!kept && all) all = std::move(kept);
  }
  return all;
}

Result<void> keep_answer(OrderRepository& orders, OrderRow& row) {
  Result<std::optional<OrderRow>> there = orders.find(row.client_order_id);
  if (!there) return std::unexpected(there.error());
  if (!there->has_value()) return orders.upsert(row);
  const bool ended = is_over(**there) && !is_over(row);
  const bool later = ended || (*there)->filled_quantity > row.filled_quantity;
  if (!later) return orders.upsert(row);
  row = std::move(**there);
  return {};
}

// ---- following

namespace {

trading::Broker* broker_of(const std::vector<Venue>& venues, std::string_view name) {
  const auto found = std::ranges::find(venues, name, &Venue::name);
  return found != venues.end() ? found->broker : nullptr;
}

// Below the request that placed the order, though that ended long since.
otel::SpanContext context_of(const OrderRow& row) {
  otel::SpanContext context;
  const auto trace = TraceId::from_hex(row.trace_id);
  const auto span = SpanId::from_hex(row.span_id);
  if (!trace || !span) return context;
  context.trace_id = *trace;
  context.span_id = *span;
  context.flags = otel::SpanContext::kSampled;
  context.remote = true;
  return context;
}

// What has changed since the row was written; the row as it is now.
Result<void> keep_change(persistence::Database& database, OrderRow row, const Order& now) {
  const Result<Order> before = trading::paper::order_of(row);
  if (!before) return std::unexpected(before.error());
  const trading::BrokerUpdate told{"", now, std::nullopt, ""};
  const otel::SpanContext parent = context_of(row);
  otel::SpanOptions options;
  options.parent = &parent;
  options.root = !parent.is_valid();
  otel::Span span = otel::span("order.update", options);
  span.set({{"broker.venue", row.venue},
            {"order.client_id", row.client_order_id},
            {"order.id", now.id.value},
            {"order.status", to_string(now.status)}});
  for (const trading::BrokerUpdate& update : trading::order_news(*before, told)) {
    if (update.fill) {
      span.event("order.fill", {{"price", update.fill->price.value().to_string()},
                                {"quantity", update.fill->quantity.value().to_string()}});
    }
    if (const Result<void> kept = keep_fill(database, row, update); !kept) return kept;
  }
  update_row(row, now);
  OrderRepository orders(database);
  return keep_answer(orders, row);
}

bool has_changed(const OrderRow& row, const Order& now) {
  return row.status != to_string(now.status) || row.filled_quantity != now.filled.value() ||
         row.broker_order_id != now.id.value;
}

net::task<void> look_after(persistence::Database& database, trading::Broker& broker, OrderRow row,
                           std::chrono::nanoseconds arrival) {
  // Asking is not part of any trace; what came of it is.
  otel::SpanContext unrecorded;
  unrecorded.trace_id = TraceId::random();
  unrecorded.span_id = SpanId::random();
  otel::SpanOptions options;
  options.parent = &unrecorded;
  const otel::Span quiet = otel::span("order.look", options);
  trading::ClientOrderId client_id{row.client_order_id};
  trading::OrderId id{row.broker_order_id};
  const Result<Order> now = id.value.empty() ? co_await broker.query_order(std::move(client_id))
                                             : co_await broker.query_order(std::move(id));
  Result<void> kept;
  if (now && has_changed(row, *now)) {
    kept = co_await net::blocking([&] { return keep_change(database, row, *now); });
  } else if (!now && now.error().code == ErrorCode::not_found && row.broker_order_id.empty() &&
             broker.knows_client_ids() &&
             now_unix().value - row.updated_at.value > arrival.count()) {
    row.status = to_string(trading::OrderStatus::rejected);
    row.status_reason = trading::paper::kNeverCame;
    row.updated_at = now_unix();
    kept = co_await net::blocking([&] {
      OrderRepository orders(database);
      return keep_answer(orders, row);
    });
  }
  if (!kept) {
    log_warning("orders", "what became of order '" + row.client_order_id +
                              "' could not be kept: " + kept.error().message);
  }
}

}  // namespace

net::task<void> follow_hand_orders(persistence::Database& database, std::vector<Venue> venues,
                                   FollowOptions options) {
  std::map<std::string, std::int64_t> asked;  // when last, by client order id
  while (co_await net::sleep_for(options.look_every)) {
    const auto rows =
        co_await net::blocking([&] { return OrderRepository(database).open_orders({}); });
    if (!rows) continue;  // the database is away, and says so elsewhere
    std::map<std::string, std::int64_t> still_open;
    for (const OrderRow& row : *rows) {
      trading::Broker* const broker = row.venue == "sim" ? nullptr : broker_of(venues, row.venue);
      if (broker == nullptr) continue;
      const std::int64_t now = now_unix().value;
      const auto before = asked.find(row.client_order_id);
      const std::int64_t last = before != asked.end() ? before->second : row.updated_at.value;
      const std::int64_t wait = std::clamp((now - row.created_at.value) / 10,
                                           options.soonest.count(), options.latest.count());
      still_open[row.client_order_id] = last;
      if (now - last < wait) continue;
      still_open[row.client_order_id] = now;
      co_await look_after(database, *broker, row, options.arrival);
    }
    asked = std::move(still_open);
  }
}

}  // namespace alphaswarm::api
