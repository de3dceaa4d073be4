#include "alphaswarm/api/routes/portfolio.hpp"

#include <string>
#include <utility>

#include "alphaswarm/api/input.hpp"
#include "alphaswarm/api/routes/positions.hpp"

namespace alphaswarm::api {
namespace {

constexpr std::int64_t kDefaultRows = 100;
constexpr std::int64_t kMostRows = 10'000;

// The newest rows of one run or of all.
template <class Repository>
net::HttpResponse list_rows(const ApiDependencies& service, const net::HttpRequest& request) {
  QueryReader query(request);
  const std::int64_t limit = query.limit(kDefaultRows, kMostRows);
  const std::string run_id = query.text("run_id");
  if (auto invalid = query.finish()) return std::move(*invalid);
  Repository rows(service.database);
  return run_id.empty() ? list_reply(rows.list(limit)) : list_reply(rows.for_run(run_id, limit));
}

}  // namespace

void add_portfolio_routes(RouteTable& table, const Context& context) {
  const std::vector<QueryParameter> rows_query{
      {"limit", "integer", "at most so many, 1 to 10000 (100)"},
      {"run_id", "string", "only this run's"}};
  const auto add_list = [&](std::string path, std::string summary, std::string row,
                            PlainRoute route) {
    table.add({.method = "GET",
               .path = std::move(path),
               .tag = "portfolio",
               .summary = std::move(summary),
               .query = rows_query,
               .response = std::move(row),
               .errors = {422}},
              handler(context, route));
  };
  add_list("/portfolio/orders", "Orders, newest first", "Order[]",
           list_rows<persistence::OrderRepository>);
  add_list("/portfolio/fills", "Fills, newest first", "Fill[]",
           list_rows<persistence::FillRepository>);
  add_list("/portfolio/ledger", "Ledger lines, newest first", "LedgerEntry[]",
           list_rows<persistence::LedgerRepository>);
  add_list("/portfolio/positions", "Open positions of each session", "Position[]", list_positions);
  add_list("/portfolio/pnl", "Profit and loss of each session", "RunPnl[]", list_pnl);
}

}  // namespace alphaswarm::api
