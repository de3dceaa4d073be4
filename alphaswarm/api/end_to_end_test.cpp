// A user's whole way over HTTP, with nothing in place of the real parts: ingest a file, backtest
// it, paper-trade it against the simulated exchange.
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "alphaswarm/api/testing/service.hpp"
#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/trading/backtest/backtest_task.hpp"
#include "alphaswarm/trading/exchange/exchange.hpp"
#include "alphaswarm/trading/ingestion/ingestion_task.hpp"
#include "alphaswarm/trading/paper/paper_tasks.hpp"

namespace alphaswarm::api {
namespace {

namespace json = boost::json;

constexpr int kDays = 120;

// A price that swings around 100, so that mean reversion trades.
std::string csv() {
  std::string text = "Date,Open,High,Low,Close,Volume\n";
  for (int day = 0; day < kDays; ++day) {
    const double close = 100 + 8 * std::sin(day * 0.35) + 3 * std::sin(day * 1.7);
    const int month = day / 28 + 1;
    const auto number = [](double value) { return std::to_string(value).substr(0, 6); };
    text += "2020-0" + std::to_string(month) + "-" + (day % 28 < 9 ? "0" : "") +
            std::to_string(day % 28 + 1) + "," + number(close - 0.25) + "," + number(close + 1) +
            "," + number(close - 1) + "," + number(close) + ",1000\n";
  }
  return text;
}

class EndToEnd : public ::testing::Test {
 protected:
  EndToEnd() : http_(runtime_) {
    trading::exchange::ExchangeConfig config;
    config.port = 0;
    auto exchange = trading::exchange::Exchange::start(runtime_, config);
    EXPECT_TRUE(exchange.has_value()) << exchange.error().message;
    exchange_ = std::move(*exchange);
    session_services_.database = service_.shared_database();
    session_services_.bus = service_.bus();
    session_services_.progress = service_.progress();
    session_services_.http = &http_;
    session_services_.exchange_url = exchange_->base_url();
    service_.start_worker([this](tasks::Worker& worker) {
      trading::register_ingestion_task(worker, service_.database());
      trading::register_backtest_task(worker, service_.database());
      trading::paper::register_paper_tasks(worker, session_services_);
    });
    path_ = std::filesystem::temp_directory_path() / ("swing-" + random_uuid() + ".csv");
    std::ofstream(path_) << csv();
  }
  ~EndToEnd() override {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }

  // Starts it, waits for its end, gives its task's id.
  std::string run(const std::string& path, const json::object& body) {
    const json::value accepted =
        service_.call("POST", path, json::serialize(body), 202, "TaskAccepted");
    std::string id(accepted.at("task_id").as_string());
    const tasks::TaskResult result = service_.wait_for(id);
    EXPECT_EQ(result.status, tasks::kSuccess) << result.error;
    return id;
  }

  net::Runtime runtime_{"exchange", 1};
  net::HttpClient http_;
  std::unique_ptr<trading::exchange::Exchange> exchange_;
  trading::paper::Services session_services_;  // outlives the worker, which the service owns
  testing::Service service_;
  std::filesystem::path path_;
};

TEST_F(EndToEnd, IngestBacktestAndPaperAgree) {
  (void)run("/data/ingest", {{"path", path_.string()}, {"symbol", "SWING.SIM"}});
  const json::value bars = service_.get_json("/data/SWING.SIM/bars", "Bars");
  ASSERT_EQ(bars.at("count").as_int64(), kDays);

  const json::object config{
      {"session", json::object{{"universe", json::array{"SWING.SIM"}}}},
      {"strategy", json::object{{"name", "mean_reversion"},
                                {"params", json::object{{"lookback", 10}, {"z_threshold", 1.0}}}}}};
  const std::string backtest_task =
      run("/backtest/run", {{"config", config}, {"run_name", "swing"}});
  const json::value backtest = service_.get_json("/backtest/runs/" + backtest_task, "BacktestRun");
  EXPECT_EQ(backtest.at("status").as_string(), "completed");
  EXPECT_EQ(backtest.at("run_name").as_string(), "swing");
  EXPECT_GT(backtest.at("fills_count").as_int64(), 2);
  const json::value curve =
      service_.get_json("/backtest/runs/" + backtest_task + "/plot/equity", "Curve");
  EXPECT_EQ(curve.at("points").as_array().size(), static_cast<std::size_t>(kDays));

  const std::string paper_task = run("/paper/start", {{"config", config}, {"run_name", "swing"}});
  const json::value paper = service_.get_json("/paper/runs/" + paper_task, "PaperRunDetail");
  EXPECT_EQ(paper.at("status").as_string(), "completed");
  EXPECT_EQ(paper.at("bars_seen").as_int64(), kDays);
  EXPECT_EQ(paper.at("fills_count"), backtest.at("fills_count"));
  EXPECT_EQ(paper.at("final_equity"), backtest.at("final_equity"));
  EXPECT_EQ(paper.at("orders").as_array().size(),
            static_cast<std::size_t>(paper.at("orders_submitted").as_int64()));
  EXPECT_EQ(paper.at("fills").as_array().size(),
            static_cast<std::size_t>(paper.at("fills_count").as_int64()));
  EXPECT_FALSE(paper.at("ledger").as_array().empty());

  // The books that this service recomputes are the session's own, to the last digit.
  EXPECT_EQ(paper.at("equity"), paper.at("final_equity"));
  const json::array& points = paper.at("equity_curve").as_array();
  ASSERT_EQ(points.size(), static_cast<std::size_t>(kDays));
  for (std::size_t i = 0; i < points.size(); ++i) {
    EXPECT_EQ(points[i].at("equity"), curve.at("points").at(i).at("value")) << "day " << i;
  }
  const json::value pnl = service_.get_json("/portfolio/pnl", "RunPnl[]");
  EXPECT_EQ(pnl.at(0).at("realised_pnl"), paper.at("realised_pnl"));
}

}  // namespace
}  // namespace alphaswarm::api
