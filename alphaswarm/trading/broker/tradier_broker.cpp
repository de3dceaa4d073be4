#include "alphaswarm/trading/broker/tradier_broker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <deque>

#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/trading/broker/order_news.hpp"
#include "alphaswarm/trading/broker/tradier_json.hpp"

namespace alphaswarm::trading {

namespace json = boost::json;
namespace otel = alphaswarm::observability;

namespace {

VenueConfig venue_config(const TradierConfig& config) {
  VenueConfig venue;
  venue.venue = "tradier";
  venue.base_url = config.base_url;
  venue.headers.set("Authorization", "Bearer " + config.token);
  venue.headers.set("Accept", "application/json");
  venue.retry = config.retry;
  venue.rate_limit = config.rate_limit;
  venue.timeout = config.timeout;
  venue.waiting = config.waiting;
  return venue;
}

bool same_order(const OrderRequest& a, const OrderRequest& b) {
  return a.symbol.ticker() == b.symbol.ticker() && a.side == b.side && a.type == b.type &&
         a.quantity == b.quantity;
}

template <class T>
void finish(otel::Span& span, const Result<T>& result) {
  if (!result) span.error(result.error().message);
}

const json::value* order_of(const json::value& body) {
  const json::object* object = body.if_object();
  const json::value* order = object == nullptr ? nullptr : object->if_contains("order");
  return order != nullptr && order->is_object() ? order : nullptr;
}

}  // namespace

TradierBroker::TradierBroker(TradierConfig config, net::HttpClient& http)
    : config_(std::move(config)), client_(venue_config(config_), http) {}

std::string TradierBroker::account_path(std::string_view rest) const {
  return fmt::format("/v1/accounts/{}{}", form_encoded(config_.account_id), rest);
}

VtSymbol TradierBroker::full_symbol(std::string_view ticker) const {
  const std::scoped_lock lock(mutex_);
  if (const auto known = known_.find(ticker); known != known_.end()) return known->second;
  return VtSymbol::parse(fmt::format("{}.{}", ticker, config_.default_exchange))
      .value_or(VtSymbol());
}

Error TradierBroker::refusal(const VenueReply& reply, std::string_view what) const {
  Error error = to_error(reply, "tradier", what);
  std::string why = tradier_errors(reply.body);
  if (why.empty()) why = reply.text;
  if (!why.empty()) error.message = fmt::format("tradier: {} ({}): {}", what, reply.status, why);
  return error;
}

net::task<Result<void>> TradierBroker::connect() {
  const Result<BrokerAccount> account = co_await query_account();
  if (!account) co_return std::unexpected(account.error());
  co_return Result<void>();
}

net::task<Result<void>> TradierBroker::disconnect() { co_return Result<void>(); }

net::task<Result<Order>> TradierBroker::submit_order(OrderRequest request) {
  otel::Span span =
      otel::span("broker.submit_order",
                 {{"broker.venue", "tradier"}, {"order.client_id", request.client_id.value}});
  Result<Order> order = co_await submit(request);
  if (order) {
    span.set("order.id", order->id.value);
    span.set("order.status", to_string(order->status));
  }
  finish(span, order);
  co_return order;
}

net::task<Result<Order>> TradierBroker::submit(const OrderRequest& request) {
  if (const Result<void> valid = validate(request); !valid) {
    co_return std::unexpected(valid.error());
  }
  const Result<std::string> form = to_tradier(request);
  if (!form) co_return std::unexpected(form.error());
  {
    const std::scoped_lock lock(mutex_);
    known_.insert_or_assign(std::string(request.symbol.ticker()), request.symbol);
  }
  Error last;
  for (int tried = 1; tried <= config_.retry.tries; ++tried) {
    Result<std::optional<Order>> known = co_await find_by_tag(request.client_id.value);
    if (!known) co_return std::unexpected(known.error());
    if (*known) {
      otel::event_on_current("broker.duplicate_client_order_id");
      if (same_order((*known)->request, request)) co_return std::move(**known);
      co_return fail(ErrorCode::already_exists,
                     fmt::format("tradier: client order id {} belongs to another order",
                                 request.client_id.value));
    }
    Result<Order> sent = co_await send(request, *form);
    if (sent || sent.error().code != ErrorCode::unavailable) co_return sent;
    last = std::move(sent.error());
    if (tried == config_.retry.tries) break;
    // It may be on its way still: the look-up comes after the wait.
    const VenueConfig& venue = client_.config();
    const std::chrono::nanoseconds wait = backoff(venue.retry, tried, venue.waiting.uniform());
    otel::event_on_current("retry", {{"http.request.resend_count", tried},
                                     {"retry.reason", last.message},
                                     {"retry.delay_ms", static_cast<double>(wait.count()) * 1e-6}});
    const Result<void> waited = co_await venue.waiting.sleep(wait);
    if (!waited) co_return std::unexpected(waited.error());
  }
  // The last one may have arrived as well.
  Result<std::optional<Order>> known = co_await find_by_tag(request.client_id.value);
  if (known && *known) co_return std::move(**known);
  co_return std::unexpected(std::move(last));
}

net::task<Result<Order>> TradierBroker::send(const OrderRequest& request, const std::string& form) {
  VenueCall call;
  call.method = "POST";
  call.path = account_path("/orders");
  call.body = form;
  call.content_type = "application/x-www-form-urlencoded";
  call.once = true;
  const Result<VenueReply> reply = co_await client_.call(std::move(call));
  if (!reply) co_return std::unexpected(reply.error());
  const json::value* answer = order_of(reply->body);
  const bool refused = reply->ok() && answer == nullptr && !tradier_errors(reply->body).empty();
  if (refused || reply->status == 400 || reply->status == 422) {
    // The account cannot take it, or the order is malformed: Tradier does not tell them apart.
    Order order;
    order.request = request;
    order.status = OrderStatus::rejected;
    order.reason = refusal(*reply, "the order was not accepted").message;
    co_return order;
  }
  if (!reply->ok()) {
    co_return std::unexpected(refusal(*reply, "the order was not accepted"));
  }
  const json::value* id = answer == nullptr ? nullptr : answer->get_object().if_contains("id");
  if (id == nullptr || !id->is_int64()) {
    co_return fail(ErrorCode::unavailable, "tradier: the answer to an order cannot be read");
  }
  // It answers with the id alone. What becomes of the order is asked for, not assumed; if that
  // fails it is still a new order.
  Order order;
  order.id.value = std::to_string(id->get_int64());
  order.request = request;
  order.status = OrderStatus::new_order;
  order.created = order.updated = now_unix();
  Result<Order> now = co_await fetch_order(order.id);
  if (now && now->request.client_id == request.client_id) co_return now;
  co_return order;
}

net::task<Result<std::optional<Order>>> TradierBroker::find_by_tag(const std::string& tag) {
  Result<std::vector<Order>> orders = co_await fetch_orders();
  if (!orders) co_return std::unexpected(orders.error());
  const auto found = std::ranges::find(
      *orders, tag, [](const Order& order) { return order.request.client_id.value; });
  if (found == orders->end()) co_return std::optional<Order>();
  co_return std::optional<Order>(std::move(*found));
}

net::task<Result<Order>> TradierBroker::fetch_order(const OrderId& id) {
  VenueCall call;
  call.path = account_path("/orders/" + form_encoded(id.value) + "?includeTags=true");
  const Result<VenueReply> reply = co_await client_.call(std::move(call));
  if (!reply) co_return std::unexpected(reply.error());
  if (!reply->ok()) co_return std::unexpected(refusal(*reply, "order " + id.value));
  const json::value* order = order_of(reply->body);
  const auto lookup = [this](auto symbol, auto) { return full_symbol(symbol); };
  co_return read_tradier_order(order != nullptr ? *order : json::value(), lookup);
}

net::task<Result<std::vector<Order>>> TradierBroker::fetch_orders() {
  VenueCall call;
  call.path = account_path("/orders?includeTags=true");
  const Result<VenueReply> reply = co_await client_.call(std::move(call));
  if (!reply) co_return std::unexpected(reply.error());
  if (!reply->ok()) co_return std::unexpected(refusal(*reply, "orders"));
  const auto lookup = [this](auto symbol, auto) { return full_symbol(symbol); };
  co_return read_tradier_orders(reply->body, lookup);
}

net::task<Result<void>> TradierBroker::cancel_order(OrderId id) {
  otel::Span span =
      otel::span("broker.cancel_order", {{"broker.venue", "tradier"}, {"order.id", id.value}});
  VenueCall call;
  call.method = "DELETE";
  call.path = account_path("/orders/" + form_encoded(id.value));
  const Result<VenueReply> reply = co_await client_.call(std::move(call));
  Result<void> result;
  if (!reply) {
    result = std::unexpected(reply.error());
  } else if (reply->status == 400 || reply->status == 409 || reply->status == 422) {
    // Final already; an earlier try of this very call may have done it.
    const Result<Order> order = co_await fetch_order(id);
    if (!order) {
      result = std::unexpected(order.error());
    } else if (order->status != OrderStatus::cancelled) {
      result = fail(ErrorCode::conflict, fmt::format("tradier: order {} is {} already", id.value,
                                                     to_string(order->status)));
    }
  } else if (!reply->ok()) {
    result = std::unexpected(refusal(*reply, "the order was not cancelled"));
  }
  finish(span, result);
  co_return result;
}

net::task<Result<Order>> TradierBroker::query_order(OrderId id) {
  otel::Span span =
      otel::span("broker.query_order", {{"broker.venue", "tradier"}, {"order.id", id.value}});
  Result<Order> order = co_await fetch_order(id);
  if (order) span.set("order.client_id", order->request.client_id.value);
  finish(span, order);
  co_return order;
}

net::task<Result<Order>> TradierBroker::query_order(ClientOrderId id) {
  otel::Span span = otel::span("broker.query_order",
                               {{"broker.venue", "tradier"}, {"order.client_id", id.value}});
  Result<std::optional<Order>> found = co_await find_by_tag(id.value);
  Result<Order> order;
  if (!found) {
    order = std::unexpected(found.error());
  } else if (!*found) {
    order = fail(ErrorCode::not_found, "tradier: there is no order with tag " + id.value);
  } else {
    order = std::move(**found);
    span.set("order.id", order->id.value);
  }
  finish(span, order);
  co_return order;
}

net::task<Result<std::vector<Order>>> TradierBroker::query_open_orders() {
  otel::Span span = otel::span("broker.query_open_orders", {{"broker.venue", "tradier"}});
  Result<std::vector<Order>> orders = co_await fetch_orders();
  if (orders) std::erase_if(*orders, [](const Order& order) { return is_final(order.status); });
  finish(span, orders);
  co_return orders;
}

net::task<Result<std::vector<BrokerPosition>>> TradierBroker::fetch_positions() {
  VenueCall call;
  call.path = account_path("/positions");
  const Result<VenueReply> reply = co_await client_.call(std::move(call));
  if (!reply) co_return std::unexpected(reply.error());
  if (!reply->ok()) co_return std::unexpected(refusal(*reply, "positions"));
  const auto lookup = [this](auto symbol, auto) { return full_symbol(symbol); };
  Result<std::vector<BrokerPosition>> positions = read_tradier_positions(reply->body, lookup);
  if (!positions || positions->empty()) co_return positions;
  VenueCall quotes;
  quotes.path = "/v1/markets/quotes?symbols=";
  for (const BrokerPosition& one : *positions) {
    if (!quotes.path.ends_with('=')) quotes.path += ',';
    quotes.path += form_encoded(one.symbol.ticker());
  }
  const Result<VenueReply> prices = co_await client_.call(std::move(quotes));
  if (!prices || !prices->ok()) co_return positions;  // marked at their cost, then
  for (const auto& [ticker, price] : read_tradier_quotes(prices->body)) {
    for (BrokerPosition& one : *positions) {
      if (one.symbol.ticker() == ticker) one.mark = price;
    }
  }
  co_return positions;
}

net::task<Result<std::vector<BrokerPosition>>> TradierBroker::query_positions() {
  otel::Span span = otel::span("broker.query_positions", {{"broker.venue", "tradier"}});
  Result<std::vector<BrokerPosition>> positions = co_await fetch_positions();
  finish(span, positions);
  co_return positions;
}

net::task<Result<BrokerAccount>> TradierBroker::query_account() {
  otel::Span span = otel::span("broker.query_account", {{"broker.venue", "tradier"}});
  VenueCall call;
  call.path = account_path("/balances");
  const Result<VenueReply> reply = co_await client_.call(std::move(call));
  Result<BrokerAccount> account;
  if (!reply) {
    account = std::unexpected(reply.error());
  } else if (!reply->ok()) {
    account = std::unexpected(refusal(*reply, "balances"));
  } else {
    account = read_tradier_balances(reply->body);
  }
  finish(span, account);
  co_return account;
}

// The differences between one answer of the venue and the next.
class TradierUpdates final : public OrderUpdateStream {
 public:
  TradierUpdates(TradierBroker& broker, std::vector<Order> orders) : broker_(broker) {
    for (Order& order : orders) seen_.insert_or_assign(order.id.value, std::move(order));
  }

  net::task<Result<std::optional<BrokerUpdate>>> next() override {
    for (;;) {
      if (closed_) co_return std::nullopt;
      if (!waiting_.empty()) {
        BrokerUpdate update = std::move(waiting_.front());
        waiting_.pop_front();
        co_return std::optional<BrokerUpdate>(std::move(update));
      }
      Result<std::vector<Order>> orders = co_await broker_.fetch_orders();
      if (!orders) co_return std::unexpected(std::move(orders.error()));
      for (Order& order : *orders) compare(std::move(order));
      if (!waiting_.empty()) continue;
      const Result<void> slept =
          co_await broker_.client_.config().waiting.sleep(broker_.config_.poll_interval);
      if (!slept) co_return std::unexpected(slept.error());
    }
  }

  net::task<void> close() override {
    closed_ = true;
    co_return;
  }

 private:
  void compare(Order order) {
    const auto at = seen_.find(order.id.value);
    for (BrokerUpdate& update : order_news(at == seen_.end() ? nullptr : &at->second, order)) {
      waiting_.push_back(std::move(update));
    }
    std::string id = order.id.value;
    seen_.insert_or_assign(std::move(id), std::move(order));
  }

  TradierBroker& broker_;  // NOLINT: see stream_order_updates
  std::map<std::string, Order> seen_;
  std::deque<BrokerUpdate> waiting_;
  bool closed_ = false;
};

net::task<Result<std::unique_ptr<OrderUpdateStream>>> TradierBroker::stream_order_updates() {
  Result<std::vector<Order>> orders = co_await fetch_orders();
  if (!orders) co_return std::unexpected(orders.error());
  co_return std::make_unique<TradierUpdates>(*this, std::move(*orders));
}

}  // namespace alphaswarm::trading
