#pragma once

#include <memory>
#include <span>
#include <vector>

#include "alphaswarm/api/api.hpp"
#include "alphaswarm/api/reply.hpp"
#include "alphaswarm/api/route_table.hpp"
#include "alphaswarm/api/rows.hpp"

namespace alphaswarm::api {

// Shared because every handler is a copyable function that needs it as long as the server runs.
using Context = std::shared_ptr<const ApiDependencies>;

// A route is a function of the service and the request; one that awaits nothing is a plain one. It
// may wait for the database: it is called on a blocking thread. A quick one waits for nothing.
using PlainRoute = net::HttpResponse (*)(const ApiDependencies&, const net::HttpRequest&);
using TaskRoute = net::task<net::HttpResponse> (*)(const ApiDependencies&, const net::HttpRequest&);

[[nodiscard]] net::Handler handler(Context context, PlainRoute route);
[[nodiscard]] net::Handler handler(Context context, TaskRoute route);
[[nodiscard]] net::Handler quick_handler(Context context, PlainRoute route);

// The path parameter; the router has made sure that it is there.
[[nodiscard]] inline std::string_view path_param(const net::HttpRequest& request,
                                                 std::string_view name) {
  return request.path_param(name).value_or(std::string_view());
}

template <class Row>
net::HttpResponse list_reply(const Result<std::vector<Row>>& rows) {
  if (!rows) return error_reply(rows.error());
  JsonWriter json;
  write_array(json, std::span<const Row>(*rows));
  return reply(std::move(json));
}

}  // namespace alphaswarm::api
