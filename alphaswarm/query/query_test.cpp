#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/query/native_api.hpp"
#include "alphaswarm/query/query_server.hpp"
#include "alphaswarm/query/tree.hpp"
#include "tests/support/otlp_builder.hpp"

namespace alphaswarm::query {
namespace {

using namespace alphaswarm::testing;
using otlp::SpanKind;
using otlp::StatusCode;

std::shared_ptr<tracestore::MemoryStore> session_store() {
  auto store = std::make_shared<tracestore::MemoryStore>();
  std::vector<SpanSpec> bars;
  SpanSpec run{.id = span_id(2),
               .parent = span_id(1),
               .name = "run/paper",
               .kind = SpanKind::consumer,
               .start_ns = 2'000,
               .duration_ns = 5'000'000};
  for (std::uint32_t i = 0; i < 1'259; ++i) {
    SpanSpec bar{.id = span_id(100 + 2 * i),
                 .parent = span_id(2),
                 .name = "paper.session.bar",
                 .start_ns = 3'000 + i * 1'000,
                 .duration_ns = 900};
    bar.attributes = {integer("paper.bar_index", i), text("market.symbol", "AAPL.NASDAQ")};
    bars.push_back(bar);
    if (i % 100 != 7) continue;
    SpanSpec order{.id = span_id(101 + 2 * i),
                   .parent = span_id(100 + 2 * i),
                   .name = "broker.submit_order",
                   .kind = SpanKind::client,
                   .start_ns = 3'100 + i * 1'000,
                   .duration_ns = 10};
    order.attributes = {text("order.side", "buy"), integer("order.quantity", 12)};
    if (i == 107) order.status = StatusCode::error;
    order.events = {event("order.fill", 5)};
    bars.push_back(order);
  }
  store->add(batch("alphaswarm-paper-trader", bars));
  store->add(batch("alphaswarm-worker", {run}));
  SpanSpec root{.id = span_id(1),
                .name = "POST /paper/start",
                .kind = SpanKind::server,
                .start_ns = 1'000,
                .duration_ns = 1'234'567};
  store->add(batch("alphaswarm-api", {root}));
  return store;
}

TEST(Tree, FoldsEqualSiblings) {
  const QueryService query(session_store());
  const auto trace = query.trace(trace_id(1));
  ASSERT_TRUE(trace);
  EXPECT_EQ(render_tree(*trace, {.durations = false}),
            "trace aa000000000000000000000000000001  1,274 spans, 3 services, 1 ERROR\n"
            "POST /paper/start [alphaswarm-api server]\n"
            "└─ run/paper [alphaswarm-worker consumer]\n"
            "   └─ paper.session.bar [alphaswarm-paper-trader internal] × 1,259\n"
            "      └─ broker.submit_order [alphaswarm-paper-trader client] × 13  1 ERROR\n");
}

TEST(Tree, ShowsDurationsOrphansAndOpenSpans) {
  auto store = std::make_shared<tracestore::MemoryStore>();
  SpanSpec open{
      .id = span_id(1), .name = "session", .start_ns = 1'000, .duration_ns = 3'204'117'022};
  open.attributes = {boolean(otlp::kOpenSpanKey, true)};
  SpanSpec lost{.id = span_id(2),
                .parent = span_id(99),
                .name = "lost",
                .start_ns = 2'000,
                .duration_ns = 80,
                .status = StatusCode::error};
  store->add(batch("worker", {open, lost}));
  const auto trace = QueryService(store).trace(trace_id(1));
  EXPECT_EQ(render_tree(*trace),
            "trace aa000000000000000000000000000001  2 spans, 1 service, 3.204 117 022 s, 1 ERROR, "
            "1 orphan, 1 OPEN\n"
            "session [worker internal]  3.20 s  OPEN\n"
            "lost [worker internal]  80 ns  ERROR  (orphan)\n");
}

TEST(Tree, DurationsAreExactOrShort) {
  EXPECT_EQ(exact_duration(0), "0 ns");
  EXPECT_EQ(exact_duration(412'093'884), "412.093 884 ms");
  EXPECT_EQ(exact_duration(1'204'000'000), "1.204 s");
  EXPECT_EQ(exact_duration(12'000'000'000'000), "12,000 s");
  EXPECT_EQ(short_duration(1'234), "1.23 µs");
  EXPECT_EQ(short_duration(99'960'000), "100.0 ms");
  EXPECT_EQ(grouped(1'234'567), "1,234,567");
}

TEST(Assembly, CutsRingsAndDropsDuplicates) {
  auto store = std::make_shared<tracestore::MemoryStore>();
  const std::vector<SpanSpec> spans = {{.id = span_id(1), .parent = span_id(2), .name = "a"},
                                       {.id = span_id(2), .parent = span_id(1), .name = "b"},
                                       {.id = span_id(3), .parent = span_id(3), .name = "c"}};
  store->add(batch("s", spans));
  store->add(batch("s", spans));
  const auto trace = QueryService(store).trace(trace_id(1));
  EXPECT_EQ(trace->spans().size(), 3U);
  EXPECT_EQ(trace->duplicates(), 3U);
  EXPECT_EQ(trace->orphans(), 2U);
  EXPECT_EQ(trace->roots().size(), 2U);
  EXPECT_EQ(trace->root(), nullptr);
}

class NativeApi : public ::testing::Test {
 protected:
  void SetUp() override {
    QueryServerConfig config;
    config.port = 0;
    config.static_files = [](std::string_view path) -> std::optional<StaticFile> {
      if (path == "/index.html") return StaticFile{"text/html", "", "<html>page</html>"};
      if (path == "/assets/a.js") return StaticFile{"text/javascript", "gzip", "zipped"};
      return std::nullopt;
    };
    auto started = QueryServer::start(session_store(), std::move(config));
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
  }

  net::HttpResponse get(const std::string& path) {
    net::ClientRequest request;
    request.url = "http://127.0.0.1:" + std::to_string(server_->port()) + path;
    auto reply = net::block_on(runtime_, client_.send(std::move(request)));
    EXPECT_TRUE(reply) << reply.error().message;
    return reply ? *reply : net::HttpResponse{};
  }
  boost::json::value json(const std::string& path, int status = 200) {
    const net::HttpResponse reply = get("/api/alphaswarm/v1" + path);
    EXPECT_EQ(reply.status, status) << reply.body;
    boost::system::error_code wrong;
    auto value = boost::json::parse(reply.body, wrong);
    EXPECT_FALSE(wrong) << reply.body;
    return value;
  }

  net::Runtime runtime_{"test", 1};
  net::HttpClient client_{runtime_};
  std::unique_ptr<QueryServer> server_;
};

TEST_F(NativeApi, ListsServices) {
  const auto reply = json("/services");
  const auto& services = reply.at("services").as_array();
  ASSERT_EQ(services.size(), 3U);
  EXPECT_EQ(services[1].at("name"), "alphaswarm-paper-trader");
  EXPECT_EQ(services[1].at("spans"), 1'272);
  EXPECT_EQ(services[1].at("errors"), 1);
  EXPECT_EQ(services[1].at("operations").as_array()[0].at("kind"), "client");
}

TEST_F(NativeApi, FindsTracesAndSpans) {
  const auto reply = json("/search?service=alphaswarm-paper-trader&q=order.side%3Dbuy");
  const auto& trace = reply.at("traces").as_array().at(0);
  EXPECT_EQ(trace.at("rootName"), "POST /paper/start");
  EXPECT_EQ(trace.at("rootService"), "alphaswarm-api");
  EXPECT_EQ(trace.at("startNs"), "1000");
  EXPECT_EQ(trace.at("spanCount"), 1'274);
  EXPECT_EQ(trace.at("matched"), 13);
  EXPECT_EQ(trace.at("services").as_array().size(), 3U);
  EXPECT_TRUE(reply.at("complete").as_bool());
  const auto spans = json("/search?mode=spans&q=error%3Dtrue");
  EXPECT_EQ(spans.at("spans").as_array().at(0).at("name"), "broker.submit_order");
  EXPECT_EQ(spans.at("spans").as_array().at(0).at("label"), "buy 12");
  EXPECT_TRUE(json("/search?q=nothing%3D1").at("traces").as_array().empty());
}

TEST_F(NativeApi, GivesATraceAsColumns) {
  const auto reply = json("/traces/aa000000000000000000000000000001");
  const auto& spans = reply.at("spans");
  EXPECT_EQ(spans.at("id").as_array().size(), 1'274U);
  EXPECT_EQ(spans.at("parent").as_array()[0], -1);
  EXPECT_EQ(spans.at("parent").as_array()[1], 0);
  EXPECT_EQ(spans.at("start").as_array()[1], 1'000);
  EXPECT_EQ(spans.at("duration").as_array()[0], 1'234'567);
  EXPECT_EQ(spans.at("label").as_array()[2], "bar 0");
  EXPECT_EQ(reply.at("orphans"), 0);
  EXPECT_TRUE(reply.at("complete").as_bool());
  for (const auto& [name, column] : spans.as_object()) {
    EXPECT_EQ(column.as_array().size(), 1'274U) << name;
  }
}

TEST_F(NativeApi, GivesASpanInFull) {
  const std::string id = span_id(101 + 14).to_hex();
  const auto reply = json("/traces/aa000000000000000000000000000001/spans/" + id);
  EXPECT_EQ(reply.at("spanId").as_string(), id);
  EXPECT_EQ(reply.at("parentSpanId").as_string(), span_id(114).to_hex());
  EXPECT_EQ(reply.at("resource").at("service.name"), "alphaswarm-paper-trader");
  EXPECT_EQ(reply.at("attributes").as_array()[1].at("key"), "order.quantity");
  EXPECT_EQ(reply.at("attributes").as_array()[1].at("value"), "12");
  EXPECT_EQ(reply.at("attributes").as_array()[1].at("type"), "int");
  EXPECT_EQ(reply.at("events").as_array()[0].at("timeNs"), "5");
}

TEST_F(NativeApi, CompletesKeysAndValuesAndDescribesDurations) {
  const auto keys = json("/attributes/keys?prefix=order.");
  EXPECT_EQ(keys.at("keys").as_array().size(), 2U);
  EXPECT_EQ(keys.at("keys").as_array()[0].at("count"), 13);
  const auto values = json("/attributes/values?key=market.symbol");
  EXPECT_EQ(values.at("values").as_array()[0].at("value"), "AAPL.NASDAQ");
  const auto stats = json(
      "/operations/stats?service=alphaswarm-paper-trader&operation=paper.session.bar"
      "&spanDurationNs=900");
  EXPECT_EQ(stats.at("count"), 1'259);
  EXPECT_EQ(stats.at("percentile").to_number<double>(), 1.0);
  const auto inside = json("/traces/aa000000000000000000000000000001/search?q=BUY");
  EXPECT_EQ(inside.at("spanIds").as_array().size(), 13U);
}

TEST_F(NativeApi, BadQueriesGetASentence) {
  EXPECT_EQ(
      json("/search?minDuration=5", 400).at("error").at("message"),
      "parameter minDuration: '5' is not a duration; write for example 1.5ms, 100us or 2h45m");
  EXPECT_EQ(json("/search?limit=x", 400).at("error").at("message"),
            "parameter limit: 'x' is not a whole number");
  (void)json("/search?q=%22open", 400);
  (void)json("/traces/xyz", 400);
  (void)json("/traces/1234", 404);
  (void)json("/traces/aa000000000000000000000000000001/spans/1", 404);
  (void)json("/attributes/values", 400);
}

TEST_F(NativeApi, ServesTreeListAndPage) {
  EXPECT_NE(get("/api/alphaswarm/v1/traces/aa000000000000000000000000000001/tree?durations=false")
                .body.find("× 1,259"),
            std::string::npos);
  EXPECT_NE(get("/api/alphaswarm/v1/list").body.find("POST /paper/start"), std::string::npos);
  EXPECT_EQ(get("/").body, "<html>page</html>");
  EXPECT_EQ(get("/trace/1234").body, "<html>page</html>");
  EXPECT_EQ(get("/assets/a.js").headers.get("content-encoding"), "gzip");
  EXPECT_EQ(get("/assets/b.js").status, 404);
  EXPECT_EQ(get("/api/nothing").status, 404);
}

}  // namespace
}  // namespace alphaswarm::query
