#pragma once

// Jaeger's query API in both generations: what its UI, Grafana and older tools ask for.

#include <memory>

#include "alphaswarm/net/http_server.hpp"
#include "alphaswarm/query/query_service.hpp"

namespace alphaswarm::query::jaeger {

using Service = std::shared_ptr<const QueryService>;

// /api/services, /api/operations, /api/traces, /api/transform, /api/archive, /api/dependencies
void add_legacy_routes(net::Router& router, Service service);
// /api/metrics/{latencies,calls,errors,minstep}
void add_metrics_routes(net::Router& router, Service service);
// /api/v3/services, operations, traces, trace-summaries
void add_v3_routes(net::Router& router, Service service);

}  // namespace alphaswarm::query::jaeger
