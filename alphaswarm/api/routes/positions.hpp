#pragma once

#include "alphaswarm/api/routes/context.hpp"
#include "alphaswarm/trading/market/portfolio.hpp"

namespace alphaswarm::api {

// Each open position of the run's books as {run_id, run_name, vt_symbol, quantity, average_cost,
// mark, value, unrealised_pnl, realised_pnl}, into an array that is already open.
void write_open_positions(JsonWriter& json, const persistence::RunRow& run,
                          const trading::Portfolio& portfolio);

// GET /portfolio/positions and /portfolio/pnl, see portfolio.hpp.
[[nodiscard]] net::HttpResponse list_positions(const ApiDependencies& service,
                                               const net::HttpRequest& request);
[[nodiscard]] net::HttpResponse list_pnl(const ApiDependencies& service,
                                         const net::HttpRequest& request);

}  // namespace alphaswarm::api
