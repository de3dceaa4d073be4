// Every process apart, over PostgreSQL and Redis: the same trace as in one process, and what
// happens when one of them dies in the middle of a session.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <csignal>
#include <future>
#include <thread>
#include <vector>

#include "alphaswarm/base/time.hpp"
#include "tests/integration/apart.hpp"
#include "tests/integration/picture.hpp"

namespace alphaswarm::testing {
namespace {

namespace json = boost::json;

constexpr int kBars = 400;
const json::object kPaced = {{"kind", "replay"}, {"params", {{"speed", 100}}}};

// Client order ids and statuses as our database has them, and as the venue has them.
std::string orders_in_database(const Apart& system, const std::string& run) {
  return system.sql(
      "SELECT client_order_id, filled_quantity::float8, status FROM orders WHERE run_id = '" + run +
      "' ORDER BY client_order_id");
}

// Every bar, order and fill exactly once, whatever died on the way.
void expect_whole(Apart& system, const json::object& row) {
  const std::string run(row.at("id").as_string());
  EXPECT_EQ(row.at("bars_seen").to_number<int>(), kBars);
  EXPECT_GT(row.at("orders_submitted").to_number<int>(), 2);
  const std::string orders = system.sql(
      "SELECT count(*), count(DISTINCT client_order_id), count(DISTINCT broker_order_id) "
      "FROM orders WHERE run_id = '" +
      run + "'");
  const std::string submitted = std::to_string(row.at("orders_submitted").to_number<int>());
  EXPECT_EQ(orders, submitted + "|" + submitted + "|" + submitted + "\n")
      << orders_in_database(system, run);
  // A fill counted twice, or lost, would show in the sums.
  EXPECT_EQ(
      system.sql("SELECT count(*) FROM (SELECT o.client_order_id FROM orders o LEFT JOIN fills "
                 "f USING (client_order_id) WHERE o.run_id = '" +
                 run +
                 "' AND o.status = 'filled' GROUP BY o.client_order_id, o.filled_quantity "
                 "HAVING coalesce(sum(f.quantity::numeric), 0) <> o.filled_quantity::numeric) "
                 "AS wrong"),
      "0\n")
      << orders_in_database(system, run);
}

// What an undisturbed session over the same bars ends with.
json::object undisturbed(Apart& system) { return system.run_paper("undisturbed"); }

void expect_same_end(const json::object& row, const json::object& calm) {
  for (const char* key : {"bars_seen", "orders_submitted", "fills_count", "final_equity"}) {
    EXPECT_EQ(row.at(key), calm.at(key)) << key;
  }
}

// Fails unless the session went on after `fault`: else the fault came too late to test anything.
void expect_ended_after(const json::object& row, UnixNanos fault) {
  const auto stopped = from_rfc3339(row.at("stopped_at").as_string());
  ASSERT_TRUE(stopped) << row.at("stopped_at");
  EXPECT_GT(stopped->value, fault.value);
}

TEST(Apart, OnePaperRunIsOneTraceOverEightProcesses) {
  Apart system;
  system.ingest(kPictureBars);
  const json::object run = system.run_paper("apart");
  const std::string id(run.at("trace_id").as_string());
  expect_picture(system.collector.url(16686), id);
  expect_one_trace(Trace(system.collector.traces(), id));
}

TEST(Apart, AWorkerKilledInMidSessionLosesNothingAndRepeatsNothing) {
  Apart system;
  system.ingest(kBars);
  const json::object calm = undisturbed(system);
  const json::object accepted = system.start_paper("killed", kPaced);
  (void)system.wait_for_bars(accepted, 120);
  system.paper_worker().signal(SIGKILL);
  (void)system.paper_worker().wait();
  const UnixNanos killed = now_unix();
  system.start_paper_worker();
  const json::object row = system.finish_paper(accepted);
  expect_ended_after(row, killed);
  expect_whole(system, row);
  expect_same_end(row, calm);
}

TEST(Apart, PostgresKilledInMidSessionIsWaitedFor) {
  Apart system;
  system.ingest(kBars);
  const json::object calm = undisturbed(system);
  const json::object accepted = system.start_paper("database killed", kPaced);
  (void)system.wait_for_bars(accepted, 100);
  system.postgres.kill();
  const UnixNanos killed = now_unix();
  system.postgres.start();
  const json::object row = system.finish_paper(accepted);
  expect_ended_after(row, killed);
  expect_whole(system, row);
  expect_same_end(row, calm);
}

// Requests that have come to the API, this one among them.
double http_requests(Apart& system) {
  constexpr std::string_view kName = "\nalphaswarm_http_server_requests_total ";
  const std::string page = system.api().get("/metrics").body;
  const std::size_t at = page.find(kName);
  EXPECT_NE(at, std::string::npos) << page;
  return at == std::string::npos ? 0 : std::stod(page.substr(at + kName.size()));
}

// The database answers nobody: requests that need it wait, and nothing else does.
TEST(Apart, AFrozenPostgresHoldsUpOnlyWhoAsksIt) {
  using std::chrono::milliseconds;
  using std::chrono::steady_clock;
  Apart system;
  system.ingest(kBars);
  const json::object accepted = system.start_paper("database frozen", kPaced);
  (void)system.wait_for_bars(accepted, 100);
  system.postgres.freeze();
  const double requests = http_requests(system);
  std::vector<std::future<int>> waiting;  // more than the service has threads and connections
  for (int i = 0; i < 12; ++i) {
    waiting.push_back(std::async(std::launch::async, [&] {
      return Http(system.api_url()).get("/paper/runs?limit=5").status;
    }));
  }
  // Until they have all come; each look is a request too.
  for (double before = requests + 1; http_requests(system) < before + 12; ++before) {
    ASSERT_LT(before, requests + 1000);
    std::this_thread::sleep_for(milliseconds(10));
  }
  const auto begin = steady_clock::now();
  EXPECT_EQ(system.api().get("/metrics").status, 200);
  waiting.push_back(std::async(std::launch::async, [&] {
    return Http(system.api_url())
        .post("/portfolio/kill_switch", {{"engage", true}, {"reason", "the database is frozen"}})
        .status;
  }));
  const auto engaged = [&] {
    return system.redis.cli({"GET", "alphaswarm:kill_switch"}) == "the database is frozen\n";
  };
  // Well before the database's time-outs, the first of which is 5 s.
  constexpr std::chrono::seconds kLimit(4);
  while (!engaged() && steady_clock::now() - begin < kLimit) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_TRUE(engaged()) << "the bus is told before the database";
  system.postgres.thaw();
  for (std::future<int>& one : waiting) EXPECT_EQ(one.get(), 200);
  EXPECT_EQ(system.sql("SELECT engaged FROM kill_switch"), "1\n");
  const std::string path = "/paper/runs/" + std::string(accepted.at("task_id").as_string());
  const auto ended = system.api().poll(path, [](const Http::Reply& reply) {
    return reply.status == 200 && reply.json().at("status").as_string() == "cancelled";
  });
  EXPECT_EQ(ended.json().at("status_reason").as_string(), "kill switch: the database is frozen");
}

TEST(Apart, SessionsThatWaitedInARedisThatCameBackEmptyAreRunOnce) {
  Apart system;
  system.ingest(kBars);
  system.paper_worker().signal(SIGTERM);
  (void)system.paper_worker().wait();
  const json::object first = system.start_paper("waiting one", {{"kind", "replay"}});
  const json::object second = system.start_paper("waiting two", {{"kind", "replay"}});
  system.redis.restart();
  system.start_paper_worker();
  expect_whole(system, system.finish_paper(first));
  expect_whole(system, system.finish_paper(second));
  EXPECT_EQ(system.sql("SELECT count(*) FROM paper_trading_runs"), "2\n");
}

TEST(Apart, RedisRestartedEmptyInMidSessionHaltsItUntilItIsBack) {
  Apart system;
  system.ingest(kBars);
  const json::object calm = undisturbed(system);
  const json::object accepted = system.start_paper("redis killed", kPaced);
  (void)system.wait_for_bars(accepted, 100);
  system.redis.kill();
  const std::string path = "/paper/runs/" + std::string(accepted.at("task_id").as_string());
  const auto halted = system.api().poll(path, [](const Http::Reply& reply) {
    return reply.status == 200 && reply.json().at("status").as_string() == "halted";
  });
  const json::object held = halted.json().as_object();
  EXPECT_EQ(held.at("status").as_string(), "halted");
  EXPECT_NE(std::string(held.at("status_reason").as_string()).find("Redis"), std::string::npos)
      << halted.body;
  system.redis.start();
  const json::object row = system.finish_paper(accepted);
  expect_whole(system, row);
  expect_same_end(row, calm);
}

}  // namespace
}  // namespace alphaswarm::testing
