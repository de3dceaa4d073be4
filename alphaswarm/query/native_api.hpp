#pragma once

// Our own query API, for the web UI and the command line: nanoseconds throughout, one trace as
// columns. Under /api/alphaswarm/v1; errors are {"error":{"message"}} with 400 or 404.

#include <memory>

#include "alphaswarm/net/http_server.hpp"
#include "alphaswarm/query/query_service.hpp"

namespace alphaswarm::query {

// The handlers share `service`.
void add_native_routes(net::Router& router, std::shared_ptr<const QueryService> service);

// The columnar form of one trace: see the route /traces/{id}.
[[nodiscard]] std::string trace_columns_json(const AssembledTrace& trace);
// Everything about one span.
[[nodiscard]] std::string span_json(const AssembledTrace& trace, std::uint32_t index);

}  // namespace alphaswarm::query
