#include "alphaswarm/trading/backtest/backtest_task.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/trading/backtest/stored.hpp"

namespace alphaswarm::trading {
namespace {

namespace json = boost::json;
namespace otel = alphaswarm::observability;

constexpr std::int64_t kReports = 20;          // of progress, in a run
constexpr std::int64_t kStepsAtOnce = 50'000;  // some 20 ms: then others may run

Result<BacktestConfig> config_of(const tasks::TaskContext& context) {
  const json::value* const cfg = context.argument("cfg", 0);
  if (cfg == nullptr || !cfg->is_object()) {
    return fail(ErrorCode::invalid_argument, "run_backtest: cfg is missing or not an object");
  }
  Result<BacktestConfig> config = parse_backtest_config(cfg->get_object());
  const json::value* const name = context.argument("run_name", 1);
  if (config && name != nullptr && name->is_string()) {
    config->run_name = std::string(name->get_string());
  }
  return config;
}

json::value summary(const BacktestResult& result) {
  json::object all = to_json(result, false);
  json::object out{{"run_id", result.id}};
  const otel::SpanContext context = otel::current_context();
  out["trace_id"] = context.is_valid() ? context.trace_id.to_hex() : "";
  for (const char* key : {"run_name", "strategy", "symbols", "start", "end", "bars_count",
                          "initial_cash", "final_equity", "dataset_hash", "metrics", "refused"}) {
    out[key] = std::move(all.at(key));
  }
  out["orders"] = result.orders.size();
  out["fills"] = result.fills.size();
  return out;
}

net::task<void> report(tasks::TaskContext& context, const Backtest& run) {
  const double share = static_cast<double>(run.done_steps()) /
                       static_cast<double>(std::max<std::int64_t>(run.all_steps(), 1));
  json::object extras{{"done", run.done_steps()}, {"total", run.all_steps()}, {"run_id", run.id()}};
  std::string message = fmt::format("{} of {} steps", run.done_steps(), run.all_steps());
  extras["percent"] = share * 100.0;
  co_await context.progress.emit(context.id, "running", std::move(message), std::move(extras));
}

// Plays the run in pieces; false if it was asked to stop.
net::task<bool> play(tasks::TaskContext& context, Backtest& run) {
  const std::int64_t stride = std::max<std::int64_t>(run.all_steps() / kReports, 1);
  std::int64_t next_report = stride;
  co_await report(context, run);
  while (run.play(std::min(kStepsAtOnce, next_report - run.done_steps()))) {
    if (context.stop.stop_requested()) co_return false;
    if (run.done_steps() >= next_report) {
      next_report += stride;
      co_await report(context, run);
    }
    co_await net::yield();
  }
  co_return true;
}

net::task<Result<BacktestResult>> run_in_span(persistence::Database& database,
                                              tasks::TaskContext& context, BacktestConfig config,
                                              otel::Span& span) {
  StoredBacktestRequest request{.config = std::move(config), .task_id = context.id};
  Result<StoredBacktest> run = StoredBacktest::start(database, std::move(request));
  if (!run) co_return std::unexpected(run.error());
  span.set("backtest.bars_count", run->backtest().bars_count());
  if (co_await play(context, run->backtest())) co_return run->finish();
  // Not an error of the run: the message goes back to the queue and the run starts over.
  co_return fail(ErrorCode::cancelled, "the backtest was asked to stop; it starts over");
}

net::task<Result<json::value>> run_backtest_task(persistence::Database& database,
                                                 tasks::TaskContext& context) {
  Result<BacktestConfig> config = config_of(context);
  if (!config) co_return std::unexpected(config.error());
  otel::Span span = start_backtest_span(*config);
  const Result<BacktestResult> result =
      co_await run_in_span(database, context, std::move(*config), span);
  if (result) co_return summary(*result);
  span.error(result.error().message);
  co_return std::unexpected(result.error());
}

}  // namespace

void register_backtest_task(tasks::Worker& worker, persistence::Database& database) {
  worker.register_task(std::string(kBacktestTask), [&database](tasks::TaskContext& context) {
    return run_backtest_task(database, context);
  });
}

}  // namespace alphaswarm::trading
