#include "alphaswarm/api/routes/paper.hpp"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "alphaswarm/api/testing/service.hpp"
#include "alphaswarm/persistence/bar_repository.hpp"
#include "alphaswarm/persistence/fill_repository.hpp"
#include "alphaswarm/persistence/run_repository.hpp"
#include "alphaswarm/trading/paper/paper_tasks.hpp"

namespace alphaswarm::api {
namespace {

using testing::Service;
using trading::paper::kRunPaperTask;

constexpr std::int64_t kDay = 86'400'000'000'000;

// Three days at 10, 20 and 15; 10 shares bought at 20 on the second with a commission of 1.
void store_session(Service& service, std::string status, UnixNanos heartbeat,
                   std::string feed = "replay", UnixNanos started = UnixNanos{1}) {
  std::vector<persistence::BarRow> bars;
  for (const std::int64_t close : {10, 20, 15}) {
    persistence::BarRow bar;
    bar.vt_symbol = "AAPL.SIM";
    bar.interval = "1d";
    bar.timestamp = UnixNanos{(static_cast<std::int64_t>(bars.size()) + 1) * kDay};
    bar.open = bar.high = bar.low = bar.close = Decimal::from_integer(close);
    bars.push_back(bar);
  }
  ASSERT_TRUE(persistence::BarRepository(service.database()).upsert(bars).has_value());
  persistence::RunRow run;
  run.id = "run-1";
  run.task_id = "task-1";
  run.trace_id = "0af7651916cd43dd8448eb211c80319c";
  run.run_name = "aapl";
  run.strategy = "mean_reversion";
  run.brokerage = "sim";
  run.feed = std::move(feed);
  run.status = std::move(status);
  run.started_at = started;
  run.last_heartbeat_at = heartbeat;
  run.initial_cash = Decimal::from_integer(1000);
  run.config_json = R"({"session":{"universe":["AAPL.SIM"],"heartbeat_seconds":10},
                        "feed":{"kind":")" +
                    run.feed + R"("}})";
  run.state_json = R"({"version":1,"loop":{"time_ns":259200000000000}})";  // the third day
  ASSERT_TRUE(persistence::RunRepository(service.database()).insert(run).has_value());
  persistence::FillRow fill;
  fill.run_id = "run-1";
  fill.client_order_id = "run-1-1";
  fill.vt_symbol = "AAPL.SIM";
  fill.side = "buy";
  fill.quantity = Decimal::from_integer(10);
  fill.price = Decimal::from_integer(20);
  fill.commission = Decimal::from_integer(1);
  fill.filled_at = UnixNanos{2 * kDay};
  ASSERT_TRUE(persistence::FillRepository(service.database()).insert(fill).has_value());
}

TEST(PaperRoutes, ShowASessionWithItsBooks) {
  Service service;
  store_session(service, "running", now_unix());
  const auto run = service.get_json("/paper/runs/run-1", "PaperRunDetail");
  EXPECT_EQ(service.get_json("/paper/runs/task-1", "PaperRunDetail"), run);
  EXPECT_EQ(run.at("trace_id").as_string(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(run.at("fills").as_array().size(), 1U);
  EXPECT_EQ(run.at("state").at("version").as_int64(), 1);
  // 1000 − 200 − 1 + 10 × 15
  EXPECT_EQ(run.at("equity").to_number<double>(), 949);
  ASSERT_EQ(run.at("positions").as_array().size(), 1U);
  const auto& position = run.at("positions").at(0);
  EXPECT_EQ(position.at("quantity").to_number<double>(), 10);
  EXPECT_EQ(position.at("mark").to_number<double>(), 15);
  EXPECT_EQ(position.at("unrealised_pnl").to_number<double>(), -50);
  const auto& curve = run.at("equity_curve").as_array();
  ASSERT_EQ(curve.size(), 3U);
  EXPECT_EQ(curve[0].at("equity").to_number<double>(), 1000);
  EXPECT_EQ(curve[1].at("equity").to_number<double>(), 999);  // bought at its close of 20
  EXPECT_EQ(curve[2].at("equity").to_number<double>(), 949);
  EXPECT_DOUBLE_EQ(curve[2].at("drawdown").to_number<double>(), 0.051);
  const auto thin = service.get_json("/paper/runs/run-1?points=2", "PaperRunDetail");
  EXPECT_EQ(thin.at("equity_curve").as_array().size(), 2U);
  EXPECT_EQ(thin.at("equity_curve").at(1), curve[2]);
  EXPECT_EQ(service.refusal("GET", "/paper/runs/nine", "", 404), "There is no paper run 'nine'.");
}

TEST(PaperRoutes, ALiveSessionsCurveBeginsWithIt) {
  Service service;
  store_session(service, "running", now_unix(), "alpaca", UnixNanos{2 * kDay});
  const auto run = service.get_json("/paper/runs/run-1", "PaperRunDetail");
  const auto& curve = run.at("equity_curve").as_array();
  ASSERT_EQ(curve.size(), 2U);  // the database holds a bar from before
  EXPECT_EQ(curve[0].at("equity").to_number<double>(), 999);
}

TEST(PaperRoutes, PositionsAndProfitOfEachSession) {
  Service service;
  store_session(service, "completed", now_unix());
  const auto positions = service.get_json("/portfolio/positions", "Position[]");
  ASSERT_EQ(positions.as_array().size(), 1U);
  EXPECT_EQ(positions.at(0).at("value").to_number<double>(), 150);
  EXPECT_EQ(service.get_json("/portfolio/positions?run_id=run-1", "Position[]"), positions);
  EXPECT_TRUE(service.get_json("/portfolio/positions?run_id=x", "Position[]").as_array().empty());
  const auto pnl = service.get_json("/portfolio/pnl", "RunPnl[]");
  ASSERT_EQ(pnl.as_array().size(), 1U);
  EXPECT_EQ(pnl.at(0).at("realised_pnl").to_number<double>(), -1);  // the commission
  EXPECT_EQ(pnl.at(0).at("unrealised_pnl").to_number<double>(), -50);
  EXPECT_NEAR(pnl.at(0).at("total_return").to_number<double>(), -0.051, 1e-12);
}

TEST(PaperRoutes, ASessionWithoutHeartbeatIsStale) {
  Service service;
  store_session(service, "running", UnixNanos{now_unix().value - 60'000'000'000});
  const auto list = service.get_json("/paper/runs", "PaperRun[]");
  ASSERT_EQ(list.as_array().size(), 1U);
  EXPECT_EQ(list.at(0).at("status").as_string(), "stale");
  EXPECT_NE(list.at(0).at("status_reason").as_string().find("no heartbeat"), std::string::npos);
}

TEST(PaperRoutes, StopTellsTheSession) {
  Service service;
  store_session(service, "running", now_unix());
  const auto answer =
      service.call("POST", "/paper/stop/task-1?reason=lunch%20time", "", 200, "StopAnswer");
  EXPECT_TRUE(answer.at("ok").as_bool());
  EXPECT_EQ(answer.at("reason").as_string(), "lunch time");
  const auto key =
      net::block_on(service.client_runtime(), service.bus()->get(tasks::stop_channel("task-1")));
  EXPECT_EQ(key.value().value_or("absent"), "lunch time");
}

TEST(PaperRoutes, StopOfAnEndedSessionChangesNothing) {
  Service service;
  store_session(service, "completed", now_unix());
  const auto answer = service.call("POST", "/paper/stop/task-1", "", 200, "StopAnswer");
  EXPECT_FALSE(answer.at("ok").as_bool());
  const auto key =
      net::block_on(service.client_runtime(), service.bus()->get(tasks::stop_channel("task-1")));
  EXPECT_FALSE(key.value().has_value());
  (void)service.call("POST", "/paper/stop/task-1?reason=" + std::string(501, 'x'), "", 422,
                     "ValidationErrors");
  EXPECT_EQ(service.refusal("POST", "/paper/stop/nobody", "", 404),
            "There is no paper task 'nobody'.");
}

TEST(PaperRoutes, StartQueuesTheTaskAndAQueuedOneCanBeStopped) {
  net::AsyncEvent release;
  Service service;
  service.start_worker(kRunPaperTask,
                       [&](tasks::TaskContext& context) -> net::task<Result<boost::json::value>> {
                         (void)co_await release.wait();
                         boost::json::value echo = context.kwargs;
                         co_return echo;
                       });
  const auto accepted =
      service.call("POST", "/paper/start", R"({"config":{"session":{"universe":["AAPL.SIM"]}}})",
                   202, "TaskAccepted");
  const std::string id(accepted.at("task_id").as_string());
  EXPECT_TRUE(service.call("POST", "/paper/stop/" + id, "", 200, "StopAnswer").at("ok").as_bool());
  release.set();
  const tasks::TaskResult result = service.wait_for(id);
  EXPECT_TRUE(result.result.at("run_name").is_null());
  EXPECT_EQ(result.result.at("cfg").at("session").at("universe").at(0).as_string(), "AAPL.SIM");
  EXPECT_FALSE(service.call("POST", "/paper/stop/" + id, "", 200, "StopAnswer").at("ok").as_bool());
}

TEST(PaperRoutes, StartNamesEverySettingThatIsWrong) {
  Service service;
  const auto wrong =
      service.call("POST", "/paper/start",
                   R"({"config":{"session":{"heartbeat_seconds":"often","max_bars":0},
                    "brokerage":{"venue":"moon"}},"run_name":7})",
                   422, "ValidationErrors");
  std::vector<std::string> places;
  for (const boost::json::value& issue : wrong.at("detail").as_array()) {
    std::string place;
    for (const boost::json::value& step : issue.at("loc").as_array()) {
      place += (place.empty() ? "" : ".") + std::string(step.as_string());
    }
    places.push_back(place);
  }
  EXPECT_EQ(places, (std::vector<std::string>{
                        "body.run_name", "body.config.session.heartbeat_seconds",
                        "body.config.brokerage.venue", "body.config.session.max_bars"}));
}

TEST(PaperRoutes, AReplayDoesNotTradeAtALiveVenue) {
  Service service;
  const auto refused =
      service.call("POST", "/paper/start", R"({"config":{"brokerage":{"venue":"alpaca"}}})", 422,
                   "ValidationErrors");
  const boost::json::object& issue = refused.at("detail").at(0).as_object();
  EXPECT_EQ(issue.at("loc"), (boost::json::array{"body", "config", "feed", "kind"}));
  EXPECT_EQ(issue.at("msg").as_string(),
            "must be alpaca: a live venue trades at today's prices, not at replayed ones, got "
            "\"replay\"");
}

}  // namespace
}  // namespace alphaswarm::api
