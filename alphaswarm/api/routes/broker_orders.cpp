#include "alphaswarm/api/routes/broker_orders.hpp"

#include <chrono>
#include <limits>
#include <string>
#include <utility>

#include "alphaswarm/api/hand_orders.hpp"
#include "alphaswarm/api/input.hpp"
#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/net/runtime.hpp"
#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/persistence/run_repository.hpp"
#include "alphaswarm/trading/broker/broker.hpp"
#include "alphaswarm/trading/kill_switch/kill_switch.hpp"
#include "alphaswarm/trading/paper/order_change.hpp"
#include "alphaswarm/trading/paper/order_tracker.hpp"
#include "alphaswarm/trading/paper/session.hpp"

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

// Whether the order of a row that was there may be sent: an earlier try may have got through, maybe
// of a process that is no more, and a venue that does not know our ids would take it twice.
bool may_be_sent_again(const trading::Broker& broker, const OrderRow& row) {
  return broker.knows_client_ids() ||
         unseen(broker, row.created_at, row.updated_at) == trading::Unseen::never_came;
}

// Asks for it instead of sending it.
net::task<Result<Order>> look_for(trading::Broker& broker, const OrderRow& row) {
  trading::ClientOrderId id{row.client_order_id};
  Result<Order> found = co_await broker.query_order(std::move(id));
  if (found || found.error().code != ErrorCode::not_found) co_return found;
  const bool unknown = row.status_reason == trading::paper::kUnknown ||
                       unseen(broker, row.created_at, row.updated_at) == trading::Unseen::unknown;
  if (unknown) {
    co_return fail(ErrorCode::conflict, row.venue + ": " + std::string(trading::paper::kUnknown));
  }
  co_return fail(ErrorCode::unavailable,
                 row.venue + ": the order may be on its way; it was asked for, not sent again");
}

// An order of a run that goes on is its session's, which asks for it before the next bar.
Result<void> keep_cancelled(persistence::Database& database, const Order& now) {
  const std::string& id = now.request.client_id.value;
  const auto row = OrderRepository(database).find(id);
  if (!row) return std::unexpected(row.error());
  if (!*row) return {};
  if (!(*row)->run_id.empty()) {
    const auto run = persistence::RunRepository(database).find((*row)->run_id);
    if (!run) return std::unexpected(run.error());
    if (*run && !trading::paper::is_over(**run)) return {};
  }
  const trading::BrokerUpdate told{"", now, std::nullopt, ""};
  const auto kept = trading::paper::keep_told(database, id, told);
  if (!kept) return std::unexpected(kept.error());
  return {};
}

// Why no order may leave.
struct Held {
  int status;
  std::string why;
};

net::task<std::optional<Held>> hold(const ApiDependencies& service) {
  const Result<trading::KillSwitchState> state = co_await service.kill_switch.state();
  if (!state) co_return Held{503, state.error().message};
  if (!state->engaged) co_return std::nullopt;
  co_return Held{423, "The kill switch is engaged (" + state->reason + "): no new orders."};
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
  if (const auto held = co_await hold(service)) co_return error_reply(held->status, held->why);
  OrderRow row =
      trading::paper::make_order_row(*order, {}, (*broker)->venue(), otel::current_context());
  OrderRepository orders(service.database);
  const Result<bool> there = co_await net::blocking([&] { return keep(orders, row); });
  if (!there) co_return error_reply(there.error());
  otel::set_on_current("order.client_id", row.client_order_id);
  // The same order again: one that a venue has, or that has ended, is not sent once more.
  if (!trading::paper::is_unanswered(row)) co_return order_reply(row);
  bool look_only = *there && !may_be_sent_again(**broker, row);
  if (*there && !look_only) {
    const Result<bool> ours = co_await net::blocking([&] { return claim(service.database, row); });
    if (!ours) co_return error_reply(ours.error());
    if (!trading::paper::is_unanswered(row)) co_return order_reply(row);
    look_only = !*ours;
  }
  if (!look_only) {
    // Last before the order goes out, so that a switch engaged meanwhile still holds it.
    if (const auto held = co_await hold(service)) {
      const Result<void> kept = co_await net::blocking(
          [&] { return keep_failure(service.database, row, held->why, !*there); });
      if (!kept) co_return error_reply(kept.error());
      co_return error_reply(held->status, held->why);
    }
  }
  const Result<Order> sent =
      look_only ? co_await look_for(**broker, row) : co_await (*broker)->submit_order(*order);
  // As long since as it was: it was not sent now.
  if (look_only && !sent) co_return broker_error_reply(sent.error());
  // Whatever becomes of the answer, the news of earlier orders are kept.
  const auto keep_all = [&]() -> Result<void> {
    Result<void> told = keep_news(service.database, (*broker)->take_news());
    // What is said of this try says nothing of the one before.
    const bool over = !sent && !*there && trading::is_refusal(sent.error().code);
    Result<void> kept = sent ? keep_answer(service.database, row, *sent)
                             : keep_failure(service.database, row, sent.error().message, over);
    return kept ? told : kept;
  };
  const Result<void> kept = co_await net::blocking(keep_all);
  if (!kept) co_return error_reply(kept.error());
  if (!sent) co_return broker_error_reply(sent.error());
  co_return order_reply(row);
}

net::task<net::HttpResponse> cancel_order(const ApiDependencies& service,
                                          const net::HttpRequest& request) {
  const BrokerOrReply broker = find_broker(service, path_param(request, "venue"));
  if (!broker) co_return broker.error();
  const std::string_view id = path_param(request, "id");
  OrderRepository orders(service.database);
  Result<std::optional<OrderRow>> row = co_await net::blocking([&] { return orders.find(id); });
  if (!row) co_return error_reply(row.error());
  const bool ours = row->has_value() && !(*row)->broker_order_id.empty();
  trading::OrderId order_id{ours ? (*row)->broker_order_id : std::string(id)};
  const Result<void> cancelled = co_await (*broker)->cancel_order(order_id);
  if (!cancelled) co_return broker_error_reply(cancelled.error());
  const Result<Order> after = co_await (*broker)->query_order(order_id);
  if (after) {
    // Also where it was named by the venue's id.
    const Result<void> kept =
        co_await net::blocking([&] { return keep_cancelled(service.database, *after); });
    if (!kept) co_return error_reply(kept.error());
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
