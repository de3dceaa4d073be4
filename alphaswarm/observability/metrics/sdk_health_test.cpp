#include "alphaswarm/observability/metrics/sdk_health.hpp"

#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "alphaswarm/observability/api/span.hpp"
#include "alphaswarm/observability/export/batch_sink.hpp"

#if ALPHASWARM_OTEL

namespace alphaswarm::observability::metrics {
namespace {

TEST(SdkHealth, SpansAreAccountedFor) {
  // Takes its time.
  class SlowSink final : public BatchSink {
   public:
    SinkResult send(const Batch&, std::chrono::milliseconds) override {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      return {};
    }
  };
  auto tracing =
      TracerProvider::create({.service_name = "shop", .sink = std::make_shared<SlowSink>()});
  auto metrics = MeterProvider::create({});
  ASSERT_TRUE(tracing.has_value() && metrics.has_value());
  const auto kept = observe_sdk((*metrics)->meter("sdk"), **tracing);
  const Span open = span("open", SpanOptions{.provider = tracing->get()});
  for (int i = 0; i < 3; ++i) span("ended", SpanOptions{.provider = tracing->get()}).end();
  ASSERT_TRUE((*tracing)->force_flush());
  std::map<std::string, std::int64_t> found;
  int latencies = 0;
  for (const ScopeMetrics& scope : (*metrics)->collect()) {
    for (const Metric& metric : scope.metrics) {
      for (const NumberPoint& point : metric.numbers) {
        EXPECT_EQ(point.attributes.text().at("service.name"), "shop");
        if (const auto* seconds = std::get_if<double>(&point.value)) {
          if (metric.name == "alphaswarm.sdk.recorder.retained") {
            EXPECT_EQ(*seconds, 0.0);  // there is none
            continue;
          }
          EXPECT_GT(*seconds, 0.0199) << metric.name;  // the sink's pause
          ++latencies;
          continue;
        }
        found[metric.name] += std::get<std::int64_t>(point.value);
      }
    }
  }
  EXPECT_GE(found["alphaswarm.sdk.batches"], 1);  // one or more, as the export thread looks
  EXPECT_EQ(found["alphaswarm.sdk.export.calls"], found["alphaswarm.sdk.batches"]);
  found.erase("alphaswarm.sdk.batches");
  found.erase("alphaswarm.sdk.export.calls");
  EXPECT_EQ(latencies, 2);
  const std::map<std::string, std::int64_t> expected = {
      {"alphaswarm.sdk.retries", 0},           {"alphaswarm.sdk.spans.dropped", 0},
      {"alphaswarm.sdk.spans.ended", 3},       {"alphaswarm.sdk.spans.exported", 3},
      {"alphaswarm.sdk.spans.not_sampled", 0}, {"alphaswarm.sdk.spans.open", 1},
      {"alphaswarm.sdk.spans.started", 4},     {"alphaswarm.sdk.spans.waiting", 0},
      {"alphaswarm.sdk.spans.spilled", 0},     {"alphaswarm.sdk.spans.from_spill", 0},
      {"alphaswarm.sdk.recorder.kept", 0},     {"alphaswarm.sdk.recorder.exported", 0}};
  EXPECT_EQ(found, expected);
}

TEST(SdkHealth, TheFlightRecorderSaysHowFarItReaches) {
  auto tracing = TracerProvider::create(
      {.service_name = "shop", .sample_ratio = 0.0, .flight_recorder_bytes = 1U << 20U});
  auto metrics = MeterProvider::create({});
  ASSERT_TRUE(tracing.has_value() && metrics.has_value());
  const auto kept = observe_sdk((*metrics)->meter("sdk"), **tracing);
  for (int i = 0; i < 3; ++i) span("unsampled", SpanOptions{.provider = tracing->get()}).end();
  ASSERT_TRUE((*tracing)->force_flush());
  std::map<std::string, Number> found;
  for (const ScopeMetrics& scope : (*metrics)->collect()) {
    for (const Metric& metric : scope.metrics) {
      if (!metric.numbers.empty()) found[metric.name] = metric.numbers[0].value;
    }
  }
  EXPECT_GT(std::get<double>(found.at("alphaswarm.sdk.recorder.retained")), 0.0);
  EXPECT_EQ(std::get<std::int64_t>(found.at("alphaswarm.sdk.recorder.kept")), 3);
}

}  // namespace
}  // namespace alphaswarm::observability::metrics

#endif
