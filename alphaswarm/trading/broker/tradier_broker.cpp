#include "alphaswarm/trading/broker/tradier_broker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <deque>
#include <set>

#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/trading/broker/order_news.hpp"
#include "alphaswarm/trading/broker/tradier_json.hpp"

namespace alphaswarm::trading {

namespace json = boost::json;
namespace otel = alphaswarm::observability;

namespace {

// Orders are listed in pages, of 25 unless more are asked for: one with fewer is the last.
constexpr std::size_t kLeastOnAPage = 25;
constexpr int kAskedOnAPage = 100;
constexpr int kMaxPages = 1'000;

VenueConfig venue_config(const TradierConfig& config) {
  VenueConfig venue = venue_of(config, "tradier");
  venue.headers.set("Authorization", "Bearer " + config.token);
  return venue;
}

const json::value* order_of(const json::value& body) {
  const json::object* object = body.if_object();
  const json::value* order = object == nullptr ? nullptr : object->if_contains("order");
  return order != nullptr && order->is_object() ? order : nullptr;
}

}  // namespace

TradierBroker::TradierBroker(TradierConfig config, net::HttpClient& http)
    : VenueBroker(venue_config(config), config.default_exchange, http),
      config_(std::move(config)) {}

// The list is that of the day in New York, five hours behind UTC in winter and four in summer.
// Where the two disagree on the day, it is not certain.
bool TradierBroker::shows_orders_since(UnixNanos time) const noexcept {
  constexpr std::int64_t kHour = 3'600'000'000'000;
  const std::int64_t now = now_unix().value;
  return std::ranges::all_of(std::array{4, 5}, [&](std::int64_t behind) {
    return (time.value - behind * kHour) / (24 * kHour) == (now - behind * kHour) / (24 * kHour);
  });
}

std::string TradierBroker::account_path(std::string_view rest) const {
  return fmt::format("/v1/accounts/{}{}", form_encoded(config_.account_id), rest);
}

Error TradierBroker::refusal(const VenueReply& reply, std::string_view what) const {
  Error error = to_error(reply, "tradier", what);
  std::string why = tradier_errors(reply.body);
  if (why.empty()) why = reply.text;
  if (!why.empty()) error.message = fmt::format("tradier: {} ({}): {}", what, reply.status, why);
  return error;
}

bool TradierBroker::claim(const std::string& tag) {
  const std::scoped_lock lock(mutex_);
  const std::int64_t now = monotonic_ns();
  if (const auto found = on_their_way_.find(tag); found != on_their_way_.end()) {
    if (now - found->second < std::chrono::nanoseconds(kOnItsWay).count()) return false;
    on_their_way_.erase(found);
  }
  if (on_their_way_.size() >= std::max<std::size_t>(1, config_.max_on_their_way)) {
    on_their_way_.erase(
        std::ranges::min_element(on_their_way_, {}, [](const auto& one) { return one.second; }));
  }
  on_their_way_.emplace(tag, now);
  return true;
}

void TradierBroker::release(const std::string& tag) {
  const std::scoped_lock lock(mutex_);
  on_their_way_.erase(tag);
}

net::task<Result<Order>> TradierBroker::submit(const OrderRequest& request) {
  const Result<std::string> form = to_tradier(request);
  if (!form) co_return std::unexpected(form.error());
  remember(request.symbol);
  const std::string& tag = request.client_id.value;
  // Claimed before it is looked for: whoever claims next looks after this one has its answer.
  const bool ours = claim(tag);
  Result<std::optional<Order>> known = co_await find_by_tag(tag);
  if (!known) {
    if (ours) release(tag);  // nothing was sent
    co_return std::unexpected(known.error());
  }
  if (*known) {
    if (ours) release(tag);
    co_return settled(std::move(**known), request);
  }
  if (!ours) {
    co_return fail(ErrorCode::unavailable,
                   "tradier: the order is on its way; it was asked for, not sent again");
  }
  Result<Order> sent = co_await send(request, *form);
  if (sent || is_refusal(sent.error().code)) {
    release(tag);
    co_return sent;
  }
  if (sent.error().code != ErrorCode::unavailable) co_return sent;
  const VenueConfig& venue = client().config();
  for (int tried = 1; tried <= config_.retry.tries; ++tried) {
    const std::chrono::nanoseconds wait = backoff(venue.retry, tried, venue.waiting.uniform());
    otel::event_on_current("broker.look_again",
                           {{"retry.reason", sent.error().message},
                            {"retry.delay_ms", static_cast<double>(wait.count()) * 1e-6}});
    const Result<void> waited = co_await venue.waiting.sleep(wait);
    if (!waited) co_return std::unexpected(waited.error());
    known = co_await find_by_tag(tag);
    if (known && *known) {
      release(tag);
      co_return settled(std::move(**known), request);
    }
  }
  co_return sent;
}

net::task<Result<Order>> TradierBroker::send(const OrderRequest& request, const std::string& form) {
  VenueCall call;
  call.method = "POST";
  call.path = account_path("/orders");
  call.body = form;
  call.content_type = "application/x-www-form-urlencoded";
  call.once = true;
  const Result<VenueReply> reply = co_await client().call(std::move(call));
  if (!reply) co_return std::unexpected(reply.error());
  const json::value* answer = order_of(reply->body);
  const bool refused = reply->ok() && answer == nullptr && !tradier_errors(reply->body).empty();
  if (refused || reply->status == 400 || reply->status == 422) {
    // The account cannot take it, or the order is malformed: Tradier does not tell them apart.
    co_return rejected(request, refusal(*reply, "the order was not accepted").message);
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

net::task<Result<VenueReply>> TradierBroker::get(std::string path, std::string what) {
  VenueCall call;
  call.path = std::move(path);
  Result<VenueReply> reply = co_await client().call(std::move(call));
  if (reply && !reply->ok()) co_return std::unexpected(refusal(*reply, what));
  co_return reply;
}

net::task<Result<Order>> TradierBroker::fetch_order(const OrderId& id) {
  std::string path = account_path("/orders/" + form_encoded(id.value) + "?includeTags=true");
  const Result<VenueReply> reply = co_await get(std::move(path), "order " + id.value);
  if (!reply) co_return std::unexpected(reply.error());
  const json::value* order = order_of(reply->body);
  const auto lookup = [this](auto symbol, auto) { return full_symbol(symbol); };
  co_return read_tradier_order(order != nullptr ? *order : json::value(), lookup);
}

net::task<Result<Order>> TradierBroker::fetch_order(const ClientOrderId& id) {
  Result<std::optional<Order>> found = co_await find_by_tag(id.value);
  if (!found) co_return std::unexpected(found.error());
  if (*found) co_return std::move(**found);
  co_return fail(ErrorCode::not_found, "tradier: there is no order with tag " + id.value);
}

// A venue that gives shorter pages than it is asked for, or all orders on each, is understood too.
net::task<Result<std::vector<Order>>> TradierBroker::fetch_orders() {
  const auto lookup = [this](auto symbol, auto) { return full_symbol(symbol); };
  std::vector<Order> all;
  std::set<std::string> seen;
  for (int page = 1; page <= kMaxPages; ++page) {
    std::string path =
        account_path(fmt::format("/orders?includeTags=true&page={}&limit={}", page, kAskedOnAPage));
    const Result<VenueReply> reply = co_await get(std::move(path), "orders");
    if (!reply) co_return std::unexpected(reply.error());
    Result<std::vector<Order>> orders = read_tradier_orders(reply->body, lookup);
    if (!orders) co_return orders;
    const std::size_t before = seen.size();
    for (Order& order : *orders) {
      if (seen.insert(order.id.value).second) all.push_back(std::move(order));
    }
    const std::vector<std::string> ids = tradier_order_ids(reply->body);
    seen.insert(ids.begin(), ids.end());
    if (seen.size() == before || ids.size() < kLeastOnAPage) co_return all;
  }
  co_return fail(ErrorCode::unavailable, "tradier: the list of orders does not end");
}

net::task<Result<std::vector<Order>>> TradierBroker::fetch_open_orders() {
  Result<std::vector<Order>> orders = co_await fetch_orders();
  if (orders) std::erase_if(*orders, [](const Order& order) { return is_final(order.status); });
  co_return orders;
}

net::task<Result<void>> TradierBroker::cancel(const OrderId& id) {
  VenueCall call;
  call.method = "DELETE";
  call.path = account_path("/orders/" + form_encoded(id.value));
  const Result<VenueReply> reply = co_await client().call(std::move(call));
  if (!reply) co_return std::unexpected(reply.error());
  if (reply->status == 400 || reply->status == 409 || reply->status == 422) {
    co_return co_await cancelled_before(id);
  }
  if (reply->ok()) co_return Result<void>();
  co_return std::unexpected(refusal(*reply, "the order was not cancelled"));
}

net::task<Result<std::vector<BrokerPosition>>> TradierBroker::fetch_positions() {
  const Result<VenueReply> reply = co_await get(account_path("/positions"), "positions");
  if (!reply) co_return std::unexpected(reply.error());
  const auto lookup = [this](auto symbol, auto) { return full_symbol(symbol); };
  Result<std::vector<BrokerPosition>> positions = read_tradier_positions(reply->body, lookup);
  if (!positions || positions->empty()) co_return positions;
  VenueCall quotes;
  quotes.path = "/v1/markets/quotes?symbols=";
  for (const BrokerPosition& one : *positions) {
    if (!quotes.path.ends_with('=')) quotes.path += ',';
    quotes.path += form_encoded(one.symbol.ticker());
  }
  const Result<VenueReply> prices = co_await client().call(std::move(quotes));
  if (!prices || !prices->ok()) co_return positions;  // marked at their cost, then
  for (const auto& [ticker, price] : read_tradier_quotes(prices->body)) {
    for (BrokerPosition& one : *positions) {
      if (one.symbol.ticker() == ticker) one.mark = price;
    }
  }
  co_return positions;
}

net::task<Result<BrokerAccount>> TradierBroker::fetch_account() {
  const Result<VenueReply> reply = co_await get(account_path("/balances"), "balances");
  if (!reply) co_return std::unexpected(reply.error());
  co_return read_tradier_balances(reply->body);
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
          co_await broker_.client().config().waiting.sleep(broker_.config_.poll_interval);
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
