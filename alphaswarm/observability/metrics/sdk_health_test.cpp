#include "alphaswarm/observability/metrics/sdk_health.hpp"

#include <gtest/gtest.h>

#include <map>

#include "alphaswarm/observability/api/span.hpp"

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
        found[metric.name] += std::get<std::int64_t>(point.value);
      }
    }
  }
  EXPECT_GE(found["alphaswarm.sdk.batches"], 1);  // one or more, as the export thread looks
  found.erase("alphaswarm.sdk.batches");
  const std::map<std::string, std::int64_t> expected = {
      {"alphaswarm.sdk.retries", 0},           {"alphaswarm.sdk.spans.dropped", 0},
      {"alphaswarm.sdk.spans.ended", 3},       {"alphaswarm.sdk.spans.exported", 3},
      {"alphaswarm.sdk.spans.not_sampled", 0}, {"alphaswarm.sdk.spans.open", 1},
      {"alphaswarm.sdk.spans.started", 4},     {"alphaswarm.sdk.spans.waiting", 0}};
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace alphaswarm::observability::metrics

#endif
