#pragma once

#include "alphaswarm/api/routes/context.hpp"

namespace alphaswarm::api {

// WS /chat/stream/{task_id}: every progress frame of that task as a text message
// {task_id, stage, message, timestamp, tags, …, traceparent}. Closes with 1000 after `done` or
// `error`; a late client gets that last frame at once. 4404 for a task that is not known, 4403 for
// a page of another site, 1001 when the service stops. What the client sends is ignored.
void add_stream_routes(RouteTable& table, const Context& context);

}  // namespace alphaswarm::api
