#include "alphaswarm/api/routes/brokers.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "alphaswarm/api/routes/broker_orders.hpp"
#include "alphaswarm/trading/broker/broker.hpp"

namespace alphaswarm::api {
namespace {

using trading::Broker;
using trading::BrokerAccount;
using trading::BrokerPosition;

net::HttpResponse list_venues(const ApiDependencies& service, const net::HttpRequest&) {
  JsonWriter json;
  json.begin_array();
  for (const Venue& venue : service.venues) {
    json.begin_object()
        .field("venue", venue.name)
        .field("configured", venue.broker != nullptr)
        .field_or_null("note", venue.note)
        .field_or_null("host", venue.host)
        .field_or_null("account", venue.account)
        .end_object();
  }
  json.end_array();
  return reply(std::move(json));
}

net::task<net::HttpResponse> status(const ApiDependencies& service,
                                    const net::HttpRequest& request) {
  const BrokerOrReply found = find_broker(service, path_param(request, "venue"));
  if (!found) co_return found.error();
  const Result<BrokerAccount> account = co_await (*found)->query_account();
  if (!account) co_return broker_error_reply(account.error());
  JsonWriter json;
  json.begin_object()
      .field("venue", (*found)->venue())
      .field("connected", true)
      .field("detail", "account " + account->status)
      .end_object();
  co_return reply(std::move(json));
}

net::task<net::HttpResponse> account(const ApiDependencies& service,
                                     const net::HttpRequest& request) {
  const BrokerOrReply found = find_broker(service, path_param(request, "venue"));
  if (!found) co_return found.error();
  const Result<BrokerAccount> answer = co_await (*found)->query_account();
  if (!answer) co_return broker_error_reply(answer.error());
  JsonWriter json;
  json.begin_object()
      .field("venue", (*found)->venue())
      .field("id", answer->id)
      .field("status", answer->status)
      .field("cash", answer->cash.value())
      .field("equity", answer->equity.value())
      .field("buying_power", answer->buying_power.value())
      .end_object();
  co_return reply(std::move(json));
}

net::task<net::HttpResponse> positions(const ApiDependencies& service,
                                       const net::HttpRequest& request) {
  const BrokerOrReply found = find_broker(service, path_param(request, "venue"));
  if (!found) co_return found.error();
  const Result<std::vector<BrokerPosition>> answer = co_await (*found)->query_positions();
  if (!answer) co_return broker_error_reply(answer.error());
  JsonWriter json;
  json.begin_array();
  for (const BrokerPosition& each : *answer) {
    const trading::Money gain = (each.mark - each.average_cost) * each.quantity;
    json.begin_object()
        .field("vt_symbol", each.symbol.text())
        .field("quantity", each.quantity.value())
        .field("average_cost", each.average_cost.value())
        .field("mark", each.mark.value())
        .field("value", (each.mark * each.quantity).value())
        .field("unrealised_pnl", gain.value())
        .end_object();
  }
  json.end_array();
  co_return reply(std::move(json));
}

}  // namespace

BrokerOrReply find_broker(const ApiDependencies& service, std::string_view name) {
  const auto found = std::ranges::find(service.venues, name, &Venue::name);
  if (found == service.venues.end()) return std::unexpected(unknown_reply("venue", name));
  if (found->broker != nullptr) return found->broker;
  std::string sentence = "The venue '" + found->name + "' is not configured.";
  if (!found->note.empty()) sentence += " " + found->note;
  return std::unexpected(error_reply(503, sentence));
}

net::HttpResponse broker_error_reply(const Error& error) {
  switch (error.code) {
    case ErrorCode::invalid_argument:
    case ErrorCode::not_found:
    case ErrorCode::already_exists:
    case ErrorCode::conflict:
      return error_reply(error);
    default:
      return error_reply(502, error.message);
  }
}

void add_broker_routes(RouteTable& table, const Context& context) {
  const auto add_get = [&](std::string path, std::string summary, std::string response,
                           net::Handler route, std::vector<int> errors) {
    table.add({.method = "GET",
               .path = std::move(path),
               .tag = "brokers",
               .summary = std::move(summary),
               .response = std::move(response),
               .errors = std::move(errors)},
              std::move(route));
  };
  add_get("/brokers", "Venues", "Venue[]", handler(context, list_venues), {});
  add_get("/brokers/{venue}/status", "Whether the venue answers", "VenueStatus",
          handler(context, status), {404, 502, 503});
  add_get("/brokers/{venue}/account", "The account there", "VenueAccount",
          handler(context, account), {404, 502, 503});
  add_get("/brokers/{venue}/positions", "What it holds", "VenuePosition[]",
          handler(context, positions), {404, 502, 503});
  table.add({.method = "POST",
             .path = "/brokers/{venue}/orders",
             .tag = "brokers",
             .summary = "Send an order",
             .request = "OrderRequest",
             .response = "Order",
             .errors = {400, 404, 409, 422, 423, 502, 503}},
            handler(context, place_order));
  table.add({.method = "DELETE",
             .path = "/brokers/{venue}/orders/{id}",
             .tag = "brokers",
             .summary = "Cancel an order, by the venue's id or the client's",
             .response = "CancelAnswer",
             .errors = {404, 409, 502, 503}},
            handler(context, cancel_order));
}

}  // namespace alphaswarm::api
