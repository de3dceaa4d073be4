// One paper run is one trace over four services, and spans and database rows agree.

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>

#include "tests/integration/system.hpp"

namespace alphaswarm::testing {
namespace {

namespace json = boost::json;

constexpr int kBars = 120;

// The columnar trace of the query server, and counts over it.
class Trace {
 public:
  Trace(Http& traces, const std::string& id)
      : trace_(traces.get("/api/alphaswarm/v1/traces/" + id).json().as_object()),
        spans_(trace_.at("spans").as_object()) {}

  [[nodiscard]] std::size_t size() const { return spans_.at("name").as_array().size(); }
  [[nodiscard]] std::size_t count(std::string_view name) const {
    std::size_t found = 0;
    for (const json::value& index : spans_.at("name").as_array()) {
      found += trace_.at("names").at(index.to_number<std::size_t>()).as_string() == name ? 1 : 0;
    }
    return found;
  }
  [[nodiscard]] std::size_t roots() const {
    const json::array& parents = spans_.at("parent").as_array();
    return static_cast<std::size_t>(std::ranges::count_if(
        parents, [](const json::value& parent) { return parent.to_number<int>() < 0; }));
  }
  [[nodiscard]] std::size_t events_of(std::string_view name) const {
    std::size_t events = 0;
    for (std::size_t i = 0; i < size(); ++i) {
      const auto index = spans_.at("name").at(i).to_number<std::size_t>();
      if (trace_.at("names").at(index).as_string() == name) {
        events += spans_.at("events").at(i).to_number<std::size_t>();
      }
    }
    return events;
  }
  [[nodiscard]] const json::object& json() const { return trace_; }

 private:
  json::object trace_;
  const json::object& spans_;
};

// What a session's trace looks like. Left out of the comparison: how often progress is published
// (at most every 100 ms, so it depends on speed) and when the database opens another connection.
constexpr std::string_view kPicture =
    R"(POST /paper/start [alphaswarm-api server]
└─ apply_async/alphaswarm.tasks.paper_tasks.run_paper [alphaswarm-api producer]
   ├─ INSERT tasks [alphaswarm-api client]
   └─ run/alphaswarm.tasks.paper_tasks.run_paper [alphaswarm-worker consumer]
      ├─ UPDATE tasks [alphaswarm-worker client] × 2
      ├─ SELECT paper_trading_runs [alphaswarm-worker client]
      ├─ paper.session.run [alphaswarm-paper-trader internal]
      │  ├─ INSERT paper_trading_runs [alphaswarm-paper-trader client]
      │  ├─ BEGIN [alphaswarm-paper-trader client] × 5
      │  ├─ UPDATE paper_trading_runs [alphaswarm-paper-trader client] × 5
      │  ├─ COMMIT [alphaswarm-paper-trader client] × 5
      │  ├─ SELECT bars [alphaswarm-paper-trader client]
      │  ├─ POST [alphaswarm-paper-trader client]
      │  │  └─ POST /sim/v1/account [alphaswarm-exchange server]
      │  ├─ paper.session.bar [alphaswarm-paper-trader internal] × 120
      │  │  ├─ SELECT kill_switch [alphaswarm-paper-trader client] × 120
      │  │  ├─ POST [alphaswarm-paper-trader client] × 120
      │  │  │  └─ POST /sim/v1/advance [alphaswarm-exchange server] × 120
      │  │  ├─ BEGIN [alphaswarm-paper-trader client] × 20
      │  │  ├─ UPDATE paper_trading_runs [alphaswarm-paper-trader client] × 12
      │  │  ├─ COMMIT [alphaswarm-paper-trader client] × 20
      │  │  ├─ paper.session.submit_order [alphaswarm-paper-trader internal] × 4
      │  │  │  ├─ risk.check_pretrade [alphaswarm-paper-trader internal] × 4
      │  │  │  └─ broker.submit_order [alphaswarm-paper-trader internal] × 4
      │  │  │     └─ POST [alphaswarm-paper-trader client] × 4
      │  │  │        └─ POST /v2/orders [alphaswarm-exchange server] × 4
      │  │  ├─ INSERT orders [alphaswarm-paper-trader client] × 8
      │  │  ├─ INSERT signals [alphaswarm-paper-trader client] × 4
      │  │  ├─ INSERT ledger_entries [alphaswarm-paper-trader client] × 8
      │  │  └─ INSERT fills [alphaswarm-paper-trader client] × 4
      │  ├─ INSERT ledger_entries [alphaswarm-paper-trader client]
      │  └─ DELETE [alphaswarm-paper-trader client]
      │     └─ DELETE /sim/v1/account [alphaswarm-exchange server]
      └─ ws.publish [alphaswarm-worker internal]
         └─ UPDATE tasks [alphaswarm-worker client]
)";

// The lines from `at` on, indented plainly: which branch is the last one depends on the lines left
// out.
std::string without_pace(std::string tree, std::size_t at) {
  for (const std::string_view branch : {"├─ ", "└─ ", "│  "}) {
    for (std::size_t found = tree.find(branch); found != std::string::npos;
         found = tree.find(branch, found)) {
      tree.replace(found, branch.size(), "   ");
    }
  }
  std::string kept;
  for (; at < tree.size(); at = tree.find('\n', at) + 1) {
    const std::string line = tree.substr(at, tree.find('\n', at) - at + 1);
    if (line.find("ws.publish [alphaswarm-paper-trader") == std::string::npos &&
        line.find(" connect [") == std::string::npos) {
      kept += line;
    }
  }
  return kept;
}

void expect_picture(const std::string& tree) {
  EXPECT_EQ(without_pace(tree, tree.find('\n') + 1),  // the head line holds the trace id
            without_pace(std::string(kPicture), 0));
}

void expect_one_trace(const Trace& trace) {
  EXPECT_EQ(trace.json().at("services").as_array().size(), 4U);
  EXPECT_EQ(trace.roots(), 1U);
  EXPECT_EQ(trace.json().at("orphans").to_number<int>(), 0);
  EXPECT_EQ(trace.json().at("openSpans").to_number<int>(), 0);
}

TEST(TracedPath, OnePaperRunIsOneTraceOverFourServices) {
  System system;
  system.ingest(kBars);
  const json::object run = system.run_paper("picture");
  const std::string id(run.at("trace_id").as_string());
  expect_picture(settled_tree(system.trace_url(), id));

  const Trace trace(system.traces(), id);
  expect_one_trace(trace);
  const auto number = [&](const char* key) { return run.at(key).to_number<std::size_t>(); };
  EXPECT_EQ(number("bars_seen"), static_cast<std::size_t>(kBars));
  EXPECT_GT(number("fills_count"), 0U);
  EXPECT_EQ(trace.count("paper.session.bar"), number("bars_seen"));
  EXPECT_EQ(trace.count("paper.session.submit_order"), number("orders_submitted"));
  EXPECT_EQ(trace.events_of("paper.session.submit_order"), number("fills_count"));
  EXPECT_EQ(run.at("orders").as_array().size(), number("orders_submitted"));
  EXPECT_EQ(run.at("fills").as_array().size(), number("fills_count"));
  EXPECT_EQ(system.process().stop(), 0) << system.process().output();
}

TEST(TracedPath, HoldsWithExchangeAndCollectorInProcessesOfTheirOwn) {
  CollectorProcess collector;
  ExchangeProcess exchange({{"ALPHASWARM_OTEL_ENDPOINT", collector.url(4317)}});
  System system({{"ALPHASWARM_OTEL_ENDPOINT", collector.url(4317)},
                 {"ALPHASWARM_EXCHANGE_URL", exchange.url()}});
  system.ingest(kBars);
  const json::object run = system.run_paper("apart");
  const std::string id(run.at("trace_id").as_string());
  expect_picture(settled_tree(collector.url(16686), id));
  expect_one_trace(Trace(collector.traces(), id));
  EXPECT_EQ(exchange.process().stop(), 0) << exchange.process().output();
}

// Off is off: without an endpoint nothing is traced and no connection is tried.
TEST(TracedPath, OffIsOff) {
  ExchangeProcess exchange({});
  Http http(exchange.url());
  net::ClientRequest request;
  request.url = exchange.url() + "/v2/account";
  request.headers.set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  request.headers.set("APCA-API-KEY-ID", "off");
  request.headers.set("APCA-API-SECRET-KEY", "off");
  const Http::Reply reply = http.send(std::move(request));
  EXPECT_FALSE(reply.headers.contains("x-trace-id"));
  EXPECT_EQ(exchange.process().stop(), 0);
  EXPECT_EQ(exchange.process().output().find("tracing:"), std::string::npos)
      << exchange.process().output();
}

}  // namespace
}  // namespace alphaswarm::testing
