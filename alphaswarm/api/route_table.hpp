#pragma once

// What the service offers: each route is described where it is registered, and the OpenAPI
// document is made from these very descriptions, so that the two cannot differ.

#include <span>
#include <string>
#include <vector>

#include "alphaswarm/net/http_server.hpp"

namespace alphaswarm::api {

// One parameter of a query string. `type` as in schemas.cpp: "string", "integer", "time".
struct QueryParameter {
  std::string name;
  std::string type = "string";
  std::string about{};
};

struct Operation {
  std::string method;  // "GET"
  std::string path;    // "/paper/runs/{id}"
  std::string tag;
  std::string summary;
  std::vector<QueryParameter> query{};
  std::string request{};   // a type as in schemas.cpp, or empty: no body
  std::string response{};  // a type as in schemas.cpp, or a media type such as "text/html"
  int status = 200;
  std::vector<int> errors{};  // what else it may answer
  bool websocket = false;
};

// False if a browser says that another site's page asks: Origin is there and names another host
// than Host. Whatever acts on money must not be at the mercy of any page the user happens to open.
[[nodiscard]] bool is_same_origin(const net::HttpRequest& request) noexcept;

class RouteTable {
 public:
  // What changes something (all but GET) answers 403 unless is_same_origin.
  void add(Operation operation, net::Handler handler);
  // Likewise: closes with 4403.
  void add_websocket(Operation operation, net::WebSocketHandler handler);

  [[nodiscard]] std::span<const Operation> operations() const noexcept { return operations_; }
  [[nodiscard]] net::Router take_router() { return std::move(router_); }

 private:
  net::Router router_;
  std::vector<Operation> operations_;
};

}  // namespace alphaswarm::api
