#include "alphaswarm/observability/metrics/sdk_health.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

#include "alphaswarm/observability/api/span.hpp"
#include "alphaswarm/observability/export/batch_sink.hpp"

#if ALPHASWARM_OTEL

namespace alphaswarm::observability::metrics {
namespace {

TEST(SdkHealth, SpansAreAccountedFor) {
  auto tracing = TracerProvider::create({.service_name = "shop"});
  auto metrics = MeterProvider::create({});
  ASSERT_TRUE(tracing.has_value() && metrics.has_value());
  const auto kept = observe_sdk((*metrics)->meter("sdk"), **tracing);
  const Span open = span("open", SpanOptions{.provider = tracing->get()});
  for (int i = 0; i < 3; ++i) span("ended", SpanOptions{.provider = tracing->get()}).end();
  ASSERT_TRUE((*tracing)->force_flush());
  std::map<std::string, std::int64_t> found;
  for (const ScopeMetrics& scope : (*metrics)->collect()) {
    for (const Metric& metric : scope.metrics) {
      for (const NumberPoint& point : metric.numbers) {
        EXPECT_EQ(point.attributes.text().at("service.name"), "shop");
        if (const auto* seconds = std::get_if<double>(&point.value)) {
          EXPECT_EQ(metric.name, "alphaswarm.sdk.recorder.retained");
          EXPECT_EQ(*seconds, 0.0);  // there is none
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
  const std::map<std::string, std::int64_t> expected = {
      {"alphaswarm.sdk.retries", 0},           {"alphaswarm.sdk.spans.dropped", 0},
      {"alphaswarm.sdk.spans.ended", 3},       {"alphaswarm.sdk.spans.exported", 3},
      {"alphaswarm.sdk.spans.not_sampled", 0}, {"alphaswarm.sdk.spans.open", 1},
      {"alphaswarm.sdk.spans.started", 4},     {"alphaswarm.sdk.spans.waiting", 0},
      {"alphaswarm.sdk.spans.spilled", 0},     {"alphaswarm.sdk.spans.from_spill", 0},
      {"alphaswarm.sdk.recorder.kept", 0},     {"alphaswarm.sdk.recorder.exported", 0}};
  EXPECT_EQ(found, expected);
}

// Takes its time, and answers as it is told.
class SlowSink final : public BatchSink {
 public:
  SinkResult send(const Batch&, std::chrono::milliseconds) override {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return {.status = answer.load(), .message = "as told"};
  }
  std::atomic<SinkResult::Status> answer{SinkResult::accepted};
};

// Count, sum and largest bucket of the export durations, by `error.type`.
std::map<std::string, HistogramPoint> durations(MeterProvider& metrics) {
  std::map<std::string, HistogramPoint> found;
  for (const ScopeMetrics& scope : metrics.collect()) {
    for (const Metric& metric : scope.metrics) {
      if (metric.name != "otel.sdk.exporter.operation.duration") continue;
      EXPECT_EQ(metric.unit, "s");
      EXPECT_EQ(metric.boundaries.size(), 15U);
      for (const HistogramPoint& point : metric.histograms) {
        const auto attributes = point.attributes.text();
        EXPECT_EQ(attributes.at("service.name"), "shop");
        const auto error = attributes.find("error.type");
        found[error == attributes.end() ? "" : error->second] = point;
      }
    }
  }
  return found;
}

TEST(SdkHealth, ExportDurationsAreAHistogram) {
  const auto sink = std::make_shared<SlowSink>();
  auto tracing = TracerProvider::create({.service_name = "shop", .timeout_ms = 300, .sink = sink});
  auto metrics = MeterProvider::create({});
  ASSERT_TRUE(tracing.has_value() && metrics.has_value());
  auto kept = observe_sdk((*metrics)->meter("sdk"), **tracing);
  const auto send_one = [&](SinkResult::Status answer) {
    sink->answer = answer;
    span("one", SpanOptions{.provider = tracing->get()}).end();
    EXPECT_TRUE((*tracing)->force_flush());
  };
  send_one(SinkResult::accepted);
  send_one(SinkResult::accepted);
  send_one(SinkResult::rejected);
  send_one(SinkResult::retry);  // until the timeout: one export
  auto found = durations(**metrics);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found.at("").count, 2U);
  EXPECT_GT(found.at("").sum, 2 * 0.0199);  // the sink's pauses
  EXPECT_EQ(found.at("").bucket_counts[4], 0U) << "in (5 ms, 10 ms]";
  EXPECT_EQ(found.at("rejected").count, 1U);
  EXPECT_EQ(found.at("unavailable").count, 1U);
  EXPECT_GT(found.at("unavailable").sum, 0.25);
  kept.clear();  // nobody listens any more
  send_one(SinkResult::accepted);
  EXPECT_EQ(durations(**metrics).at("").count, 2U);
}

TEST(SdkHealth, WhatTheFlightRecorderExportsIsInTheHistogram) {
  auto tracing = TracerProvider::create(
      {.service_name = "shop", .sample_ratio = 0.0, .flight_recorder_bytes = 1U << 20U});
  auto metrics = MeterProvider::create({});
  ASSERT_TRUE(tracing.has_value() && metrics.has_value());
  const auto kept = observe_sdk((*metrics)->meter("sdk"), **tracing);
  span("unsampled", SpanOptions{.provider = tracing->get()}).end();
  ASSERT_TRUE((*tracing)->force_flush());
  EXPECT_TRUE(durations(**metrics).empty()) << "keeping is no export";
  span("fails", SpanOptions{.provider = tracing->get()}).error("no");
  ASSERT_TRUE((*tracing)->force_flush());
  EXPECT_EQ(durations(**metrics).at("").count, 1U);
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
