#include "alphaswarm/api/route_table.hpp"

#include <optional>
#include <string_view>
#include <utility>

namespace alphaswarm::api {
namespace {

constexpr std::string_view kOtherSite = "Requests from pages of other sites are refused.";
constexpr std::uint16_t kForbidden = 4403;  // of the codes for applications

net::task<net::HttpResponse> guarded(const net::Handler& handler, const net::HttpRequest& request) {
  if (!is_same_origin(request)) co_return net::HttpResponse::detail(403, kOtherSite);
  co_return co_await handler(request);
}

net::task<void> guarded_socket(const net::WebSocketHandler& handler,
                               const net::HttpRequest& request, net::WebSocket& socket) {
  if (!is_same_origin(request)) {
    co_await socket.close(kForbidden, std::string(kOtherSite));
  } else {
    co_await handler(request, socket);
  }
}

}  // namespace

bool is_same_origin(const net::HttpRequest& request) noexcept {
  const std::optional<std::string_view> origin = request.headers.get("origin");
  if (!origin) return true;  // no browser, or a page of ours that only reads
  const std::size_t scheme_end = origin->find("://");
  if (scheme_end == origin->npos) return false;  // "null"
  const std::string_view host = request.headers.get("host").value_or(std::string_view());
  return net::equal_ignoring_case(origin->substr(scheme_end + 3), host);
}

void RouteTable::add(Operation operation, net::Handler handler) {
  if (operation.method != "GET") {
    operation.errors.push_back(403);
    handler = [inner = std::move(handler)](const net::HttpRequest& request) {
      return guarded(inner, request);
    };
  }
  router_.add(net::Route{.method = operation.method,
                         .path = operation.path,
                         .handler = std::move(handler),
                         .summary = operation.summary,
                         .tag = operation.tag,
                         .request_schema = operation.request,
                         .response_schema = operation.response});
  operations_.push_back(std::move(operation));
}

void RouteTable::add_websocket(Operation operation, net::WebSocketHandler handler) {
  operation.websocket = true;
  router_.add_websocket(
      operation.path,
      [inner = std::move(handler)](const net::HttpRequest& request, net::WebSocket& socket) {
        return guarded_socket(inner, request, socket);
      });
  operations_.push_back(std::move(operation));
}

}  // namespace alphaswarm::api
