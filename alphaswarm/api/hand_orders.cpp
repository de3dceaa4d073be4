#include "alphaswarm/api/hand_orders.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/net/task.hpp"
#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/trading/paper/order_change.hpp"
#include "alphaswarm/trading/paper/order_tracker.hpp"

namespace alphaswarm::api {

namespace otel = alphaswarm::observability;

using persistence::OrderRepository;
using persistence::OrderRow;
using trading::Order;
using trading::paper::kDenied;
using trading::paper::kNeverCame;
using trading::paper::kUnknown;

namespace {

bool same_order(const OrderRow& a, const OrderRow& b) {
  return a.venue == b.venue && a.vt_symbol == b.vt_symbol && a.side == b.side &&
         a.order_type == b.order_type && a.time_in_force == b.time_in_force &&
         a.quantity == b.quantity && a.limit_price == b.limit_price && a.stop_price == b.stop_price;
}

std::unexpected<Error> no_row(const OrderRow& row) {
  return fail(ErrorCode::data_loss, "order '" + row.client_order_id + "' has lost its row");
}

}  // namespace

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

Result<bool> claim(persistence::Database& database, OrderRow& row) {
  bool claimed = false;
  auto now = trading::paper::change_order(database, row.client_order_id, [&](OrderRow& stored) {
    claimed = stored == row;
    if (claimed) stored.updated_at = now_unix();
    return claimed;
  });
  if (!now) return std::unexpected(now.error());
  if (!*now) return no_row(row);
  row = std::move(**now);
  return claimed;
}

Result<void> keep_answer(persistence::Database& database, OrderRow& row, const Order& answer) {
  const trading::BrokerUpdate told{"", answer, std::nullopt, ""};
  auto kept = trading::paper::keep_told(database, row.client_order_id, told);
  if (!kept) return std::unexpected(kept.error());
  if (!*kept) return no_row(row);
  row = std::move((*kept)->row);
  return {};
}

Result<void> keep_failure(persistence::Database& database, OrderRow& row, std::string_view why,
                          bool over) {
  auto now = trading::paper::change_order(database, row.client_order_id, [&](OrderRow& stored) {
    if (!trading::paper::is_unanswered(stored)) return false;
    // Claimed meanwhile, another try may have got through.
    if (over && stored == row) stored.status = to_string(trading::OrderStatus::rejected);
    stored.status_reason = why;
    stored.updated_at = now_unix();
    return true;
  });
  if (!now) return std::unexpected(now.error());
  if (!*now) return no_row(row);
  row = std::move(**now);
  return {};
}

Result<void> keep_news(persistence::Database& database,
                       const std::vector<trading::BrokerUpdate>& news) {
  Result<void> all;
  for (const trading::BrokerUpdate& update : news) {
    const auto kept =
        trading::paper::keep_told(database, update.order.request.client_id.value, update);
    if (!kept && all) all = std::unexpected(kept.error());
  }
  return all;
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

Result<void> keep_change(persistence::Database& database, const OrderRow& row, const Order& now) {
  const otel::SpanContext parent = context_of(row);
  otel::SpanOptions options;
  options.parent = &parent;
  options.root = !parent.is_valid();
  otel::Span span = otel::span("order.update", options);
  span.set({{"broker.venue", row.venue},
            {"order.client_id", row.client_order_id},
            {"order.id", now.id.value},
            {"order.status", to_string(now.status)}});
  const trading::BrokerUpdate told{"", now, std::nullopt, ""};
  const auto kept = trading::paper::keep_told(database, row.client_order_id, told);
  if (!kept) return std::unexpected(kept.error());
  if (!*kept) return no_row(row);
  for (const trading::BrokerUpdate& update : (*kept)->news) {
    if (!update.fill) continue;
    span.event("order.fill", {{"price", update.fill->price.value().to_string()},
                              {"quantity", update.fill->quantity.value().to_string()}});
  }
  return {};
}

bool has_changed(const OrderRow& row, const Order& now) {
  return row.status != to_string(now.status) || row.filled_quantity != now.filled.value() ||
         row.broker_order_id != now.id.value;
}

Result<void> keep_doubt(persistence::Database& database, const OrderRow& row,
                        std::string_view why) {
  if (row.status_reason == why) return {};
  log_warning("orders",
              "order '" + row.client_order_id + "' at " + row.venue + " is " + std::string(why));
  return trading::paper::doubt(database, row, why);
}

Result<void> keep_unseen(persistence::Database& database, const OrderRow& row,
                         trading::Unseen known) {
  if (known == trading::Unseen::on_its_way) return {};
  if (known == trading::Unseen::never_came) {
    return trading::paper::end_unplaced(database, row, kNeverCame);
  }
  return keep_doubt(database, row, kUnknown);
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
  } else if (!now && now.error().code == ErrorCode::not_found && !row.broker_order_id.empty()) {
    kept = co_await net::blocking([&] { return keep_doubt(database, row, kDenied); });
  } else if (!now && now.error().code == ErrorCode::not_found) {
    const trading::Unseen known = unseen(broker, row.created_at, row.updated_at, arrival);
    kept = co_await net::blocking([&] { return keep_unseen(database, row, known); });
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
      if (broker == nullptr || row.status_reason == kUnknown) continue;
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
