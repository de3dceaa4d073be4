#include "alphaswarm/api/route_table.hpp"

#include <utility>

namespace alphaswarm::api {

void RouteTable::add(Operation operation, net::Handler handler) {
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
  router_.add_websocket(operation.path, std::move(handler));
  operations_.push_back(std::move(operation));
}

}  // namespace alphaswarm::api
