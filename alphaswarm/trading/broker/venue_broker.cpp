#include "alphaswarm/trading/broker/venue_broker.hpp"

#include <fmt/format.h>

#include <type_traits>

#include "alphaswarm/observability/tracing.hpp"

namespace alphaswarm::trading {

namespace otel = alphaswarm::observability;

namespace {

template <class T>
void finish(otel::Span& span, const Result<T>& result) {
  if (!result) span.error(result.error().message);
}

}  // namespace

VenueBroker::VenueBroker(VenueConfig venue, std::string default_exchange, net::HttpClient& http)
    : client_(std::move(venue), http), default_exchange_(std::move(default_exchange)) {}

void VenueBroker::remember(const VtSymbol& symbol) {
  const std::scoped_lock lock(mutex_);
  known_.insert_or_assign(std::string(symbol.ticker()), symbol);
  known_.insert_or_assign(symbol.text(), symbol);  // the simulated exchange says it all
}

VtSymbol VenueBroker::full_symbol(std::string_view symbol, std::string_view exchange) const {
  {
    const std::scoped_lock lock(mutex_);
    if (const auto known = known_.find(symbol); known != known_.end()) return known->second;
  }
  const std::string_view place = exchange.empty() ? default_exchange_ : exchange;
  return VtSymbol::parse(fmt::format("{}.{}", symbol, place)).value_or(VtSymbol());
}

Result<Order> VenueBroker::settled(Order known, const OrderRequest& request) const {
  otel::event_on_current("broker.duplicate_client_order_id");
  const OrderRequest& there = known.request;
  const bool same = there.symbol == request.symbol && there.side == request.side &&
                    there.type == request.type && there.quantity == request.quantity;
  if (same) return known;
  return fail(ErrorCode::already_exists,
              fmt::format("{}: client order id {} belongs to another order", venue(),
                          request.client_id.value));
}

Order VenueBroker::rejected(const OrderRequest& request, std::string reason) const {
  Order order;
  order.request = request;
  order.status = OrderStatus::rejected;
  order.reason = std::move(reason);
  return order;
}

net::task<Result<void>> VenueBroker::cancelled_before(const OrderId& id) {
  const Result<Order> order = co_await fetch_order(id);
  if (!order) co_return std::unexpected(order.error());
  if (order->status == OrderStatus::cancelled) co_return Result<void>();
  const std::string_view status = to_string(order->status);
  if (!is_final(order->status)) {
    co_return fail(ErrorCode::unavailable,
                   fmt::format("{}: order {} was not cancelled and is still {}: try again", venue(),
                               id.value, status));
  }
  co_return fail(ErrorCode::conflict,
                 fmt::format("{}: order {} is {} already", venue(), id.value, status));
}

net::task<Result<void>> VenueBroker::connect() {
  const Result<BrokerAccount> account = co_await query_account();
  if (!account) co_return std::unexpected(account.error());
  co_return Result<void>();
}

net::task<Result<Order>> VenueBroker::submit_order(OrderRequest request) {
  otel::Span span =
      otel::span("broker.submit_order",
                 {{"broker.venue", venue()}, {"order.client_id", request.client_id.value}});
  Result<Order> order;
  if (const Result<void> valid = validate(request); !valid) {
    order = std::unexpected(valid.error());
  } else {
    order = co_await submit(request);
  }
  if (order) {
    span.set("order.id", order->id.value);
    span.set("order.status", to_string(order->status));
  }
  finish(span, order);
  co_return order;
}

net::task<Result<void>> VenueBroker::cancel_order(OrderId id) {
  otel::Span span =
      otel::span("broker.cancel_order", {{"broker.venue", venue()}, {"order.id", id.value}});
  Result<void> result = co_await cancel(id);
  finish(span, result);
  co_return result;
}

template <class Id>
net::task<Result<Order>> VenueBroker::query(Id id) {
  constexpr bool kByOrder = std::is_same_v<Id, OrderId>;
  constexpr std::string_view kAsked = kByOrder ? "order.id" : "order.client_id";
  constexpr std::string_view kLearnt = kByOrder ? "order.client_id" : "order.id";
  otel::Span span =
      otel::span("broker.query_order", {{"broker.venue", venue()}, {kAsked, id.value}});
  Result<Order> order = co_await fetch_order(id);
  if (order) span.set(kLearnt, kByOrder ? order->request.client_id.value : order->id.value);
  finish(span, order);
  co_return order;
}

net::task<Result<Order>> VenueBroker::query_order(OrderId id) { return query(std::move(id)); }

net::task<Result<Order>> VenueBroker::query_order(ClientOrderId id) { return query(std::move(id)); }

net::task<Result<std::vector<Order>>> VenueBroker::query_open_orders() {
  otel::Span span = otel::span("broker.query_open_orders", {{"broker.venue", venue()}});
  Result<std::vector<Order>> orders = co_await fetch_open_orders();
  finish(span, orders);
  co_return orders;
}

net::task<Result<std::vector<BrokerPosition>>> VenueBroker::query_positions() {
  otel::Span span = otel::span("broker.query_positions", {{"broker.venue", venue()}});
  Result<std::vector<BrokerPosition>> positions = co_await fetch_positions();
  finish(span, positions);
  co_return positions;
}

net::task<Result<BrokerAccount>> VenueBroker::query_account() {
  otel::Span span = otel::span("broker.query_account", {{"broker.venue", venue()}});
  Result<BrokerAccount> account = co_await fetch_account();
  finish(span, account);
  co_return account;
}

}  // namespace alphaswarm::trading
