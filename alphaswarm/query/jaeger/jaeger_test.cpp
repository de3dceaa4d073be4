#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/query/query_server.hpp"
#include "tests/support/otlp_builder.hpp"

namespace alphaswarm::query {
namespace {

using namespace alphaswarm::testing;
namespace json = boost::json;
using otlp::SpanKind;
using otlp::StatusCode;

constexpr std::uint64_t kStart = 1'700'000'000'000'000'000;  // 2023-11-14T22:13:20Z

std::shared_ptr<tracestore::MemoryStore> shop() {
  auto store = std::make_shared<tracestore::MemoryStore>();
  SpanSpec root{.id = span_id(1),
                .name = "POST /order",
                .kind = SpanKind::server,
                .start_ns = kStart + 1'999,
                .duration_ns = 5'000'999,
                .status = StatusCode::ok};
  root.attributes = {text("http.route", "/order"), integer("n", -5), real("f", 2.5),
                     boolean("b", true)};
  root.events = {event("order.fill", kStart + 7'777, {integer("quantity", 3)})};
  SpanSpec inner{.id = span_id(2),
                 .parent = span_id(1),
                 .name = "risk",
                 .start_ns = kStart + 2'500,
                 .duration_ns = 100'000};
  store->add(batch("api", {root, inner}));
  SpanSpec child{.id = span_id(3),
                 .parent = span_id(2),
                 .name = "fill",
                 .kind = SpanKind::consumer,
                 .start_ns = kStart + 3'000,
                 .duration_ns = 2'000'000,
                 .status = StatusCode::error,
                 .message = "no cash"};
  child.links = {link(trace_id(1), span_id(2)), link(trace_id(7), span_id(70))};
  store->add(batch("exchange", {child}));
  store->add(batch("api", {{.trace = trace_id(2),
                            .id = span_id(9),
                            .parent = span_id(99),
                            .name = "lost",
                            .start_ns = kStart + 1'000'000'000}}));
  return store;
}

class Jaeger : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = QueryServer::start(shop(), {.port = 0});
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
  }
  net::HttpResponse send(const std::string& path, const std::string& method = "GET",
                         std::string body = {}) {
    net::ClientRequest request;
    request.method = method;
    request.url = "http://127.0.0.1:" + std::to_string(server_->port()) + path;
    request.body = std::move(body);
    auto reply = net::block_on(runtime_, client_.send(std::move(request)));
    EXPECT_TRUE(reply) << reply.error().message;
    return reply ? *reply : net::HttpResponse{};
  }
  json::value get(const std::string& path, int status = 200) {
    const net::HttpResponse reply = send(path);
    EXPECT_EQ(reply.status, status) << path << "\n" << reply.body;
    boost::system::error_code wrong;
    auto value = json::parse(reply.body, wrong);
    EXPECT_FALSE(wrong) << reply.body;
    return value;
  }
  // The body after the envelope has been checked.
  json::value data(const std::string& path) {
    const json::value reply = get(path);
    EXPECT_EQ(reply.at("total"), 0);
    EXPECT_EQ(reply.at("limit"), 0);
    EXPECT_EQ(reply.at("offset"), 0);
    EXPECT_TRUE(reply.at("errors").is_null());
    return reply.at("data");
  }

  net::Runtime runtime_{"test", 1};
  net::HttpClient client_{runtime_};
  std::unique_ptr<QueryServer> server_;
};

TEST_F(Jaeger, ServicesAndOperations) {
  EXPECT_EQ(json::serialize(data("/api/services")), R"(["api","exchange"])");
  EXPECT_EQ(json::serialize(data("/api/services/api/operations")),
            R"(["POST /order","lost","risk"])");
  EXPECT_EQ(json::serialize(data("/api/services/none/operations")), "[]");
  EXPECT_EQ(json::serialize(data("/api/operations?service=exchange")),
            R"([{"name":"fill","spanKind":"consumer"}])");
  EXPECT_EQ(json::serialize(data("/api/operations?service=api&spanKind=server")),
            R"([{"name":"POST /order","spanKind":"server"}])");
  (void)get("/api/operations", 400);
}

TEST_F(Jaeger, ATraceFieldByField) {
  const json::value traces = data("/api/traces/aa000000000000000000000000000001");
  ASSERT_EQ(traces.as_array().size(), 1U);
  const json::value& trace = traces.at(0);
  EXPECT_EQ(trace.at("traceID"), "aa000000000000000000000000000001");
  EXPECT_TRUE(trace.at("warnings").is_null());
  EXPECT_EQ(
      json::serialize(trace.at("processes")),
      R"({"p1":{"serviceName":"api","tags":[{"key":"host.name","type":"string","value":"test"}]},)"
      R"("p2":{"serviceName":"exchange","tags":[{"key":"host.name","type":"string","value":"test"}]}})");
  EXPECT_EQ(
      json::serialize(trace.at("spans").at(0)),
      R"({"traceID":"aa000000000000000000000000000001","spanID":"bb00000000000001",)"
      R"("operationName":"POST /order","references":[],"startTime":1700000000000001,"duration":5000,)"
      R"("tags":[{"key":"otel.scope.name","type":"string","value":"tests"},)"
      R"({"key":"otel.scope.version","type":"string","value":"1.0"},)"
      R"({"key":"http.route","type":"string","value":"/order"},{"key":"n","type":"int64","value":-5},)"
      R"({"key":"f","type":"float64","value":2.5E0},{"key":"b","type":"bool","value":true},)"
      R"({"key":"span.kind","type":"string","value":"server"},)"
      R"({"key":"otel.status_code","type":"string","value":"OK"}],)"
      R"("logs":[{"timestamp":1700000000000007,"fields":[{"key":"event","type":"string","value":"order.fill"},)"
      R"({"key":"quantity","type":"int64","value":3}]}],"processID":"p1","warnings":null})");
  const json::value& inner = trace.at("spans").at(1);
  EXPECT_EQ(
      json::serialize(inner.at("references")),
      R"([{"refType":"CHILD_OF","traceID":"aa000000000000000000000000000001","spanID":"bb00000000000001"}])");
  const json::value& child = trace.at("spans").at(2);
  EXPECT_EQ(child.at("processID"), "p2");
  EXPECT_EQ(
      json::serialize(child.at("references")),  // a link to the parent replaces CHILD_OF
      R"([{"refType":"FOLLOWS_FROM","traceID":"aa000000000000000000000000000001","spanID":"bb00000000000002"},)"
      R"({"refType":"FOLLOWS_FROM","traceID":"aa000000000000000000000000000007","spanID":"bb00000000000046"}])");
  const std::string tags = json::serialize(child.at("tags"));
  EXPECT_NE(tags.find(R"({"key":"otel.status_code","type":"string","value":"ERROR"},)"
                      R"({"key":"error","type":"bool","value":true},)"
                      R"({"key":"otel.status_description","type":"string","value":"no cash"})"),
            std::string::npos)
      << tags;
}

TEST_F(Jaeger, SearchesAsTheOldUiDoes) {
  const auto found = [&](const std::string& query) {
    return data("/api/traces?service=api&" + query).as_array().size();
  };
  EXPECT_EQ(found(""), 2U);
  EXPECT_EQ(found("limit=1"), 1U);
  EXPECT_EQ(found("operation=risk"), 1U);
  EXPECT_EQ(found("start=1700000000500000&end=1700000002000000"), 1U);
  EXPECT_EQ(found("minDuration=5ms"), 1U);
  EXPECT_EQ(found("maxDuration=1us"), 1U);
  EXPECT_EQ(found("tag=http.route:/order&tag=n:-5"), 1U);
  EXPECT_EQ(found("tags=%7B%22http.route%22:%22/order%22%7D"), 1U);
  EXPECT_EQ(found("tags=%7B%22http.route%22:%22/other%22%7D"), 0U);
  EXPECT_EQ(found("tag=span.kind:server&tag=otel.status_code:OK"), 1U);
  EXPECT_EQ(data("/api/traces?service=exchange&tag=error:true").as_array().size(), 1U);
  EXPECT_EQ(data("/api/traces?service=none").as_array().size(), 0U);
  const auto by_id = get("/api/traces?traceID=aa000000000000000000000000000002&traceID=f");
  EXPECT_EQ(by_id.at("data").as_array().size(), 1U);
  EXPECT_EQ(json::serialize(by_id.at("errors")),
            R"([{"code":404,"msg":"trace not found","traceID":"000000000000000f"}])");
  for (const char* bad :
       {"", "service=api&start=x", "service=api&minDuration=5", "service=api&tags=%7B",
        "service=api&tag=novalue", "service=api&minDuration=2s&maxDuration=1s", "traceID=xyz"}) {
    (void)get(std::string("/api/traces?") + bad, 400);
  }
}

TEST_F(Jaeger, ErrorsAreJsonThatSaysItIsText) {
  const net::HttpResponse missing = send("/api/traces/1");
  EXPECT_EQ(missing.status, 404);
  EXPECT_TRUE(missing.headers.get("content-type")->starts_with("text/plain"));
  EXPECT_EQ(
      missing.body,
      R"({"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":404,"msg":"trace not found"}]})");
  (void)get("/api/traces/nothex", 400);
}

TEST_F(Jaeger, DependenciesCountSelfEdges) {
  EXPECT_EQ(
      json::serialize(data("/api/dependencies?endTs=1700000100000&lookback=3600000")),
      R"([{"parent":"api","child":"api","callCount":1},{"parent":"api","child":"exchange","callCount":1}])");
  EXPECT_EQ(json::serialize(data("/api/dependencies?endTs=1600000000000&lookback=1")), "[]");
}

TEST_F(Jaeger, ArchivesAndTransforms) {
  EXPECT_EQ(send("/api/archive/aa000000000000000000000000000001", "POST").body,
            R"({"data":[],"total":0,"limit":0,"offset":0,"errors":null})");
  EXPECT_EQ(send("/api/archive/1", "POST").status, 404);
  const net::HttpResponse shown = send(
      "/api/transform", "POST",
      R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c",
          "spanId":"b7ad6b7169203331","name":"x","flags":257}]}]}]})");
  ASSERT_EQ(shown.status, 200) << shown.body;
  const json::value trace = json::parse(shown.body).at("data").at(0);
  EXPECT_EQ(trace.at("spans").at(0).at("operationName"), "x");
  EXPECT_EQ(trace.at("spans").at(0).at("flags"), 257);
  EXPECT_EQ(trace.at("processes").at("p1").at("serviceName"), "unknown_service");
  EXPECT_EQ(send("/api/transform", "POST", "{").status, 400);
}

TEST_F(Jaeger, MetricsOverTime) {
  const std::string range =
      "?service=api&endTs=1700000010000&lookback=10000&step=5000&ratePer=10000";
  const json::value calls = get("/api/metrics/calls" + range);
  EXPECT_EQ(calls.at("name"), "service_call_rate");
  EXPECT_EQ(calls.at("type"), "GAUGE");
  const json::value& series = calls.at("metrics").at(0);
  EXPECT_EQ(json::serialize(series.at("labels")), R"([{"name":"service_name","value":"api"}])");
  ASSERT_EQ(series.at("metricPoints").as_array().size(), 3U);
  EXPECT_EQ(json::serialize(series.at("metricPoints").at(1)),
            R"({"gaugeValue":{"doubleValue":1E-1},"timestamp":"2023-11-14T22:13:25.000000000Z"})");
  const json::value latencies =
      get("/api/metrics/latencies" + range + "&quantile=0.95&groupByOperation=true");
  EXPECT_EQ(latencies.at("name"), "service_operation_latencies");
  const json::value& points = latencies.at("metrics").at(0).at("metricPoints");
  EXPECT_NEAR(points.at(1).at("gaugeValue").at("doubleValue").as_double(), 5.0, 0.6);  // ms
  EXPECT_EQ(points.at(0).at("gaugeValue").at("doubleValue"), "NaN");
  const json::value errors = get("/api/metrics/errors" + range + "&spanKind=SPAN_KIND_CONSUMER");
  EXPECT_EQ(errors.at("metrics").as_array().size(), 0U);
  (void)get("/api/metrics/latencies" + range, 400);
  (void)get("/api/metrics/calls", 400);
  (void)get("/api/metrics/calls?service=a&spanKind=x", 400);
}

TEST_F(Jaeger, V3Lists) {
  EXPECT_EQ(json::serialize(get("/api/v3/services")), R"({"services":["api","exchange"]})");
  EXPECT_EQ(json::serialize(get("/api/v3/operations?service=api&span_kind=server")),
            R"({"operations":[{"name":"POST /order","spanKind":"server"}]})");
  (void)get("/api/v3/operations", 400);
}

TEST_F(Jaeger, V3TraceIsOtlpJson) {
  const json::value reply = get("/api/v3/traces/aa000000000000000000000000000001");
  const json::value& groups = reply.at("result").at("resourceSpans");
  ASSERT_EQ(groups.as_array().size(), 2U);
  EXPECT_EQ(json::serialize(groups.at(0).at("resource").at("attributes").at(0)),
            R"({"key":"service.name","value":{"stringValue":"api"}})");
  EXPECT_EQ(json::serialize(groups.at(0).at("scopeSpans").at(0).at("scope")),
            R"({"name":"tests","version":"1.0"})");
  EXPECT_EQ(
      json::serialize(groups.at(0).at("scopeSpans").at(0).at("spans").at(0)),
      R"({"traceId":"aa000000000000000000000000000001","spanId":"bb00000000000001",)"
      R"("name":"POST /order","kind":2,"startTimeUnixNano":"1700000000000001999",)"
      R"("endTimeUnixNano":"1700000000005002998","attributes":[)"
      R"({"key":"http.route","value":{"stringValue":"/order"}},{"key":"n","value":{"intValue":"-5"}},)"
      R"({"key":"f","value":{"doubleValue":2.5E0}},{"key":"b","value":{"boolValue":true}}],)"
      R"("events":[{"timeUnixNano":"1700000000000007777","name":"order.fill",)"
      R"("attributes":[{"key":"quantity","value":{"intValue":"3"}}]}],"status":{"code":1}})");
  EXPECT_EQ(json::serialize(get("/api/v3/traces/1", 404)),
            R"({"error":{"httpCode":404,"message":"No traces found"}})");
  (void)get("/api/v3/traces/xyz", 400);
}

TEST_F(Jaeger, V3Search) {
  const std::string range =
      "query.startTimeMin=2023-11-14T22:00:00Z&query.start_time_max=2023-11-14T23:00:00Z";
  const json::value reply = get("/api/v3/trace-summaries?" + range + "&query.serviceName=api");
  ASSERT_EQ(reply.at("summaries").as_array().size(), 2U);
  EXPECT_EQ(
      json::serialize(reply.at("summaries").at(1)),
      R"({"traceId":"aa000000000000000000000000000001","rootServiceName":"api",)"
      R"("rootOperationName":"POST /order","minStartTimeUnixNano":"1700000000000001999",)"
      R"("maxEndTimeUnixNano":"1700000000005002998","spanCount":3,"errorSpanCount":1,)"
      R"("services":[{"name":"api","spanCount":2},{"name":"exchange","spanCount":1,"errorSpanCount":1}]})");
  EXPECT_EQ(reply.at("summaries").at(0).at("orphanSpanCount"), 1);
  EXPECT_FALSE(reply.at("summaries").at(0).as_object().contains("rootServiceName"));
  const auto count = [&](const std::string& more) {
    return get("/api/v3/trace-summaries?" + range + more).at("summaries").as_array().size();
  };
  EXPECT_EQ(count(""), 2U);  // the service is optional
  EXPECT_EQ(count("&query.num_traces=1"), 1U);
  EXPECT_EQ(count("&query.operation_name=fill&query.durationMin=1ms"), 1U);
  EXPECT_EQ(count("&query.attributes=%7B%22http.route%22:%22/order%22%7D"), 1U);
  EXPECT_EQ(count("&query.service_name=none"), 0U);
  EXPECT_EQ(get("/api/v3/traces?" + range).at("result").at("resourceSpans").as_array().size(), 3U);
  (void)get("/api/v3/traces?" + range + "&query.service_name=none", 404);
  for (const std::string& bad :
       {std::string("query.startTimeMin=2023-11-14T22:00:00Z"), range + "&query.durationMin=5",
        range + "&query.attributes=%7B%22n%22:5%7D", range + "&query.searchDepth=x",
        range + "&query.filter=%7B%7D",
        std::string("query.startTimeMin=yesterday&query.startTimeMax=now")}) {
    EXPECT_EQ(get("/api/v3/traces?" + bad, 400).at("error").at("httpCode"), 400);
  }
}

}  // namespace
}  // namespace alphaswarm::query
