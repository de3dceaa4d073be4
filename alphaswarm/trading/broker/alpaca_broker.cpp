#include "alphaswarm/trading/broker/alpaca_broker.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/trading/broker/alpaca_json.hpp"
#include "alphaswarm/trading/broker/alpaca_stream.hpp"

namespace alphaswarm::trading {

namespace json = boost::json;
namespace otel = alphaswarm::observability;

namespace {

VenueConfig venue_config(const AlpacaConfig& config) {
  VenueConfig venue;
  venue.venue = config.venue;
  venue.base_url = config.base_url;
  venue.headers.set("APCA-API-KEY-ID", config.key_id);
  venue.headers.set("APCA-API-SECRET-KEY", config.secret_key);
  venue.headers.set("Accept", "application/json");
  venue.retry = config.retry;
  venue.rate_limit = config.rate_limit;
  venue.timeout = config.timeout;
  venue.waiting = config.waiting;
  return venue;
}

// Client ids of ours are plain; what a caller made up may not be.
std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= 'a' && byte <= 'z') || c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return out;
}

bool same_order(const OrderRequest& a, const OrderRequest& b) {
  return a.symbol == b.symbol && a.side == b.side && a.type == b.type && a.quantity == b.quantity;
}

bool says_duplicate(const VenueReply& reply) {
  if (reply.status != 422 && reply.status != 409) return false;
  const std::string message = reply.message();
  return message.find("client_order_id must be unique") != std::string::npos ||
         message.find("uplicate client") != std::string::npos;
}

template <class T>
void finish(otel::Span& span, const Result<T>& result) {
  if (!result) span.error(result.error().message);
}

}  // namespace

AlpacaBroker::AlpacaBroker(AlpacaConfig config, net::HttpClient& http)
    : config_(std::move(config)), client_(venue_config(config_), http) {}

std::string AlpacaBroker::symbol_name(const VtSymbol& symbol) {
  if (config_.full_symbols) return symbol.text();
  const std::scoped_lock lock(mutex_);
  known_.insert_or_assign(std::string(symbol.ticker()), symbol);
  known_.insert_or_assign(symbol.text(), symbol);  // the simulated exchange says it all
  return std::string(symbol.ticker());
}

VtSymbol AlpacaBroker::full_symbol(std::string_view symbol, std::string_view exchange) const {
  if (config_.full_symbols) {
    if (auto parsed = VtSymbol::parse(symbol)) return std::move(*parsed);
  }
  {
    const std::scoped_lock lock(mutex_);
    if (const auto known = known_.find(symbol); known != known_.end()) return known->second;
  }
  const std::string_view place = exchange.empty() ? config_.default_exchange : exchange;
  return VtSymbol::parse(fmt::format("{}.{}", symbol, place)).value_or(VtSymbol());
}

net::task<Result<void>> AlpacaBroker::connect() {
  const Result<BrokerAccount> account = co_await query_account();
  if (!account) co_return std::unexpected(account.error());
  co_return Result<void>();
}

net::task<Result<void>> AlpacaBroker::disconnect() { co_return Result<void>(); }

net::task<Result<Order>> AlpacaBroker::submit_order(OrderRequest request) {
  otel::Span span =
      otel::span("broker.submit_order",
                 {{"broker.venue", config_.venue}, {"order.client_id", request.client_id.value}});
  Result<Order> order = co_await submit(request);
  if (order) {
    span.set("order.id", order->id.value);
    span.set("order.status", to_string(order->status));
  }
  finish(span, order);
  co_return order;
}

net::task<Result<Order>> AlpacaBroker::submit(const OrderRequest& request) {
  if (const Result<void> valid = validate(request); !valid) {
    co_return std::unexpected(valid.error());
  }
  VenueCall call;
  call.method = "POST";
  call.path = "/v2/orders";
  call.body = json::serialize(to_alpaca(request, symbol_name(request.symbol)));
  const Result<VenueReply> reply = co_await client_.call(std::move(call));
  if (!reply) co_return std::unexpected(reply.error());
  if (says_duplicate(*reply)) co_return co_await existing(request);
  if (reply->status == 403) {
    // The account cannot take it. The venue may have kept the order or not; for us it is rejected.
    Order refused;
    refused.request = request;
    refused.status = OrderStatus::rejected;
    refused.reason = reply->message();
    co_return refused;
  }
  if (!reply->ok()) {
    co_return std::unexpected(to_error(*reply, config_.venue, "the order was not accepted"));
  }
  const auto lookup = [this](auto symbol, auto exchange) { return full_symbol(symbol, exchange); };
  co_return read_order(reply->body, lookup);
}

// The venue knows the client id: an earlier try arrived, or an earlier life of this session.
net::task<Result<Order>> AlpacaBroker::existing(const OrderRequest& request) {
  otel::event_on_current("broker.duplicate_client_order_id");
  const std::string path =
      "/v2/orders:by_client_order_id?client_order_id=" + percent_encoded(request.client_id.value);
  Result<Order> order = co_await fetch_order(path, request.client_id.value);
  if (order && !same_order(order->request, request)) {
    co_return fail(ErrorCode::already_exists,
                   fmt::format("{}: client order id {} belongs to another order", config_.venue,
                               request.client_id.value));
  }
  co_return order;
}

net::task<Result<Order>> AlpacaBroker::fetch_order(std::string path, std::string what) {
  VenueCall call;
  call.path = std::move(path);
  const Result<VenueReply> reply = co_await client_.call(std::move(call));
  if (!reply) co_return std::unexpected(reply.error());
  if (!reply->ok()) co_return std::unexpected(to_error(*reply, config_.venue, "order " + what));
  const auto lookup = [this](auto symbol, auto exchange) { return full_symbol(symbol, exchange); };
  co_return read_order(reply->body, lookup);
}

net::task<Result<void>> AlpacaBroker::cancel_order(OrderId id) {
  otel::Span span =
      otel::span("broker.cancel_order", {{"broker.venue", config_.venue}, {"order.id", id.value}});
  VenueCall call;
  call.method = "DELETE";
  call.path = "/v2/orders/" + percent_encoded(id.value);
  const Result<VenueReply> reply = co_await client_.call(std::move(call));
  Result<void> result;
  if (!reply) {
    result = std::unexpected(reply.error());
  } else if (reply->status == 422) {
    // Final already; an earlier try of this very call may have done it.
    const Result<Order> order =
        co_await fetch_order("/v2/orders/" + percent_encoded(id.value), id.value);
    if (!order) {
      result = std::unexpected(order.error());
    } else if (order->status != OrderStatus::cancelled) {
      result = fail(ErrorCode::conflict, fmt::format("{}: order {} is {} already", config_.venue,
                                                     id.value, to_string(order->status)));
    }
  } else if (!reply->ok()) {
    result = std::unexpected(to_error(*reply, config_.venue, "the order was not cancelled"));
  }
  finish(span, result);
  co_return result;
}

net::task<Result<Order>> AlpacaBroker::query_order(OrderId id) {
  otel::Span span =
      otel::span("broker.query_order", {{"broker.venue", config_.venue}, {"order.id", id.value}});
  Result<Order> order = co_await fetch_order("/v2/orders/" + percent_encoded(id.value), id.value);
  if (order) span.set("order.client_id", order->request.client_id.value);
  finish(span, order);
  co_return order;
}

net::task<Result<Order>> AlpacaBroker::query_order(ClientOrderId id) {
  otel::Span span = otel::span("broker.query_order",
                               {{"broker.venue", config_.venue}, {"order.client_id", id.value}});
  Result<Order> order = co_await fetch_order(
      "/v2/orders:by_client_order_id?client_order_id=" + percent_encoded(id.value), id.value);
  if (order) span.set("order.id", order->id.value);
  finish(span, order);
  co_return order;
}

net::task<Result<std::vector<Order>>> AlpacaBroker::query_open_orders() {
  otel::Span span = otel::span("broker.query_open_orders", {{"broker.venue", config_.venue}});
  VenueCall call;
  call.path = "/v2/orders?status=open&limit=500&direction=asc";
  const Result<VenueReply> reply = co_await client_.call(std::move(call));
  Result<std::vector<Order>> orders;
  if (!reply) {
    orders = std::unexpected(reply.error());
  } else if (!reply->ok() || !reply->body.is_array()) {
    orders = std::unexpected(to_error(*reply, config_.venue, "open orders"));
  } else {
    const auto lookup = [this](auto symbol, auto place) { return full_symbol(symbol, place); };
    for (const json::value& item : reply->body.get_array()) {
      Result<Order> order = read_order(item, lookup);
      if (!order) {
        orders = std::unexpected(order.error());
        break;
      }
      orders->push_back(std::move(*order));
    }
  }
  finish(span, orders);
  co_return orders;
}

net::task<Result<std::vector<BrokerPosition>>> AlpacaBroker::query_positions() {
  otel::Span span = otel::span("broker.query_positions", {{"broker.venue", config_.venue}});
  VenueCall call;
  call.path = "/v2/positions";
  const Result<VenueReply> reply = co_await client_.call(std::move(call));
  Result<std::vector<BrokerPosition>> positions;
  if (!reply) {
    positions = std::unexpected(reply.error());
  } else if (!reply->ok() || !reply->body.is_array()) {
    positions = std::unexpected(to_error(*reply, config_.venue, "positions"));
  } else {
    const auto lookup = [this](auto symbol, auto place) { return full_symbol(symbol, place); };
    for (const json::value& item : reply->body.get_array()) {
      Result<BrokerPosition> position = read_position(item, lookup);
      if (!position) {
        positions = std::unexpected(position.error());
        break;
      }
      positions->push_back(std::move(*position));
    }
  }
  finish(span, positions);
  co_return positions;
}

net::task<Result<BrokerAccount>> AlpacaBroker::query_account() {
  otel::Span span = otel::span("broker.query_account", {{"broker.venue", config_.venue}});
  VenueCall call;
  call.path = "/v2/account";
  const Result<VenueReply> reply = co_await client_.call(std::move(call));
  Result<BrokerAccount> account;
  if (!reply) {
    account = std::unexpected(reply.error());
  } else if (!reply->ok()) {
    account = std::unexpected(to_error(*reply, config_.venue, "account"));
  } else {
    account = read_account(reply->body);
  }
  finish(span, account);
  co_return account;
}

net::task<Result<std::unique_ptr<OrderUpdateStream>>> AlpacaBroker::stream_order_updates() {
  StreamConfig config;
  config.venue = config_.venue;
  config.base_url = client_.config().base_url;
  config.key_id = config_.key_id;
  config.secret_key = config_.secret_key;
  config.websocket.tls = config_.tls;
  config.websocket.observer = config_.observer;
  SymbolLookup lookup = [this](auto symbol, auto exchange) {
    return full_symbol(symbol, exchange);
  };
  co_return co_await open_alpaca_stream(std::move(config), std::move(lookup));
}

}  // namespace alphaswarm::trading
