#include "alphaswarm/trading/backtest/stored.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/persistence/bar_repository.hpp"
#include "alphaswarm/persistence/task_repository.hpp"
#include "alphaswarm/tasks/test_support.hpp"
#include "alphaswarm/trading/backtest/backtest_task.hpp"

namespace alphaswarm::trading {
namespace {

namespace json = boost::json;
constexpr std::int64_t kDay = 86'400'000'000'000;

// 60 daily bars of A.X, falling sharply every tenth day, so that mean reversion has something to
// do.
void store_bars(persistence::Database& database) {
  std::vector<persistence::BarRow> rows;
  for (std::int64_t day = 0; day < 60; ++day) {
    const Decimal price = Decimal::from_integer(day % 10 == 9 ? 90 : 100 + day % 3);
    rows.push_back({.vt_symbol = "A.X",
                    .interval = "1d",
                    .timestamp = {day * kDay},
                    .open = price,
                    .high = price,
                    .low = price,
                    .close = price,
                    .volume = {},
                    .adjusted_close = {}});
  }
  EXPECT_TRUE(persistence::BarRepository(database).upsert(rows));
}

json::object document() {
  return json::parse(R"({"strategy": {"params": {"lookback": 5, "z_threshold": 1.5}}})")
      .as_object();
}

persistence::BacktestRow row_of(persistence::Database& database, std::string_view id) {
  const auto row = persistence::BacktestRepository(database).find(id);
  EXPECT_TRUE(row && *row) << id;
  return row && *row ? **row : persistence::BacktestRow{};
}

TEST(StoredBacktests, TheRowSaysWhatTheRunGave) {
  tasks::test::System system;
  store_bars(*system.database);
  const Result<BacktestResult> result =
      run_stored_backtest(*system.database, {.config = *parse_backtest_config(document())});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_GT(result->fills.size(), 4U);
  const persistence::BacktestRow row = row_of(*system.database, result->id);
  EXPECT_EQ(row.status, "completed");
  EXPECT_EQ(row.final_equity, result->final_equity.value());
  EXPECT_EQ(row.sharpe, result->metrics.sharpe);
  EXPECT_EQ(row.fills, static_cast<std::int64_t>(result->fills.size()));
  EXPECT_EQ(row.bars_count, 60);
  EXPECT_EQ(row.dataset_hash, result->dataset_hash);
  EXPECT_EQ(row.start_time, UnixNanos{0});
  EXPECT_TRUE(parse_backtest_config(json::parse(row.config_json).as_object()));
  const auto curve = persistence::BacktestRepository(*system.database).curve(result->id);
  ASSERT_EQ(curve->size(), 60U);
  EXPECT_EQ(curve->back().equity, row.final_equity);
}

TEST(StoredBacktests, AFailedRunSaysWhy) {
  tasks::test::System system;
  const Result<BacktestResult> result = run_stored_backtest(
      *system.database, {.config = *parse_backtest_config(document()), .task_id = "t1"});
  EXPECT_EQ(result.error().code, ErrorCode::not_found);
  const persistence::BacktestRow row = row_of(*system.database, "t1");
  EXPECT_EQ(row.status, "error");
  EXPECT_EQ(row.error, "there are no bars in the time asked for");
}

tasks::TaskResult run_task(tasks::test::System& system, json::object arguments,
                           std::string task_id = {}) {
  const auto id = net::block_on(
      system.runtime,
      system.queue->apply_async(std::string(kBacktestTask), {}, std::move(arguments),
                                {.queue = "backtest", .task_id = std::move(task_id)}));
  EXPECT_TRUE(id);
  return system.wait(*id);
}

TEST(BacktestTasks, RunAndGiveASummary) {
  tasks::test::System system;
  store_bars(*system.database);
  const auto worker = system.make_worker();
  register_backtest_task(*worker, *system.database);
  worker->start();
  const tasks::TaskResult result = run_task(system, {{"cfg", document()}, {"run_name", "mine"}});
  ASSERT_EQ(result.status, tasks::kSuccess) << result.error;
  const json::object& summary = result.result.as_object();
  EXPECT_EQ(summary.at("run_name"), "mine");
  EXPECT_EQ(summary.at("bars_count"), 60);
  const persistence::BacktestRow row =
      row_of(*system.database, std::string(summary.at("run_id").as_string()));
  EXPECT_EQ(row.task_id, result.task_id);
  EXPECT_EQ(summary.at("fills").to_number<std::int64_t>(), row.fills);
}

TEST(BacktestTasks, ATaskThatRunsAgainAddsNoSecondRow) {
  tasks::test::System system;
  store_bars(*system.database);
  const StoredBacktestRequest request{.config = *parse_backtest_config(document()),
                                      .task_id = "t1"};
  const Result<BacktestResult> first = run_stored_backtest(*system.database, request);
  const Result<BacktestResult> second = run_stored_backtest(*system.database, request);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(to_json(*first, true), to_json(*second, true));
  EXPECT_EQ(persistence::BacktestRepository(*system.database).list(10)->size(), 1U);
}

TEST(BacktestTasks, BadConfigurationsFailWithOneSentence) {
  tasks::test::System system;
  const auto worker = system.make_worker();
  register_backtest_task(*worker, *system.database);
  worker->start();
  EXPECT_EQ(run_task(system, {}).error, "run_backtest: cfg is missing or not an object");
  const json::object impossible{
      {"strategy", json::object{{"params", json::object{{"lookback", 0}}}}}};
  const tasks::TaskResult result = run_task(system, {{"cfg", impossible}});
  EXPECT_EQ(result.status, tasks::kFailure);
  EXPECT_EQ(result.error,
            "strategy mean_reversion: lookback is 0, must be a whole number from 2 to 10000");
}

#if ALPHASWARM_OTEL
TEST(BacktestTasks, AreOneTraceWithASpanForEachCheck) {
  auto memory = std::make_shared<observability::MemorySink>();
  observability::Config tracing;
  tracing.service_name = "worker";
  tracing.sink = memory;
  auto provider = observability::TracerProvider::create(std::move(tracing));
  ASSERT_TRUE(provider);
  tasks::test::System system;
  store_bars(*system.database);
  tasks::WorkerConfig config;
  config.provider = provider->get();
  const auto worker = system.make_worker(std::move(config));
  register_backtest_task(*worker, *system.database);
  worker->start();
  const tasks::TaskResult result = run_task(system, {{"cfg", document()}});
  ASSERT_EQ(result.status, tasks::kSuccess);
  EXPECT_TRUE(worker->stop(tasks::test::kLimit));
  EXPECT_TRUE((*provider)->force_flush());

  const observability::FinishedSpan task = memory->find("run/" + std::string(kBacktestTask));
  const observability::FinishedSpan run = memory->find("backtest.run");
  EXPECT_EQ(run.parent_id, task.span_id);
  EXPECT_EQ(run.attributes.at("backtest.engine"), "event_driven");
  EXPECT_EQ(run.attributes.at("backtest.strategy"), "mean_reversion");
  EXPECT_EQ(run.attributes.at("backtest.bars_count"), "60");
  EXPECT_TRUE(run.attributes.contains("backtest.initial_cash"));
  const persistence::BacktestRow row = row_of(*system.database, result.task_id);
  EXPECT_EQ(row.trace_id, run.trace_id.to_hex());
  std::int64_t checks = 0;
  for (const observability::FinishedSpan& span : memory->spans()) {
    EXPECT_EQ(span.trace_id, run.trace_id) << span.name;
    if (span.name != "risk.check_pretrade") continue;
    ++checks;
    EXPECT_EQ(span.parent_id, run.span_id);
    EXPECT_EQ(span.attributes.at("risk.verdict"), "allow");
    EXPECT_TRUE(span.attributes.at("order.client_id").starts_with(result.task_id));
  }
  EXPECT_EQ(checks, row.orders);
  EXPECT_GT(checks, 0);
}
#endif

}  // namespace
}  // namespace alphaswarm::trading
