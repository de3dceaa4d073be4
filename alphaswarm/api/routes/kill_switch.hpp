#pragma once

#include "alphaswarm/api/routes/context.hpp"

namespace alphaswarm::api {

// GET /portfolio/kill_switch → {engaged, reason}; 503 if it cannot be told (then nobody may trade).
// POST /portfolio/kill_switch {engage: true|false, reason?} → {engaged, reason} as it is after;
//                    422; 503 if it could not be changed.
void add_kill_switch_routes(RouteTable& table, const Context& context);

}  // namespace alphaswarm::api
