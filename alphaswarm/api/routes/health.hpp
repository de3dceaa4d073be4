#pragma once

#include "alphaswarm/api/routes/context.hpp"

namespace alphaswarm::api {

// GET /              {service, version, health, docs, openapi, dashboard, traces}: where things
// are. GET /health        {status: "ok"|"degraded", version, dependencies: {<name>: {status:
// "ok"|"away",
//                    required, detail}}}; always 200. Names: database, bus, and what the program
//                    adds (worker, exchange, …).
// GET /health/ready  the same; 503 while a required one is away.
// GET /metrics       Prometheus text (version 0.0.4) from base/counters.
void add_health_routes(RouteTable& table, const Context& context);

}  // namespace alphaswarm::api
