#include "alphaswarm/api/routes/kill_switch.hpp"

#include <string>
#include <utility>

#include "alphaswarm/api/input.hpp"
#include "alphaswarm/trading/kill_switch/kill_switch.hpp"

namespace alphaswarm::api {
namespace {

net::HttpResponse state_reply(const Result<trading::KillSwitchState>& state) {
  if (!state) return error_reply(state.error());
  JsonWriter json;
  json.begin_object().field("engaged", state->engaged).field("reason", state->reason).end_object();
  return reply(std::move(json));
}

net::task<net::HttpResponse> show(const ApiDependencies& service, const net::HttpRequest&) {
  co_return state_reply(co_await service.kill_switch.state());
}

net::task<net::HttpResponse> change(const ApiDependencies& service,
                                    const net::HttpRequest& request) {
  BodyReader body(request);
  body.require("engage");
  const bool engage = body.flag("engage", false);
  std::string reason = body.text("reason", "", 500);
  if (auto invalid = body.finish()) co_return std::move(*invalid);
  if (engage && reason.empty()) reason = "engaged by hand";
  Result<void> done;
  if (engage) {
    done = co_await service.kill_switch.engage(std::move(reason));
  } else {
    done = co_await service.kill_switch.release(std::move(reason));
  }
  if (!done) co_return error_reply(done.error());
  co_return state_reply(co_await service.kill_switch.state());
}

}  // namespace

void add_kill_switch_routes(RouteTable& table, const Context& context) {
  table.add({.method = "GET",
             .path = "/portfolio/kill_switch",
             .tag = "portfolio",
             .summary = "Whether new orders are held back",
             .response = "KillSwitch",
             .errors = {503}},
            handler(context, show));
  table.add({.method = "POST",
             .path = "/portfolio/kill_switch",
             .tag = "portfolio",
             .summary = "Hold back new orders and cancel open ones, or let trading go on",
             .request = "KillSwitchRequest",
             .response = "KillSwitch",
             .errors = {422, 503}},
            handler(context, change));
}

}  // namespace alphaswarm::api
