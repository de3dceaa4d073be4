#pragma once

#include "alphaswarm/api/routes/context.hpp"

namespace alphaswarm::api {

// GET /tasks/{task_id}  {task_id, name, queue, status, result, error, traceback, retries, worker,
//                       trace_id, created_at, started_at, finished_at}: where a task is, whoever
//                       runs it.
void add_task_routes(RouteTable& table, const Context& context);

}  // namespace alphaswarm::api
