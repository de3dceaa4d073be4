#include "alphaswarm/api/routes/broker_orders.hpp"

#include <chrono>
#include <limits>
#include <string>
#include <utility>

#include "alphaswarm/api/input.hpp"
#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/persistence/fill_repository.hpp"
#include "alphaswarm/trading/broker/broker.hpp"
#include "alphaswarm/trading/broker/order_news.hpp"
#include "alphaswarm/trading/kill_switch/kill_switch.hpp"

namespace alphaswarm::api {

namespace otel = alphaswarm::observability;

namespace {

using persistence::OrderRepository;
using persistence::OrderRow;
using trading::Order;
using trading::OrderRequest;

// The word at `key` as one of ours, or `fallback`; a word that is none goes to `bad_word`.
template <class Enum>
Enum read_word(BodyReader& body, std::string_view key, Enum fallback,
               Result<Enum> (*parse)(std::string_view), std::string& bad_word) {
  const std::string word = body.text(key, "", 32);
  if (word.empty()) return fallback;
  const Result<Enum> parsed = parse(word);
  if (parsed) return *parsed;
  if (bad_word.empty()) bad_word = std::string(key) + ": " + parsed.error().message;
  return fallback;
}

std::optional<trading::Price> read_price(BodyReader& body, std::string_view key) {
  const Decimal price = body.positive_decimal(key);
  if (!body.has(key)) return std::nullopt;
  return trading::Price(price);
}

// The order in the body, or the 400 or 422 to answer.
std::expected<OrderRequest, net::HttpResponse> read_order(const net::HttpRequest& request) {
  BodyReader body(request);
  std::string bad_word;
  OrderRequest order;
  for (const std::string_view key : {"vt_symbol", "side", "quantity"}) body.require(key);
  const std::string symbol = body.text("vt_symbol", "", 64);
  if (!symbol.empty()) {
    Result<trading::VtSymbol> parsed = trading::VtSymbol::parse(symbol);
    if (parsed) {
      order.symbol = std::move(*parsed);
    } else {
      body.report("vt_symbol", parsed.error().message, "invalid");
    }
  }
  order.side = read_word(body, "side", trading::Side::buy, trading::parse_side, bad_word);
  order.type = read_word(body, "order_type", trading::OrderType::market, trading::parse_order_type,
                         bad_word);
  order.time_in_force = read_word(body, "time_in_force", trading::TimeInForce::day,
                                  trading::parse_time_in_force, bad_word);
  order.quantity = trading::Quantity(body.positive_decimal("quantity"));
  order.limit_price = read_price(body, "limit_price");
  order.stop_price = read_price(body, "stop_price");
  order.client_id.value = body.text("client_order_id", random_uuid(), 48);
  if (!bad_word.empty()) return std::unexpected(error_reply(400, bad_word));
  if (auto invalid = body.finish()) return std::unexpected(std::move(*invalid));
  if (const Result<void> valid = trading::validate(order); !valid) {
    return std::unexpected(invalid_reply({Issue{{"body"}, valid.error().message, "invalid", {}}}));
  }
  return order;
}

OrderRow to_row(const OrderRequest& request, std::string_view venue) {
  OrderRow row;
  row.client_order_id = request.client_id.value;
  row.venue = venue;
  row.vt_symbol = request.symbol.text();
  row.side = to_string(request.side);
  row.order_type = to_string(request.type);
  row.time_in_force = to_string(request.time_in_force);
  row.quantity = request.quantity.value();
  if (request.limit_price) row.limit_price = request.limit_price->value();
  if (request.stop_price) row.stop_price = request.stop_price->value();
  row.status = to_string(trading::OrderStatus::submitting);
  if (const otel::SpanContext context = otel::current_context(); context.is_valid()) {
    row.trace_id = context.trace_id.to_hex();
    row.span_id = context.span_id.to_hex();
  }
  row.created_at = row.updated_at = now_unix();
  return row;
}

void update_row(OrderRow& row, const Order& order) {
  row.broker_order_id = order.id.value;
  row.filled_quantity = order.filled.value();
  if (!order.filled.is_zero()) row.average_price = order.average_price.value();
  row.status = to_string(order.status);
  row.status_reason = order.reason;
  row.updated_at = now_unix();
}

// What the venue refuses will never be; anything else may have got through.
void update_row(OrderRow& row, const Error& error) {
  const bool refused =
      error.code == ErrorCode::invalid_argument || error.code == ErrorCode::already_exists ||
      error.code == ErrorCode::not_found || error.code == ErrorCode::unauthenticated ||
      error.code == ErrorCode::permission_denied;
  if (refused) row.status = to_string(trading::OrderStatus::rejected);
  row.status_reason = error.message;
  row.updated_at = now_unix();
}

bool same_order(const OrderRow& a, const OrderRow& b) {
  return a.venue == b.venue && a.vt_symbol == b.vt_symbol && a.side == b.side &&
         a.order_type == b.order_type && a.time_in_force == b.time_in_force &&
         a.quantity == b.quantity && a.limit_price == b.limit_price && a.stop_price == b.stop_price;
}

// Keeps the order before it is sent: one that went out is always known, whatever becomes of the
// answer. The same order again (its first answer was lost) goes on with the row that is there:
// true.
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

// How long an order whose answer was lost may still arrive at a venue.
constexpr std::chrono::minutes kOnItsWay(10);

// Whether the order of a row that was there may have been sent by a process that is no more. A
// venue that does not know our ids would take it twice.
bool may_be_on_its_way(const trading::Broker& broker, const OrderRow& row) {
  return !broker.knows_client_ids() && row.status == to_string(trading::OrderStatus::submitting) &&
         now_unix().value - row.updated_at.value < std::chrono::nanoseconds(kOnItsWay).count();
}

// Asks for it instead of sending it.
net::task<Result<Order>> look_for(trading::Broker& broker, const OrderRow& row) {
  trading::ClientOrderId id{row.client_order_id};
  Result<Order> found = co_await broker.query_order(std::move(id));
  if (found || found.error().code != ErrorCode::not_found) co_return found;
  co_return fail(ErrorCode::unavailable,
                 row.venue + ": the order may be on its way; it was asked for, not sent again");
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

// What was filled at once.
Result<void> keep_fills(persistence::Database& database, const OrderRow& row, const Order& order) {
  for (const trading::BrokerUpdate& update : trading::order_news(nullptr, order)) {
    if (const Result<void> kept = keep_fill(database, row, update); !kept) return kept;
  }
  return {};
}

// What became of earlier orders while this one was placed.
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

// Writes what the answer to an order made of its row, unless the order next to it has brought later
// news meanwhile: that stands then.
Result<void> keep_answer(OrderRepository& orders, OrderRow& row) {
  Result<std::optional<OrderRow>> there = orders.find(row.client_order_id);
  if (!there) return std::unexpected(there.error());
  const auto is_over = [](const OrderRow& one) {
    const auto status = trading::parse_order_status(one.status);
    return status && trading::is_final(*status);
  };
  if (!there->has_value()) return orders.upsert(row);
  const bool ended = is_over(**there) && !is_over(row);
  const bool later = ended || (*there)->filled_quantity > row.filled_quantity;
  if (!later) return orders.upsert(row);
  row = std::move(**there);
  return {};
}

net::HttpResponse order_reply(const OrderRow& row) {
  JsonWriter json;
  write(json, row);
  return reply(std::move(json));
}

}  // namespace

net::task<net::HttpResponse> place_order(const ApiDependencies& service,
                                         const net::HttpRequest& request) {
  const BrokerOrReply broker = find_broker(service, path_param(request, "venue"));
  if (!broker) co_return broker.error();
  const std::expected<OrderRequest, net::HttpResponse> order = read_order(request);
  if (!order) co_return order.error();
  // Last before the order goes out, so that a switch engaged meanwhile still holds it.
  const Result<trading::KillSwitchState> state = co_await service.kill_switch.state();
  if (!state) co_return error_reply(state.error());
  if (state->engaged) {
    co_return error_reply(423,
                          "The kill switch is engaged (" + state->reason + "): no new orders.");
  }
  OrderRow row = to_row(*order, (*broker)->venue());
  OrderRepository orders(service.database);
  const Result<bool> there = keep(orders, row);
  if (!there) co_return error_reply(there.error());
  otel::set_on_current("order.client_id", row.client_order_id);
  const bool look_only = *there && may_be_on_its_way(**broker, row);
  const Result<Order> sent =
      look_only ? co_await look_for(**broker, row) : co_await (*broker)->submit_order(*order);
  // As long since as it was: it was not sent now.
  if (look_only && !sent) co_return broker_error_reply(sent.error());
  if (sent) {
    update_row(row, *sent);
  } else {
    update_row(row, sent.error());
  }
  const Result<void> told = keep_news(service.database, (*broker)->take_news());
  if (const Result<void> kept = keep_answer(orders, row); !kept) {
    co_return error_reply(kept.error());
  }
  if (!told) co_return error_reply(told.error());
  if (!sent) co_return broker_error_reply(sent.error());
  if (const Result<void> kept = keep_fills(service.database, row, *sent); !kept) {
    co_return error_reply(kept.error());
  }
  co_return order_reply(row);
}

net::task<net::HttpResponse> cancel_order(const ApiDependencies& service,
                                          const net::HttpRequest& request) {
  const BrokerOrReply broker = find_broker(service, path_param(request, "venue"));
  if (!broker) co_return broker.error();
  const std::string_view id = path_param(request, "id");
  OrderRepository orders(service.database);
  Result<std::optional<OrderRow>> row = orders.find(id);
  if (!row) co_return error_reply(row.error());
  const bool ours = row->has_value() && !(*row)->broker_order_id.empty();
  trading::OrderId order_id{ours ? (*row)->broker_order_id : std::string(id)};
  const Result<void> cancelled = co_await (*broker)->cancel_order(order_id);
  if (!cancelled) co_return broker_error_reply(cancelled.error());
  if (ours) {
    const Result<Order> after = co_await (*broker)->query_order(order_id);
    if (after) update_row(**row, *after);
    if (const Result<void> kept = orders.upsert(**row); !kept) co_return error_reply(kept.error());
  }
  JsonWriter json;
  json.begin_object()
      .field("venue", (*broker)->venue())
      .field("order_id", order_id.value)
      .field("ok", true)
      .end_object();
  co_return reply(std::move(json));
}

}  // namespace alphaswarm::api
