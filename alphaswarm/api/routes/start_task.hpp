#pragma once

// The routes that only check their input and queue a task for a worker. Each answers 202
// TaskAccepted, 422, or 503 with the queue's sentence if no worker can take it.

#include "alphaswarm/api/routes/context.hpp"

namespace alphaswarm::api {

// POST /backtest/run
[[nodiscard]] net::task<net::HttpResponse> start_backtest(const ApiDependencies& service,
                                                          const net::HttpRequest& request);
// POST /paper/start
[[nodiscard]] net::task<net::HttpResponse> start_paper(const ApiDependencies& service,
                                                       const net::HttpRequest& request);
// POST /data/ingest
[[nodiscard]] net::task<net::HttpResponse> ingest(const ApiDependencies& service,
                                                  const net::HttpRequest& request);

}  // namespace alphaswarm::api
