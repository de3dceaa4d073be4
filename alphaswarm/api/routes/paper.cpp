#include "alphaswarm/api/routes/paper.hpp"

#include <string>
#include <utility>

#include "alphaswarm/api/books.hpp"
#include "alphaswarm/api/input.hpp"
#include "alphaswarm/api/routes/positions.hpp"
#include "alphaswarm/api/routes/start_task.hpp"
#include "alphaswarm/api/run_status.hpp"
#include "alphaswarm/net/runtime.hpp"
#include "alphaswarm/persistence/task_repository.hpp"
#include "alphaswarm/tasks/foreign_results.hpp"
#include "alphaswarm/tasks/queue.hpp"
#include "alphaswarm/tasks/task_result.hpp"
#include "alphaswarm/trading/kill_switch/stop_signal.hpp"

namespace alphaswarm::api {
namespace {

using persistence::EquityPoint;
using persistence::RunRepository;
using persistence::RunRow;
using persistence::TaskRow;

constexpr std::size_t kLongestReason = 500;

net::HttpResponse list_runs(const ApiDependencies& service, const net::HttpRequest& request) {
  QueryReader query(request);
  const std::int64_t limit = query.limit(100, 10'000);
  if (auto invalid = query.finish()) return std::move(*invalid);
  Result<std::vector<RunRow>> rows = RunRepository(service.database).list(limit);
  if (!rows) return error_reply(rows.error());
  JsonWriter json;
  json.begin_array();
  for (RunRow& row : *rows) {
    json.begin_object();
    write_fields(json, with_liveness(std::move(row), now_unix()));
    json.end_object();
  }
  json.end_array();
  return reply(std::move(json));
}

// By its own id or its task's.
Result<std::optional<RunRow>> find_run(const ApiDependencies& service, std::string_view id) {
  RunRepository runs(service.database);
  Result<std::optional<RunRow>> row = runs.find(id);
  if (row && !row->has_value()) row = runs.find_by_task(id);
  return row;
}

void write_curve(JsonWriter& json, const std::vector<EquityPoint>& curve) {
  json.begin_array();
  for (const EquityPoint& point : curve) {
    json.begin_object()
        .field("timestamp", point.timestamp)
        .field("equity", point.equity)
        .field("drawdown", point.drawdown)
        .end_object();
  }
  json.end_array();
}

// "name": the newest rows of the run.
template <class Repository>
Result<void> write_rows(JsonWriter& json, std::string_view name, const ApiDependencies& service,
                        const std::string& run_id, std::int64_t limit) {
  const auto rows = Repository(service.database).for_run(run_id, limit);
  if (!rows) return std::unexpected(rows.error());
  json.key(name);
  write_array(json, std::span(*rows));
  return {};
}

Result<JsonWriter> describe(const ApiDependencies& service, const RunRow& run, std::int64_t limit,
                            std::int64_t points) {
  const Result<Books> books = books_over_time(service.database, run);
  if (!books) return std::unexpected(books.error());
  JsonWriter json;
  json.begin_object();
  write_fields(json, run);
  json.field("equity", books->portfolio.equity().value());
  json.key("state").raw(run.state_json.empty() ? "{}" : run.state_json);
  using persistence::FillRepository;
  using persistence::LedgerRepository;
  using persistence::OrderRepository;
  Result<void> written = write_rows<OrderRepository>(json, "orders", service, run.id, limit);
  if (written) written = write_rows<FillRepository>(json, "fills", service, run.id, limit);
  if (written) written = write_rows<LedgerRepository>(json, "ledger", service, run.id, limit);
  if (!written) return std::unexpected(written.error());
  json.key("positions").begin_array();
  write_open_positions(json, run, books->portfolio);
  json.end_array().key("equity_curve");
  write_curve(json, thinned(books->curve, static_cast<std::size_t>(points)));
  json.end_object();
  return json;
}

net::HttpResponse show_run(const ApiDependencies& service, const net::HttpRequest& request) {
  const std::string_view id = path_param(request, "id");
  QueryReader query(request);
  const std::int64_t limit = query.limit(500, 10'000);
  const std::int64_t points = query.count("points", 1'000, 100'000);
  if (auto invalid = query.finish()) return std::move(*invalid);
  Result<std::optional<RunRow>> row = find_run(service, id);
  if (!row) return error_reply(row.error());
  if (!row->has_value()) return unknown_reply("paper run", id);
  const RunRow run = with_liveness(std::move(**row), now_unix());
  Result<JsonWriter> json = describe(service, run, limit, std::max<std::int64_t>(points, 2));
  if (!json) return error_reply(json.error());
  return reply(std::move(*json));
}

enum class Progress : std::uint8_t { queued, begun, ended };

// not_found if no paper session has that task.
net::task<Result<Progress>> progress_of(const ApiDependencies& service, std::string_view task_id) {
  const Result<std::optional<RunRow>> run =
      co_await net::blocking([&] { return RunRepository(service.database).find_by_task(task_id); });
  if (!run) co_return std::unexpected(run.error());
  if (run->has_value()) co_return has_ended(**run) ? Progress::ended : Progress::begun;
  // Not started yet: only its task is known.
  const Result<std::optional<TaskRow>> task = co_await service.results.look(std::string(task_id));
  if (!task) co_return std::unexpected(task.error());
  if (!task->has_value() || !(*task)->name.ends_with(".run_paper")) {
    co_return fail(ErrorCode::not_found,
                   "There is no paper task '" + std::string(task_id.substr(0, 100)) + "'.");
  }
  const std::string& status = (*task)->status;
  if (tasks::is_terminal(status)) co_return Progress::ended;
  co_return status == tasks::kStarted ? Progress::begun : Progress::queued;
}

net::task<net::HttpResponse> stop(const ApiDependencies& service, const net::HttpRequest& request) {
  const std::string_view task_id = path_param(request, "task_id");
  QueryReader query(request);
  std::string reason = query.text("reason");
  if (reason.size() > kLongestReason) {
    query.report("reason", "must have at most " + std::to_string(kLongestReason) + " bytes",
                 "out_of_range");
  }
  if (auto invalid = query.finish()) co_return std::move(*invalid);
  if (reason.empty()) reason = "stopped by the user";
  const Result<Progress> progress = co_await progress_of(service, task_id);
  if (!progress) co_return error_reply(progress.error());
  const bool stoppable = *progress != Progress::ended;
  if (stoppable) {
    const Result<void> sent = co_await trading::send_stop(service.bus, task_id, reason);
    if (!sent) co_return error_reply(sent.error());
  }
  if (*progress == Progress::queued) {
    // Python workers know nothing of the signal, and it has an end of life.
    const Result<void> revoked = co_await service.queue.revoke(std::string(task_id));
    if (!revoked) co_return error_reply(revoked.error());
  }
  JsonWriter json;
  json.begin_object()
      .field("task_id", task_id)
      .field("reason", reason)
      .field("ok", stoppable)
      .end_object();
  co_return reply(std::move(json));
}

}  // namespace

void add_paper_routes(RouteTable& table, const Context& context) {
  table.add({.method = "POST",
             .path = "/paper/start",
             .tag = "paper",
             .summary = "Start a paper trading session",
             .request = "StartRequest",
             .response = "TaskAccepted",
             .status = 202,
             .errors = {422, 503}},
            handler(context, start_paper));
  table.add({.method = "POST",
             .path = "/paper/stop/{task_id}",
             .tag = "paper",
             .summary = "Ask a session to stop",
             .query = {{"reason", "string", "why, shown at the session"}},
             .response = "StopAnswer",
             .errors = {404, 422, 503}},
            handler(context, stop));
  table.add({.method = "GET",
             .path = "/paper/runs",
             .tag = "paper",
             .summary = "Sessions, newest first",
             .query = {{"limit", "integer", "at most so many, 1 to 10000 (100)"}},
             .response = "PaperRun[]",
             .errors = {422}},
            handler(context, list_runs));
  table.add({.method = "GET",
             .path = "/paper/runs/{id}",
             .tag = "paper",
             .summary = "One session with what it did, by its id or its task's",
             .query = {{"limit", "integer", "orders, fills, ledger lines: 1 to 10000 (500)"},
                       {"points", "integer", "of the equity curve, about: 2 to 100000 (1000)"}},
             .response = "PaperRunDetail",
             .errors = {404, 422}},
            handler(context, show_run));
}

}  // namespace alphaswarm::api
