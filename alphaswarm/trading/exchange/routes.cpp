// The HTTP face of the simulated exchange: who calls, what may go wrong on purpose, and which
// method of the account answers.

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/trading/exchange/data_stream.hpp"
#include "alphaswarm/trading/exchange/exchange.hpp"
#include "alphaswarm/trading/exchange/queries.hpp"
#include "alphaswarm/trading/exchange/stream.hpp"

namespace alphaswarm::trading::exchange {

namespace json = boost::json;
namespace otel = alphaswarm::observability;

namespace {

using net::HttpRequest;
using net::HttpResponse;
using Answer = ApiResult<HttpResponse>;
using AccountCall = std::function<Answer(Account&, const HttpRequest&)>;

HttpResponse refuse(const ApiError& error) {
  return HttpResponse::json(error.status, to_body(error));
}

HttpResponse reply(const json::value& body, int status = 200) {
  return HttpResponse::json(status, json::serialize(body));
}

// For calls whose result is JSON or a refusal.
Answer answer(ApiResult<json::object> result) {
  if (!result) return std::unexpected(std::move(result.error()));
  return reply(std::move(*result));
}

void note_order(const json::object& order) {
  otel::set_on_current("order.client_id",
                       std::string_view(order.at("client_order_id").as_string()));
  otel::set_on_current("order.id", std::string_view(order.at("id").as_string()));
}

Answer answer_order(ApiResult<json::object> result) {
  if (result) note_order(*result);
  return answer(std::move(result));
}

std::string_view param(const HttpRequest& request, std::string_view name) {
  return request.path_param(name).value_or("");
}

ApiResult<std::string> key_of(const HttpRequest& request) {
  const auto key = request.headers.get("APCA-API-KEY-ID");
  const auto secret = request.headers.get("APCA-API-SECRET-KEY");
  if (!key || key->empty() || !secret || secret->empty()) return unauthorized();
  return std::string(*key);
}

HttpResponse failure(const FaultSettings& faults) {
  if (faults.garbage) return HttpResponse::text(200, "<html>try again", "application/json");
  const int status = faults.error_status;
  const std::string_view text = status == 429 ? "rate limit exceeded" : "injected failure";
  HttpResponse response = refuse(ApiError{status, status * 100'000 + 10'000, std::string(text)});
  if (faults.retry_after_seconds) {
    response.headers.set("Retry-After", std::to_string(*faults.retry_after_seconds));
  }
  return response;
}

class Routes {
 public:
  Routes(net::Router& router, Accounts& accounts, Faults& faults)
      : router_(router), accounts_(accounts), faults_(faults) {}

  // A route that works on the caller's account.
  void on_account(std::string method, std::string path, std::string summary, AccountCall call) {
    add(std::move(method), std::move(path), std::move(summary),
        [&accounts = accounts_, call = std::move(call)](const HttpRequest& request) -> Answer {
          const ApiResult<std::string> key = key_of(request);
          if (!key) return std::unexpected(key.error());
          const auto account = accounts.get(*key);
          if (!account) return std::unexpected(account.error());
          return call(**account, request);
        });
  }

  // A route that may be slow or fail on purpose.
  void add(std::string method, std::string path, std::string summary,
           std::function<Answer(const HttpRequest&)> call) {
    net::Handler handler = [&faults = faults_, call = std::move(call)](
                               const HttpRequest& request) -> net::task<HttpResponse> {
      const Faults::Verdict verdict = faults.next();
      if (verdict.delay.count() > 0) std::ignore = co_await net::sleep_for(verdict.delay);
      if (verdict.fails && !verdict.settings.after_effect) {
        otel::event_on_current("exchange.injected_fault");
        co_return failure(verdict.settings);
      }
      Answer result = call(request);
      if (verdict.fails) {
        otel::event_on_current("exchange.injected_fault", {{"after_effect", true}});
        co_return failure(verdict.settings);
      }
      co_return result ? std::move(*result) : refuse(result.error());
    };
    add_plain(std::move(method), std::move(path), std::move(summary), std::move(handler));
  }

  void add_plain(std::string method, std::string path, std::string summary, net::Handler handler) {
    net::Route route;
    route.method = std::move(method);
    route.path = std::move(path);
    route.handler = std::move(handler);
    route.summary = std::move(summary);
    route.tag = "exchange";
    router_.add(std::move(route));
  }

 private:
  net::Router& router_;
  Accounts& accounts_;
  Faults& faults_;
};

void add_orders(Routes& routes) {
  routes.on_account("POST", "/v2/orders", "Submit an order", [](Account& account, auto& request) {
    return answer_order(account.submit(request.body));
  });
  routes.on_account("GET", "/v2/orders", "Orders, newest first",
                    [](Account& account, auto& request) -> Answer {
                      const ApiResult<OrderFilter> filter = parse_filter(request);
                      if (!filter) return std::unexpected(filter.error());
                      return reply(account.orders(*filter));
                    });
  routes.on_account(
      "DELETE", "/v2/orders", "Cancel all open orders",
      [](Account& account, auto&) -> Answer { return reply(account.cancel_all(), 207); });
  routes.on_account("GET", "/v2/orders:by_client_order_id", "An order by the id its sender gave it",
                    [](Account& account, auto& request) {
                      return answer_order(account.order_by_client_id(
                          request.query_param("client_order_id").value_or("")));
                    });
  routes.on_account("GET", "/v2/orders/{id}", "An order", [](Account& account, auto& request) {
    return answer_order(account.order(param(request, "id")));
  });
  routes.on_account("PATCH", "/v2/orders/{id}", "Replace an open order",
                    [](Account& account, auto& request) {
                      return answer_order(account.replace(param(request, "id"), request.body));
                    });
  routes.on_account("DELETE", "/v2/orders/{id}", "Cancel an order",
                    [](Account& account, auto& request) -> Answer {
                      const auto order = account.cancel(param(request, "id"));
                      if (!order) return std::unexpected(order.error());
                      note_order(*order);
                      HttpResponse done;
                      done.status = 204;
                      return done;
                    });
}

void add_books(Routes& routes) {
  routes.on_account("GET", "/v2/account", "The account",
                    [](Account& account, auto&) -> Answer { return reply(account.account()); });
  routes.on_account("GET", "/v2/positions", "Open positions",
                    [](Account& account, auto&) -> Answer { return reply(account.positions()); });
  routes.on_account("DELETE", "/v2/positions", "Close all positions at the next open",
                    [](Account& account, auto& request) -> Answer {
                      if (request.query_param("cancel_orders") == "true") account.cancel_all();
                      return reply(account.close_all_positions(), 207);
                    });
  routes.on_account(
      "GET", "/v2/account/configurations", "What the account may do",
      [](Account& account, auto&) -> Answer { return reply(account.configurations()); });
  routes.on_account(
      "PATCH", "/v2/account/configurations", "Change what the account may do",
      [](Account& account, auto& request) { return answer(account.configure(request.body)); });
  routes.on_account("GET", "/v2/account/portfolio/history", "Equity over time",
                    [](Account& account, auto& request) -> Answer {
                      const ApiResult<HistoryQuery> query = parse_history(request);
                      if (!query) return std::unexpected(query.error());
                      return answer(account.portfolio_history(*query));
                    });
  routes.on_account("GET", "/v2/stocks/bars", "The last bars, as a market-data service has them",
                    [](Account& account, auto& request) -> Answer {
                      const ApiResult<BarsQuery> query = parse_bars(request);
                      if (!query) return std::unexpected(query.error());
                      return answer(account.bars(*query));
                    });
  routes.on_account("GET", "/v2/calendar", "Trading days: every one",
                    [](Account& account, auto& request) -> Answer {
                      const auto start = time_param(request, "start");
                      if (!start) return std::unexpected(start.error());
                      const auto end = time_param(request, "end");
                      if (!end) return std::unexpected(end.error());
                      auto days = account.calendar(*start, *end);
                      if (!days) return std::unexpected(std::move(days.error()));
                      return reply(std::move(*days));
                    });
  routes.on_account("GET", "/v2/positions/{symbol}", "An open position",
                    [](Account& account, auto& request) {
                      return answer(account.position(param(request, "symbol")));
                    });
  routes.on_account(
      "DELETE", "/v2/positions/{symbol}", "Close a position at the next open",
      [](Account& account, auto& request) -> Answer {
        const auto quantity = decimal_param(request, "qty");
        if (!quantity) return std::unexpected(quantity.error());
        const auto percent = decimal_param(request, "percentage");
        if (!percent) return std::unexpected(percent.error());
        return answer_order(account.close_position(param(request, "symbol"), *quantity, *percent));
      });
  routes.on_account("GET", "/v2/assets", "What can be traded",
                    [](Account& account, auto&) -> Answer { return reply(account.assets()); });
  routes.on_account("GET", "/v2/assets/{symbol}", "One tradable asset",
                    [](Account& account, auto& request) {
                      return answer(account.asset(param(request, "symbol")));
                    });
  routes.on_account("GET", "/v2/clock", "The market's time",
                    [](Account& account, auto&) -> Answer { return reply(account.clock()); });
}

Answer open_account(Accounts& accounts, const HttpRequest& request) {
  const ApiResult<std::string> key = key_of(request);
  if (!key) return std::unexpected(key.error());
  ApiResult<OpenRequest> wanted = parse_open(request.body, accounts.defaults());
  if (!wanted) return std::unexpected(std::move(wanted.error()));
  const ApiResult<Accounts::Opened> opened = accounts.open(*key, std::move(*wanted));
  if (!opened) return std::unexpected(opened.error());
  return reply(json::object{{"created", opened->created},
                            {"last_bar_index", opened->account->last_bar_index()},
                            {"account", opened->account->account()}});
}

void add_market(Routes& routes, Accounts& accounts) {
  routes.add("POST", "/sim/v1/account", "Open the caller's account with terms of its own",
             [&accounts](const HttpRequest& request) { return open_account(accounts, request); });
  routes.add("DELETE", "/sim/v1/account", "The caller is done with its account",
             [&accounts](const HttpRequest& request) -> Answer {
               const ApiResult<std::string> key = key_of(request);
               if (!key) return std::unexpected(key.error());
               accounts.close(*key);
               HttpResponse done;
               done.status = 204;
               return done;
             });
  routes.on_account("DELETE", "/sim/v1/streams", "Cut the caller's streams, as an outage would",
                    [](Account& account, auto&) -> Answer {
                      account.cut_streams();
                      HttpResponse done;
                      done.status = 204;
                      return done;
                    });
  routes.on_account("POST", "/sim/v1/advance",
                    "Move the account's market by the bars of one instant",
                    [](Account& account, auto& request) -> Answer {
                      ApiResult<Advanced> step = account.advance(request.body);
                      if (!step) return std::unexpected(std::move(step.error()));
                      HttpResponse response = HttpResponse::json(200, std::move(step->body));
                      if (step->repeated) response.headers.set("X-Sim-Repeated", "true");
                      return response;
                    });
}

void add_faults(Routes& routes, Faults& faults) {
  routes.add_plain("GET", "/sim/v1/faults", "Trouble on purpose, as set",
                   [&faults](const HttpRequest&) -> net::task<HttpResponse> {
                     co_return reply(to_json(faults.settings()));
                   });
  routes.add_plain("POST", "/sim/v1/faults", "Set trouble on purpose; {} ends it",
                   [&faults](const HttpRequest& request) -> net::task<HttpResponse> {
                     boost::system::error_code malformed;
                     const json::value body = json::parse(request.body, malformed);
                     const Result<FaultSettings> settings =
                         parse_faults(malformed ? nullptr : body);
                     if (!settings) {
                       co_return refuse(unprocessable(settings.error().message).error());
                     }
                     faults.set(*settings);
                     co_return reply(to_json(*settings));
                   });
}

}  // namespace

net::Router make_router(Accounts& accounts, Faults& faults) {
  net::Router router;
  Routes routes(router, accounts, faults);
  add_orders(routes);
  add_books(routes);
  add_market(routes, accounts);
  add_faults(routes, faults);
  routes.add_plain("GET", "/health", "Whether it serves",
                   [&accounts](const HttpRequest&) -> net::task<HttpResponse> {
                     co_return reply(json::object{{"status", "ok"}, {"accounts", accounts.size()}});
                   });
  for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
    routes.add_plain(method, "/{path*}", "", [](const HttpRequest&) -> net::task<HttpResponse> {
      co_return refuse(missing("endpoint not found").error());
    });
  }
  router.add_websocket("/stream", [&accounts](const HttpRequest&, net::WebSocket& socket) {
    return serve_stream(accounts, socket);
  });
  for (const char* feed : {"iex", "sip", "delayed_sip", "test"}) {
    router.add_websocket(std::string("/v2/") + feed,
                         [&accounts](const HttpRequest& request, net::WebSocket& socket) {
                           return serve_data_stream(accounts, request, socket);
                         });
  }
  return router;
}

}  // namespace alphaswarm::trading::exchange
