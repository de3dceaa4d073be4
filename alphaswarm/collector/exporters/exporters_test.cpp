#include <gtest/gtest.h>

#include <condition_variable>

#include "alphaswarm/collector/collector.hpp"
#include "alphaswarm/collector/connectors/span_metrics.hpp"
#include "alphaswarm/collector/exporters/otlp.hpp"
#include "alphaswarm/collector/exporters/prometheus.hpp"
#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/observability/export/batch_sink.hpp"
#include "alphaswarm/tracestore/memory_store.hpp"
#include "tests/support/otlp_builder.hpp"
#include "tests/support/process.hpp"

namespace alphaswarm::collector {
namespace {

using namespace alphaswarm::testing;
using observability::SinkResult;
using std::chrono::milliseconds;

Batch one_batch(std::string_view service, const std::vector<SpanSpec>& spans) {
  return std::make_shared<const otlp::TraceBatch>(batch(service, spans));
}

class Sink final : public observability::BatchSink {
 public:
  SinkResult send(const observability::Batch& batch, milliseconds) override {
    const std::lock_guard lock(mutex_);
    ++calls;
    changed_.notify_all();
    if (calls <= fail_first) return {.status = fail_with, .retry_after = {}, .message = "no"};
    auto parsed = otlp::parse_trace_request(SharedBytes(batch.request.joined()));
    spans += parsed ? parsed->spans.size() : 0;
    EXPECT_EQ(parsed->spans.size(), batch.span_count);
    return {.rejected_spans = rejects, .message = {}};
  }
  void wait_for_calls(int count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), [&] { return calls >= count; }));
  }

  int fail_first = 0;
  SinkResult::Status fail_with = SinkResult::retry;
  std::uint32_t rejects = 0;
  int calls = 0;
  std::uint64_t spans = 0;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

Deadline in(milliseconds time) { return std::chrono::steady_clock::now() + time; }

OtlpExporterConfig quick() {
  OtlpExporterConfig config;
  config.retry.initial_interval = milliseconds(1);
  config.retry.max_interval = milliseconds(5);
  return config;
}

TEST(OtlpExporter, JoinsRequestsAndRetries) {
  auto sink = std::make_shared<Sink>();
  sink->fail_first = 3;
  OtlpExporter exporter("exporter otlp", quick(), sink);
  exporter.consume({one_batch("a", {{.id = span_id(1)}}), one_batch("b", {{.id = span_id(2)}})});
  sink->wait_for_calls(4);
  exporter.drain(in(std::chrono::seconds(20)));
  EXPECT_EQ(sink->spans, 2U);
  EXPECT_EQ(sink->calls, 4);
  EXPECT_EQ(exporter.stats().sent, 2U);
}

TEST(OtlpExporter, CountsWhatItCannotDeliver) {
  auto sink = std::make_shared<Sink>();
  sink->fail_first = 1;
  sink->fail_with = SinkResult::rejected;
  sink->rejects = 1;
  OtlpExporter exporter("exporter otlp", quick(), sink);
  exporter.consume({one_batch("a", {{.id = span_id(1)}})});                      // rejected whole
  exporter.consume({one_batch("a", {{.id = span_id(1)}, {.id = span_id(2)}})});  // in part
  exporter.drain(in(std::chrono::seconds(20)));
  const StageStats stats = exporter.stats();
  EXPECT_EQ(stats.received, 3U);
  EXPECT_EQ(stats.sent, 1U);
  EXPECT_EQ(stats.dropped, 2U);
  EXPECT_EQ(stats.held, 0U);
}

TEST(OtlpExporter, DrainsWithinItsDeadline) {
  auto sink = std::make_shared<Sink>();
  sink->fail_first = 1'000'000;
  OtlpExporterConfig config;  // waits 5 s between tries
  config.queue.queue_size = 2;
  OtlpExporter exporter("exporter otlp", config, sink);
  exporter.consume({one_batch("a", {{.id = span_id(1)}})});
  sink->wait_for_calls(1);
  for (std::uint32_t i = 0; i < 3; ++i) {
    exporter.consume({one_batch("a", {{.id = span_id(i + 2)}})});
  }
  EXPECT_FALSE(exporter.admit(1));  // the queue is full, and senders are told
  EXPECT_TRUE(exporter.admit(1).error().retryable);
  const auto started = std::chrono::steady_clock::now();
  exporter.drain(in(milliseconds(300)));
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(3));
  const StageStats stats = exporter.stats();
  EXPECT_EQ(stats.received, 4U);
  EXPECT_EQ(stats.dropped, 4U);
  EXPECT_GT(sink->calls, 1);  // it tried again while there was time
}

TEST(OtlpExporter, BadEndpointsAreErrors) {
  EXPECT_FALSE(make_otlp_exporter("exporter otlp", {.endpoint = "ftp://host:1"}));
}

std::string text_of(const SpanMetrics& metrics, MetricsText::Format format,
                    const PrometheusExporterConfig& config = {}) {
  MetricsText text(format);
  write_span_metrics(text, metrics, config);
  return text.finish();
}

SpanMetricsConfig small() {
  SpanMetricsConfig config;
  config.buckets_ns = {1'000, 1'000'000};
  config.unit_seconds = true;
  config.dimensions = {{"venue", "none"}};
  return config;
}

TEST(SpanMetrics, CountsAsPrometheusReadsIt) {
  SpanMetrics metrics("connector spanmetrics", small());
  SpanSpec bar{
      .id = span_id(1), .name = "bar \"x\"", .start_ns = 1'000'000'000, .duration_ns = 1'000};
  SpanSpec slow = bar;
  slow.duration_ns = 2'000'000;
  SpanSpec failed = bar;
  failed.status = otlp::StatusCode::error;
  failed.attributes = {text("venue", "sim")};
  metrics.consume({one_batch("api", {bar, bar, slow, failed})});
  EXPECT_EQ(text_of(metrics, MetricsText::Format::prometheus),
            R"(# HELP traces_span_metrics_calls_total Spans by service, name, kind and status.
# TYPE traces_span_metrics_calls_total counter
traces_span_metrics_calls_total{job="api",service_name="api",span_name="bar \"x\"",span_kind="SPAN_KIND_INTERNAL",status_code="STATUS_CODE_ERROR",venue="sim"} 1
traces_span_metrics_calls_total{job="api",service_name="api",span_name="bar \"x\"",span_kind="SPAN_KIND_INTERNAL",status_code="STATUS_CODE_UNSET",venue="none"} 3
# HELP traces_span_metrics_duration_seconds Durations of spans.
# TYPE traces_span_metrics_duration_seconds histogram
traces_span_metrics_duration_seconds_bucket{job="api",service_name="api",span_name="bar \"x\"",span_kind="SPAN_KIND_INTERNAL",status_code="STATUS_CODE_ERROR",venue="sim",le="1e-06"} 1
traces_span_metrics_duration_seconds_bucket{job="api",service_name="api",span_name="bar \"x\"",span_kind="SPAN_KIND_INTERNAL",status_code="STATUS_CODE_ERROR",venue="sim",le="0.001"} 1
traces_span_metrics_duration_seconds_bucket{job="api",service_name="api",span_name="bar \"x\"",span_kind="SPAN_KIND_INTERNAL",status_code="STATUS_CODE_ERROR",venue="sim",le="+Inf"} 1
traces_span_metrics_duration_seconds_sum{job="api",service_name="api",span_name="bar \"x\"",span_kind="SPAN_KIND_INTERNAL",status_code="STATUS_CODE_ERROR",venue="sim"} 1e-06
traces_span_metrics_duration_seconds_count{job="api",service_name="api",span_name="bar \"x\"",span_kind="SPAN_KIND_INTERNAL",status_code="STATUS_CODE_ERROR",venue="sim"} 1
traces_span_metrics_duration_seconds_bucket{job="api",service_name="api",span_name="bar \"x\"",span_kind="SPAN_KIND_INTERNAL",status_code="STATUS_CODE_UNSET",venue="none",le="1e-06"} 2
traces_span_metrics_duration_seconds_bucket{job="api",service_name="api",span_name="bar \"x\"",span_kind="SPAN_KIND_INTERNAL",status_code="STATUS_CODE_UNSET",venue="none",le="0.001"} 2
traces_span_metrics_duration_seconds_bucket{job="api",service_name="api",span_name="bar \"x\"",span_kind="SPAN_KIND_INTERNAL",status_code="STATUS_CODE_UNSET",venue="none",le="+Inf"} 3
traces_span_metrics_duration_seconds_sum{job="api",service_name="api",span_name="bar \"x\"",span_kind="SPAN_KIND_INTERNAL",status_code="STATUS_CODE_UNSET",venue="none"} 0.002002
traces_span_metrics_duration_seconds_count{job="api",service_name="api",span_name="bar \"x\"",span_kind="SPAN_KIND_INTERNAL",status_code="STATUS_CODE_UNSET",venue="none"} 3
)");
}

TEST(SpanMetrics, OpenMetricsCarriesExemplars) {
  SpanMetrics metrics("connector spanmetrics", small());
  metrics.consume({one_batch("api", {{.id = span_id(7), .start_ns = 1'500'000'000'000'000'000}})});
  const std::string text = text_of(metrics, MetricsText::Format::open_metrics);
  EXPECT_NE(text.find("# TYPE traces_span_metrics_calls counter\n"), std::string::npos);
  EXPECT_NE(text.find(R"(le="1e-06"} 1 # {trace_id="aa000000000000000000000000000001",)"
                      R"(span_id="bb00000000000007"} 1e-06 1500000000.000)"
                      "\n"),
            std::string::npos)
      << text;
  EXPECT_TRUE(text.ends_with("# EOF\n"));
}

TEST(SpanMetrics, TooManySeriesGoIntoOne) {
  SpanMetricsConfig config = small();
  config.max_series = 2;
  SpanMetrics metrics("connector spanmetrics", config);
  for (const char* name : {"a", "b", "c", "d", "a"}) {
    metrics.consume({one_batch("api", {{.name = name}})});
  }
  EXPECT_EQ(metrics.series().size(), 3U);
  EXPECT_NE(text_of(metrics, MetricsText::Format::prometheus)
                .find("traces_span_metrics_calls_total{otel_metric_overflow=\"true\"} 2\n"),
            std::string::npos);
}

class Running : public ::testing::Test {
 protected:
  static CollectorConfig free_ports() {
    CollectorConfig config = embedded_profile();
    config.receivers["otlp"] =
        OtlpReceiverConfig{.grpc = OtlpGrpcReceiverConfig{.endpoint = {.port = 0}},
                           .http = OtlpHttpReceiverConfig{.endpoint = {.port = 0}}};
    std::get<PrometheusExporterConfig>(config.exporters["prometheus"]).endpoint.port = 0;
    config.telemetry = Endpoint{.port = 0};
    return config;
  }
  static SinkResult send(Collector& collector, const std::vector<SpanSpec>& spans) {
    const std::string bytes = request("api", spans);
    return collector.in_process_sink()->send({.request = bytes, .span_count = 0}, milliseconds(1));
  }
  std::string get(std::uint16_t port, const std::string& accept = "*/*") {
    net::ClientRequest ask;
    ask.url = "http://127.0.0.1:" + std::to_string(port) + "/metrics";
    ask.headers.add("accept", accept);
    auto reply = net::block_on(runtime_, client_.send(std::move(ask)));
    return reply ? reply->body : reply.error().message;
  }

  testing::TemporaryFolder folder_;
  const std::string directory_ = folder_.path().string();
  net::Runtime runtime_{"test", 1};
  net::HttpClient client_{runtime_};
};

TEST_F(Running, ServesSpanMetricsAndItsOwn) {
  CollectorConfig config = free_ports();
  config.processors["batch"] = BatchConfig{.send_batch_size = 1};
  auto store = std::make_shared<tracestore::MemoryStore>();
  auto collector = Collector::start(
      config, {.store = store, .sdk_stats = [] {
                 return std::vector<SdkStats>{
                     {.service = "alphaswarm-api", .started = 7, .dropped = {{"no_chunk", 2}}}};
               }});
  ASSERT_TRUE(collector) << collector.error().message;
  EXPECT_EQ(send(**collector, {{.id = span_id(1)}, {.id = span_id(2)}}).status,
            SinkResult::accepted);
  EXPECT_NE(get((*collector)->prometheus_port()).find("status_code=\"STATUS_CODE_UNSET\"} 2\n"),
            std::string::npos);
  EXPECT_NE(get((*collector)->prometheus_port(), "application/openmetrics-text; version=1.0.0")
                .find("# {trace_id="),
            std::string::npos);
  const std::string own = get((*collector)->telemetry_port());
  for (const char* line :
       {"alphaswarm_collector_received_spans_total{stage=\"receiver in_process\"} 2\n",
        "alphaswarm_collector_sent_spans_total{stage=\"exporter store\"} 2\n",
        "alphaswarm_store_spans 2\n",
        "alphaswarm_sdk_started_spans_total{service=\"alphaswarm-api\"} 7\n",
        "alphaswarm_sdk_dropped_spans_total{service=\"alphaswarm-api\",cause=\"no_chunk\"} 2\n",
        "# TYPE process_cpu_seconds_total counter\n"}) {
    EXPECT_NE(own.find(line), std::string::npos) << line << own;
  }
}

TEST_F(Running, TracesOutliveARestart) {
  CollectorConfig config = free_ports();
  config.exporters["store"] = StoreExporterConfig{.log_directory = directory_ + "/log"};
  for (std::uint32_t run = 1; run <= 3; ++run) {
    auto store = std::make_shared<tracestore::MemoryStore>();
    auto collector = Collector::start(config, {.store = store});
    ASSERT_TRUE(collector) << collector.error().message;
    EXPECT_EQ(store->stats().spans, run - 1);
    EXPECT_EQ(store->find(trace_id(1)).has_value(), run > 1);
    EXPECT_EQ(send(**collector, {{.id = span_id(run)}}).status, SinkResult::accepted);
  }
}

// One collector forwards to another over each protocol.
TEST_F(Running, ForwardsToAnotherCollector) {
  auto store = std::make_shared<tracestore::MemoryStore>();
  auto back = Collector::start(free_ports(), {.store = store});
  ASSERT_TRUE(back) << back.error().message;
  for (const bool http : {false, true}) {
    CollectorConfig config = free_ports();
    const std::uint16_t port = http ? (*back)->http_port() : (*back)->grpc_port();
    OtlpExporterConfig exporter = quick();
    exporter.endpoint = (http ? "http://127.0.0.1:" : "127.0.0.1:") + std::to_string(port);
    exporter.http = http;
    exporter.insecure = true;
    config.exporters["otlp"] = exporter;
    config.pipelines[0].exporters = {"otlp"};
    auto front = Collector::start(config, {});
    ASSERT_TRUE(front) << front.error().message;
    EXPECT_EQ(send(**front, {{.id = span_id(http ? 1 : 2)}}).status, SinkResult::accepted);
    (*front)->stop(std::chrono::seconds(5));
    for (const StageStats& stage : (*front)->stats()) EXPECT_EQ(stage.dropped, 0U) << stage.id;
  }
  (*back)->stop();
  EXPECT_EQ(store->stats().spans, 2U);
}

}  // namespace
}  // namespace alphaswarm::collector
