#include "alphaswarm/api/api.hpp"

#include <memory>
#include <utility>

#include "alphaswarm/api/route_table.hpp"
#include "alphaswarm/api/routes/backtest.hpp"
#include "alphaswarm/api/routes/brokers.hpp"
#include "alphaswarm/api/routes/context.hpp"
#include "alphaswarm/api/routes/data.hpp"
#include "alphaswarm/api/routes/docs.hpp"
#include "alphaswarm/api/routes/health.hpp"
#include "alphaswarm/api/routes/kill_switch.hpp"
#include "alphaswarm/api/routes/pages.hpp"
#include "alphaswarm/api/routes/paper.hpp"
#include "alphaswarm/api/routes/portfolio.hpp"
#include "alphaswarm/api/routes/stream.hpp"
#include "alphaswarm/api/routes/tasks.hpp"

namespace alphaswarm::api {

net::Router make_router(ApiDependencies dependencies) {
  const auto context = std::make_shared<const ApiDependencies>(std::move(dependencies));
  RouteTable table;
  add_health_routes(table, context);
  add_backtest_routes(table, context);
  add_paper_routes(table, context);
  add_portfolio_routes(table, context);
  add_kill_switch_routes(table, context);
  add_data_routes(table, context);
  add_broker_routes(table, context);
  add_task_routes(table, context);
  add_stream_routes(table, context);
  add_page_routes(table, context);
  add_docs_routes(table, context);  // last: it describes the others
  return table.take_router();
}

}  // namespace alphaswarm::api
