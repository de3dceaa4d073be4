#include "alphaswarm/api/routes/backtest.hpp"

#include <string>
#include <utility>

#include "alphaswarm/api/input.hpp"
#include "alphaswarm/api/routes/start_task.hpp"

namespace alphaswarm::api {
namespace {

using persistence::BacktestRepository;
using persistence::BacktestRow;
using persistence::EquityPoint;

void write_run(JsonWriter& json, const BacktestRow& row) {
  json.begin_object();
  write_fields(json, row);
  json.end_object();
}

net::HttpResponse list_runs(const ApiDependencies& service, const net::HttpRequest& request) {
  QueryReader query(request);
  const std::int64_t limit = query.limit(100, 10'000);
  if (auto invalid = query.finish()) return std::move(*invalid);
  const Result<std::vector<BacktestRow>> rows = BacktestRepository(service.database).list(limit);
  if (!rows) return error_reply(rows.error());
  JsonWriter json;
  json.begin_array();
  for (const BacktestRow& row : *rows) write_run(json, row);
  json.end_array();
  return reply(std::move(json));
}

// By its own id or its task's.
Result<std::optional<BacktestRow>> find_run(const ApiDependencies& service, std::string_view id) {
  BacktestRepository runs(service.database);
  Result<std::optional<BacktestRow>> row = runs.find(id);
  if (row && !row->has_value()) row = runs.find_by_task(id);
  return row;
}

net::HttpResponse show_run(const ApiDependencies& service, const net::HttpRequest& request) {
  const std::string_view id = path_param(request, "id");
  const Result<std::optional<BacktestRow>> row = find_run(service, id);
  if (!row) return error_reply(row.error());
  if (!row->has_value()) return unknown_reply("backtest run", id);
  JsonWriter json;
  write_run(json, **row);
  return reply(std::move(json));
}

template <class Value>
net::HttpResponse plot(const ApiDependencies& service, const net::HttpRequest& request,
                       Value EquityPoint::* value) {
  const std::string_view id = path_param(request, "id");
  const Result<std::optional<BacktestRow>> row = find_run(service, id);
  if (!row) return error_reply(row.error());
  if (!row->has_value()) return unknown_reply("backtest run", id);
  const std::string& run_id = (*row)->id;
  const Result<std::vector<EquityPoint>> curve = BacktestRepository(service.database).curve(run_id);
  if (!curve) return error_reply(curve.error());
  JsonWriter json;
  json.begin_object().field("run_id", run_id).key("points").begin_array();
  for (const EquityPoint& point : *curve) {
    json.begin_object()
        .field("timestamp", point.timestamp)
        .field("value", point.*value)
        .end_object();
  }
  json.end_array().end_object();
  return reply(std::move(json));
}

net::HttpResponse equity(const ApiDependencies& service, const net::HttpRequest& request) {
  return plot(service, request, &EquityPoint::equity);
}

net::HttpResponse drawdown(const ApiDependencies& service, const net::HttpRequest& request) {
  return plot(service, request, &EquityPoint::drawdown);
}

}  // namespace

void add_backtest_routes(RouteTable& table, const Context& context) {
  table.add({.method = "POST",
             .path = "/backtest/run",
             .tag = "backtest",
             .summary = "Start a backtest",
             .request = "StartRequest",
             .response = "TaskAccepted",
             .status = 202,
             .errors = {422, 503}},
            handler(context, start_backtest));
  table.add({.method = "GET",
             .path = "/backtest/runs",
             .tag = "backtest",
             .summary = "Backtests, newest first",
             .query = {{"limit", "integer", "at most so many, 1 to 10000 (100)"}},
             .response = "BacktestRun[]",
             .errors = {422}},
            handler(context, list_runs));
  table.add({.method = "GET",
             .path = "/backtest/runs/{id}",
             .tag = "backtest",
             .summary = "One backtest, by its id or its task's",
             .response = "BacktestRun",
             .errors = {404}},
            handler(context, show_run));
  table.add({.method = "GET",
             .path = "/backtest/runs/{id}/plot/equity",
             .tag = "backtest",
             .summary = "Equity at each bar's close",
             .response = "Curve",
             .errors = {404}},
            handler(context, equity));
  table.add({.method = "GET",
             .path = "/backtest/runs/{id}/plot/drawdown",
             .tag = "backtest",
             .summary = "Fraction below the peak at each bar's close",
             .response = "Curve",
             .errors = {404}},
            handler(context, drawdown));
}

}  // namespace alphaswarm::api
