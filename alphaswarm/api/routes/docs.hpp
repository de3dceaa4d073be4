#pragma once

#include "alphaswarm/api/routes/context.hpp"

namespace alphaswarm::api {

// GET /openapi.json  OpenAPI 3.1, made from `table`: call this last.
// GET /docs          the page that shows it.
void add_docs_routes(RouteTable& table, const Context& context);

}  // namespace alphaswarm::api
