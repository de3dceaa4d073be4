#include "alphaswarm/api/routes/backtest.hpp"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>

#include "alphaswarm/api/testing/service.hpp"
#include "alphaswarm/persistence/backtest_repository.hpp"
#include "alphaswarm/persistence/task_repository.hpp"
#include "alphaswarm/tasks/broker.hpp"
#include "alphaswarm/trading/backtest/backtest_task.hpp"

namespace alphaswarm::api {
namespace {

using testing::Service;

persistence::BacktestRow finished_run(std::string id, std::int64_t created) {
  persistence::BacktestRow row;
  row.id = std::move(id);
  row.task_id = "task-of-" + row.id;
  row.trace_id = "0af7651916cd43dd8448eb211c80319c";
  row.run_name = "aapl";
  row.strategy = "mean_reversion";
  row.engine = "event";
  row.status = "completed";
  row.start_time = UnixNanos{1'000'000'000};
  row.end_time = UnixNanos{2'000'000'000};
  row.initial_cash = Decimal::from_integer(100'000);
  row.final_equity = *Decimal::parse("112408.16000001");
  row.total_return = 0.1240816;
  row.sharpe = 0.94;
  row.bars_count = 1259;
  row.orders = 118;
  row.dataset_hash = std::string(64, 'a');
  row.config_json = R"({"session":{"run_name":"aapl"}})";
  row.created_at = UnixNanos{created};
  return row;
}

TEST(BacktestRoutes, ListNewestFirstWithEveryDigit) {
  Service service;
  persistence::BacktestRepository runs(service.database());
  ASSERT_TRUE(runs.insert(finished_run("one", 10)).has_value());
  ASSERT_TRUE(runs.insert(finished_run("two", 20)).has_value());
  const boost::json::value list = service.get_json("/backtest/runs", "BacktestRun[]");
  ASSERT_EQ(list.as_array().size(), 2U);
  EXPECT_EQ(list.at(0).at("id").as_string(), "two");
  EXPECT_EQ(list.at(0).at("trace_id").as_string(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_TRUE(list.at(0).at("sortino").is_null());
  EXPECT_NE(service.get("/backtest/runs").body.find(R"("final_equity":112408.16000001,)"),
            std::string::npos);
  EXPECT_EQ(service.get_json("/backtest/runs?limit=1", "BacktestRun[]").as_array().size(), 1U);
  (void)service.call("GET", "/backtest/runs?limit=0", "", 422, "ValidationErrors");
}

TEST(BacktestRoutes, ShowOneByItsIdOrItsTasks) {
  Service service;
  persistence::BacktestRepository runs(service.database());
  ASSERT_TRUE(runs.insert(finished_run("one", 10)).has_value());
  const auto run = service.get_json("/backtest/runs/one", "BacktestRun");
  EXPECT_EQ(run.at("config").at("session").at("run_name").as_string(), "aapl");
  EXPECT_EQ(service.get_json("/backtest/runs/task-of-one", "BacktestRun"), run);
  EXPECT_EQ(service.refusal("GET", "/backtest/runs/nine", "", 404),
            "There is no backtest run 'nine'.");
}

TEST(BacktestRoutes, PlotEquityAndDrawdown) {
  Service service;
  persistence::BacktestRepository runs(service.database());
  ASSERT_TRUE(runs.insert(finished_run("one", 10)).has_value());
  const std::vector<persistence::EquityPoint> curve{
      {UnixNanos{1'000'000'000}, Decimal::from_integer(100), 0.0},
      {UnixNanos{2'000'000'000}, Decimal::from_integer(95), 0.05}};
  ASSERT_TRUE(runs.store_curve("one", curve).has_value());
  const auto equity = service.get_json("/backtest/runs/one/plot/equity", "Curve");
  EXPECT_EQ(equity.at("points").at(1).at("value").to_number<double>(), 95);
  EXPECT_EQ(equity.at("points").at(0).at("timestamp").as_string(),
            "1970-01-01T00:00:01.000000000Z");
  const auto drawdown = service.get_json("/backtest/runs/task-of-one/plot/drawdown", "Curve");
  EXPECT_EQ(drawdown.at("run_id").as_string(), "one");
  EXPECT_EQ(drawdown.at("points").at(1).at("value").as_double(), 0.05);
  (void)service.refusal("GET", "/backtest/runs/nine/plot/equity", "", 404);
}

TEST(BacktestRoutes, StartQueuesTheTaskWithItsArguments) {
  Service service;
  service.start_worker(trading::kBacktestTask,
                       [](tasks::TaskContext& context) -> net::task<Result<boost::json::value>> {
                         boost::json::value echo = context.kwargs;
                         co_return echo;
                       });
  const auto accepted = service.call(
      "POST", "/backtest/run",
      R"({"config":{"session":{"universe":["AAPL.SIM"]},"strategy":{"name":"buy_and_hold"}},
          "run_name":"hold"})",
      202, "TaskAccepted");
  const std::string id(accepted.at("task_id").as_string());
  EXPECT_EQ(accepted.at("stream_url").as_string(), "/chat/stream/" + id);
  const tasks::TaskResult result = service.wait_for(id);
  EXPECT_EQ(result.status, tasks::kSuccess);
  EXPECT_EQ(result.result.at("run_name").as_string(), "hold");
  EXPECT_EQ(result.result.at("cfg").at("strategy").at("name").as_string(), "buy_and_hold");
}

TEST(BacktestRoutes, StartNamesTheSettingThatIsWrong) {
  Service service;
  const auto wrong = service.call(
      "POST", "/backtest/run",
      R"({"config":{"strategy":{"name":"mean_reversion","params":{"lookback":-1}}},"speed":9})",
      422, "ValidationErrors");
  const boost::json::array& detail = wrong.at("detail").as_array();
  ASSERT_EQ(detail.size(), 2U);
  EXPECT_EQ(detail[0].at("loc"),
            (boost::json::array{"body", "config", "strategy", "params", "lookback"}));
  EXPECT_EQ(detail[0].at("input").as_int64(), -1);
  EXPECT_EQ(detail[1].at("loc"), (boost::json::array{"body", "speed"}));
  (void)service.call("POST", "/backtest/run", "{", 422, "ValidationErrors");
  (void)service.call("POST", "/backtest/run", "{}", 422, "ValidationErrors");
}

TEST(BacktestRoutes, WithoutAWorkerStartSaysWhatToSet) {
  Service service;
  const std::string body = R"({"config":{"session":{"universe":["AAPL.SIM"]}}})";
  const std::string detail = service.refusal("POST", "/backtest/run", body, 503);
  EXPECT_EQ(detail, tasks::no_worker_message());
  EXPECT_NE(detail.find("ALPHASWARM_REDIS_URL"), std::string::npos);
}

}  // namespace
}  // namespace alphaswarm::api
