#include "alphaswarm/api/routes/positions.hpp"

#include <string>
#include <utility>

#include "alphaswarm/api/books.hpp"
#include "alphaswarm/api/input.hpp"
#include "alphaswarm/api/run_status.hpp"

namespace alphaswarm::api {
namespace {

using persistence::RunRow;
using trading::Money;
using trading::Portfolio;

// The newest `limit` runs, or the one that `run_id` names (none if it is unknown).
Result<std::vector<RunRow>> runs_of(const ApiDependencies& service, std::int64_t limit,
                                    const std::string& run_id) {
  persistence::RunRepository runs(service.database);
  if (run_id.empty()) return runs.list(limit);
  Result<std::optional<RunRow>> run = runs.find(run_id);
  if (!run) return std::unexpected(run.error());
  std::vector<RunRow> found;
  if (run->has_value()) found.push_back(std::move(**run));
  return found;
}

using WriteRun = void (*)(JsonWriter& json, const RunRow& run, const Portfolio& portfolio);

net::HttpResponse list_books(const ApiDependencies& service, const net::HttpRequest& request,
                             WriteRun write_run) {
  QueryReader query(request);
  const std::int64_t limit = query.limit(100, 1'000);
  const std::string run_id = query.text("run_id");
  if (auto invalid = query.finish()) return std::move(*invalid);
  const Result<std::vector<RunRow>> runs = runs_of(service, limit, run_id);
  if (!runs) return error_reply(runs.error());
  JsonWriter json;
  json.begin_array();
  for (const RunRow& run : *runs) {
    const Result<Books> books = books_now(service.database, run);
    if (!books) return error_reply(books.error());
    write_run(json, with_liveness(run, now_unix()), books->portfolio);
  }
  json.end_array();
  return reply(std::move(json));
}

void write_pnl(JsonWriter& json, const RunRow& run, const Portfolio& portfolio) {
  Money unrealised;
  for (const trading::Position& position : portfolio.positions()) {
    unrealised += position.unrealised();
  }
  const Money initial(run.initial_cash);
  std::optional<double> total_return;
  if (!initial.is_zero()) {
    total_return = portfolio.equity().to_double() / initial.to_double() - 1.0;
  }
  json.begin_object()
      .field("run_id", run.id)
      .field("run_name", run.run_name)
      .field("status", run.status)
      .field("initial_cash", run.initial_cash)
      .field("equity", portfolio.equity().value())
      .field("realised_pnl", portfolio.realised().value())
      .field("unrealised_pnl", unrealised.value())
      .field("total_return", total_return)
      .field("max_drawdown", run.max_drawdown)
      .end_object();
}

}  // namespace

void write_open_positions(JsonWriter& json, const RunRow& run, const Portfolio& portfolio) {
  for (const trading::Position& position : portfolio.positions()) {
    if (position.quantity.is_zero()) continue;
    json.begin_object()
        .field("run_id", run.id)
        .field("run_name", run.run_name)
        .field("vt_symbol", position.symbol.text())
        .field("quantity", position.quantity.value())
        .field("average_cost", position.average_cost.value())
        .field("mark", position.mark.value())
        .field("value", position.value().value())
        .field("unrealised_pnl", position.unrealised().value())
        .field("realised_pnl", position.realised.value())
        .end_object();
  }
}

net::HttpResponse list_positions(const ApiDependencies& service, const net::HttpRequest& request) {
  return list_books(service, request, write_open_positions);
}

net::HttpResponse list_pnl(const ApiDependencies& service, const net::HttpRequest& request) {
  return list_books(service, request, write_pnl);
}

}  // namespace alphaswarm::api
