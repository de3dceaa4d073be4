// `alphaswarm paper run`: one session in a process of its own, over PostgreSQL and Redis, without
// API and worker.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <csignal>
#include <fstream>
#include <thread>

#include "tests/integration/apart.hpp"
#include "tests/integration/picture.hpp"

namespace alphaswarm::testing {
namespace {

namespace json = boost::json;

constexpr int kBars = 200;

class PaperRun : public ::testing::Test {
 protected:
  PaperRun() {
    write_bars(folder_.path() / "test.csv", kBars);
    const Outcome ingested = run_alphaswarm({"ingest", "test.csv"}, folder_.path(),
                                            {{"ALPHASWARM_DATABASE_URL", servers_.database_url}});
    EXPECT_EQ(ingested.exit_code, 0) << ingested.output;
  }

  // The session's process; `speed` in bars a second, 0: as fast as it can.
  std::unique_ptr<Process> start(int speed) {
    std::ofstream(folder_.path() / "session.yaml")
        << "session: {universe: [TEST.LOCAL], initial_cash: 100000}\n"
           "strategy: {name: mean_reversion, params: {lookback: 20, z_threshold: 1.5}}\n"
           "brokerage: {venue: sim}\n"
           "feed: {kind: replay"
        << (speed == 0 ? std::string() : ", params: {speed: " + std::to_string(speed) + "}")
        << "}\n";
    return std::make_unique<Process>(
        std::vector<std::string>{ALPHASWARM_BINARY, "paper", "run", "--config", "session.yaml",
                                 "--run-name", "by hand"},
        folder_.path(), servers_.environment());
  }
  // What the process has printed of its session.
  static json::object result_of(const Process& process) {
    const std::string& output = process.output();
    const std::size_t at = output.find("\n{\"run_id\"");
    if (at == std::string::npos) {
      ADD_FAILURE() << output;
      return {};
    }
    return json::parse(output.substr(at + 1, output.find('\n', at + 1) - at - 1)).as_object();
  }
  std::string in_database(const std::string& columns) {
    return servers_.sql("SELECT " + columns + " FROM paper_trading_runs");
  }
  std::size_t rows(const std::string& table) {
    return std::stoul(servers_.sql("SELECT count(*) FROM " + table));
  }
  // The session's trace has all spans that were made; rows and spans agree.
  void expect_traced(const Process& process, const json::object& result) {
    ASSERT_EQ(servers_.exchange.process().stop(), 0);  // it sends what it still has
    const TracingTotals own = tracing_totals(process.output());
    const TracingTotals exchange = tracing_totals(servers_.exchange.process().output());
    for (const TracingTotals& totals : {own, exchange}) {
      EXPECT_EQ(totals.services, 1);
      EXPECT_EQ(totals.started, totals.exported);
      EXPECT_EQ(totals.open, 0U);
    }
    const std::uint64_t spans = own.exported + exchange.exported;
    ASSERT_EQ(servers_.collector.spans(spans), spans);
    const Trace trace(servers_.collector.traces(), std::string(result.at("trace_id").as_string()));
    EXPECT_EQ(trace.size(), spans);
    EXPECT_EQ(trace.roots(), 1U);
    EXPECT_EQ(trace.count("paper.session.run"), 1U);
    EXPECT_EQ(trace.name(0), "paper.session.run");
    EXPECT_EQ(trace.json().at("services").as_array().size(), 2U);
    EXPECT_EQ(trace.json().at("orphans").to_number<int>(), 0);
    EXPECT_EQ(trace.json().at("openSpans").to_number<int>(), 0);
    const auto told = [&](const char* key) { return result.at(key).to_number<std::size_t>(); };
    EXPECT_EQ(trace.count("paper.session.bar"), told("bars_seen"));
    EXPECT_EQ(trace.count("paper.session.submit_order"), rows("orders"));
    EXPECT_EQ(trace.events_of("paper.session.submit_order"), rows("fills"));
    EXPECT_EQ(told("orders"), rows("orders"));
    EXPECT_EQ(told("fills"), rows("fills"));
    EXPECT_GT(rows("fills"), 0U);
    EXPECT_EQ(in_database("trace_id, bars_seen"), std::string(result.at("trace_id").as_string()) +
                                                      "|" + std::to_string(told("bars_seen")) +
                                                      "\n");
  }

  Servers servers_;
  TemporaryFolder folder_;
};

TEST_F(PaperRun, RunsASessionToItsEndInOneTrace) {
  const auto process = start(0);
  ASSERT_EQ(process->wait(milliseconds(60'000)), 0) << process->output();
  const json::object result = result_of(*process);
  EXPECT_EQ(result.at("status").as_string(), "completed");
  EXPECT_EQ(result.at("bars_seen").to_number<int>(), kBars);
  EXPECT_EQ(in_database("run_name, status, status_reason, stopped_at IS NOT NULL"),
            "by hand|completed||t\n");
  expect_traced(*process, result);
}

TEST_F(PaperRun, EndsInOrderWhenItIsToldToStop) {
  const auto process = start(40);
  const auto bars_seen = [&] {
    const std::string seen = in_database("bars_seen");
    return seen.empty() ? 0 : std::stoi(seen);
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (bars_seen() < 60) {  // some of which are traded on
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << process->output();
    std::this_thread::sleep_for(milliseconds(20));
  }
  ASSERT_EQ(process->stop(), 0) << process->output();
  const json::object result = result_of(*process);
  EXPECT_EQ(result.at("status").as_string(), "cancelled");
  EXPECT_EQ(result.at("reason").as_string(), "the process is stopping");
  EXPECT_GE(result.at("bars_seen").to_number<int>(), 60);
  EXPECT_LT(result.at("bars_seen").to_number<int>(), kBars);
  EXPECT_EQ(in_database("status, status_reason, stopped_at IS NOT NULL"),
            "cancelled|the process is stopping|t\n");
  EXPECT_EQ(servers_.sql("SELECT count(*) FROM orders WHERE status NOT IN "
                         "('filled', 'cancelled', 'rejected', 'expired')"),
            "0\n");
  expect_traced(*process, result);
}

}  // namespace
}  // namespace alphaswarm::testing
