#pragma once

#include "alphaswarm/api/routes/context.hpp"

namespace alphaswarm::api {

// GET /dash, /dash/…   the dashboard; a path without a file name is a deep link into it.
// GET /dash/config.json {traceUiUrl}.
void add_page_routes(RouteTable& table, const Context& context);

// A page with its content type, encoding and how long it may be kept.
[[nodiscard]] net::HttpResponse page_reply(const Page& page);

}  // namespace alphaswarm::api
