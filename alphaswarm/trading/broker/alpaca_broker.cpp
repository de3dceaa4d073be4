#include "alphaswarm/trading/broker/alpaca_broker.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/trading/broker/alpaca_json.hpp"
#include "alphaswarm/trading/broker/alpaca_stream.hpp"

namespace alphaswarm::trading {

namespace json = boost::json;

namespace {

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

// What cannot be read is left out: the account may hold orders and positions of kinds we never
// make.
template <class T, class Read>
Result<std::vector<T>> read_list(const json::value& body, std::string_view what, Read read) {
  if (!body.is_array()) {
    return fail(ErrorCode::data_loss, fmt::format("the venue's {} are no list", what));
  }
  std::vector<T> list;
  for (const json::value& item : body.get_array()) {
    Result<T> one = read(item);
    if (one) {
      list.push_back(std::move(*one));
    } else {
      log_warning("broker",
                  fmt::format("one of the {} is left out: {}", what, one.error().message));
    }
  }
  return list;
}

bool says_duplicate(const VenueReply& reply) {
  if (reply.status != 422 && reply.status != 409) return false;
  const std::string message = reply.message();
  return message.find("client_order_id must be unique") != std::string::npos ||
         message.find("uplicate client") != std::string::npos;
}

}  // namespace

AlpacaBroker::AlpacaBroker(AlpacaConfig config, net::HttpClient& http)
    : VenueBroker(alpaca_venue(config, config.venue), config.default_exchange, http),
      config_(std::move(config)) {}

VtSymbol AlpacaBroker::named_symbol(std::string_view symbol, std::string_view exchange) const {
  // Our own exchange, as the venue Alpaca, names the place within the symbol too.
  const bool is_full = !exchange.empty() && symbol.size() > exchange.size() &&
                       symbol.ends_with(exchange) &&
                       symbol[symbol.size() - exchange.size() - 1] == '.';
  if (config_.full_symbols || is_full) {
    if (auto parsed = VtSymbol::parse(symbol)) return std::move(*parsed);
  }
  return full_symbol(symbol, exchange);
}

net::task<Result<json::value>> AlpacaBroker::get(std::string path, std::string what) {
  VenueCall call;
  call.path = std::move(path);
  Result<VenueReply> reply = co_await client().call(std::move(call));
  if (!reply) co_return std::unexpected(reply.error());
  if (!reply->ok()) co_return std::unexpected(to_error(*reply, venue(), what));
  co_return std::move(reply->body);
}

net::task<Result<Order>> AlpacaBroker::submit(const OrderRequest& request) {
  remember(request.symbol);
  const std::string_view name =
      config_.full_symbols ? std::string_view(request.symbol.text()) : request.symbol.ticker();
  VenueCall call;
  call.method = "POST";
  call.path = "/v2/orders";
  call.body = json::serialize(to_alpaca(request, name));
  const Result<VenueReply> reply = co_await client().call(std::move(call));
  if (!reply) co_return std::unexpected(reply.error());
  // An earlier try arrived, or an earlier life of this session.
  if (says_duplicate(*reply)) co_return co_await find_placed(request, reply->message());
  if (reply->status == 403) co_return co_await refused(request, *reply);
  if (!reply->ok()) {
    co_return std::unexpected(to_error(*reply, venue(), "the order was not accepted"));
  }
  const auto lookup = [this](auto symbol, auto exchange) { return named_symbol(symbol, exchange); };
  Result<Order> order = read_order(reply->body, lookup);
  if (order) co_return order;
  co_return co_await find_placed(request, order.error().message);
}

// The account cannot take it. The venue may have kept the order or not; for us it is rejected. What
// it cannot take is the second one, though, where an earlier try arrived.
net::task<Result<Order>> AlpacaBroker::refused(const OrderRequest& request,
                                               const VenueReply& reply) {
  if (reply.resend_count == 0) co_return rejected(request, reply.message());
  Result<Order> known = co_await fetch_order(request.client_id);
  if (!known && known.error().code == ErrorCode::not_found) {
    co_return rejected(request, reply.message());
  }
  co_return what_is_known(std::move(known), request, reply.message());
}

Result<Order> AlpacaBroker::what_is_known(Result<Order> known, const OrderRequest& request,
                                          std::string_view why) const {
  if (known) return settled(std::move(*known), request);
  const ErrorCode code = known.error().code;
  if (code == ErrorCode::cancelled || code == ErrorCode::unauthenticated) return known;
  return fail(ErrorCode::unavailable,
              fmt::format("{}: what became of order {} is not known ({}; {})", venue(),
                          request.client_id.value, why, known.error().message));
}

net::task<Result<Order>> AlpacaBroker::find_placed(const OrderRequest& request, std::string why) {
  Result<Order> known = co_await fetch_order(request.client_id);
  co_return what_is_known(std::move(known), request, why);
}

net::task<Result<Order>> AlpacaBroker::order_at(std::string path, std::string what) {
  std::string name = "order " + what;
  const Result<json::value> body = co_await get(std::move(path), std::move(name));
  if (!body) co_return std::unexpected(body.error());
  const auto lookup = [this](auto symbol, auto exchange) { return named_symbol(symbol, exchange); };
  co_return read_order(*body, lookup);
}

net::task<Result<Order>> AlpacaBroker::fetch_order(const OrderId& id) {
  co_return co_await order_at("/v2/orders/" + percent_encoded(id.value), id.value);
}

net::task<Result<Order>> AlpacaBroker::fetch_order(const ClientOrderId& id) {
  co_return co_await order_at(
      "/v2/orders:by_client_order_id?client_order_id=" + percent_encoded(id.value), id.value);
}

net::task<Result<void>> AlpacaBroker::cancel(const OrderId& id) {
  VenueCall call;
  call.method = "DELETE";
  call.path = "/v2/orders/" + percent_encoded(id.value);
  const Result<VenueReply> reply = co_await client().call(std::move(call));
  if (!reply) co_return std::unexpected(reply.error());
  if (reply->status == 422) co_return co_await cancelled_before(id);
  if (reply->ok()) co_return Result<void>();
  co_return std::unexpected(to_error(*reply, venue(), "the order was not cancelled"));
}

net::task<Result<std::vector<Order>>> AlpacaBroker::fetch_open_orders() {
  const Result<json::value> body =
      co_await get("/v2/orders?status=open&limit=500&direction=asc", "open orders");
  if (!body) co_return std::unexpected(body.error());
  const auto lookup = [this](auto symbol, auto place) { return named_symbol(symbol, place); };
  co_return read_list<Order>(*body, "open orders",
                             [&](const json::value& item) { return read_order(item, lookup); });
}

net::task<Result<std::vector<BrokerPosition>>> AlpacaBroker::fetch_positions() {
  const Result<json::value> body = co_await get("/v2/positions", "positions");
  if (!body) co_return std::unexpected(body.error());
  const auto lookup = [this](auto symbol, auto place) { return named_symbol(symbol, place); };
  co_return read_list<BrokerPosition>(
      *body, "positions", [&](const json::value& item) { return read_position(item, lookup); });
}

net::task<Result<BrokerAccount>> AlpacaBroker::fetch_account() {
  const Result<json::value> body = co_await get("/v2/account", "account");
  if (!body) co_return std::unexpected(body.error());
  co_return read_account(*body);
}

net::task<Result<std::unique_ptr<OrderUpdateStream>>> AlpacaBroker::stream_order_updates() {
  StreamConfig config;
  config.venue = config_.venue;
  config.base_url = client().config().base_url;
  config.key_id = config_.key_id;
  config.secret_key = config_.secret_key;
  config.websocket.tls = config_.tls;
  config.websocket.observer = config_.observer;
  SymbolLookup lookup = [this](auto symbol, auto exchange) {
    return named_symbol(symbol, exchange);
  };
  co_return co_await open_alpaca_stream(std::move(config), std::move(lookup));
}

}  // namespace alphaswarm::trading
