// What instruments add up to, in the data model that is exported.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <stdexcept>
#include <thread>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/api/span.hpp"
#include "alphaswarm/observability/metrics/meter.hpp"

namespace alphaswarm::observability::metrics {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::unique_ptr<MeterProvider> provider(MetricsConfig config = {}) {
  auto made = MeterProvider::create(std::move(config));
  EXPECT_TRUE(made.has_value());
  return std::move(*made);
}

// The only metric of that name, with its points in the order of their attributes.
Metric find(MeterProvider& from, std::string_view name) {
  for (ScopeMetrics& scope : from.collect()) {
    for (Metric& metric : scope.metrics) {
      if (metric.name == name) return std::move(metric);
    }
  }
  return {};
}

std::map<std::string, double> values(const Metric& metric) {
  std::map<std::string, double> found;
  for (const NumberPoint& point : metric.numbers) {
    std::string key;
    for (const auto& [name, value] : point.attributes.text()) key += name + "=" + value + ";";
    found[key] = std::visit([](auto value) { return static_cast<double>(value); }, point.value);
  }
  return found;
}

TEST(Metrics, CountersAddUpByAttributes) {
  auto metrics = provider();
  const auto counter = metrics->meter("shop", "1").counter("orders", {"{order}", "Orders made"});
  counter.add(2, {{"b", 1}, {"a", "x"}});
  counter.add(3, {{"a", "x"}, {"b", 1}});              // the same attributes
  counter.add(5, {{"a", "y"}, {"b", 1}, {"a", "x"}});  // the last of a key counts
  counter.bind({{"a", "x"}, {"b", 2}}).add(7);
  counter.add(-100, {{"a", "x"}, {"b", 1}});  // ignored
  for (int round = 0; round < 2; ++round) {
    const Metric metric = find(*metrics, "orders");
    EXPECT_EQ(metric.unit, "{order}");
    EXPECT_EQ(metric.description, "Orders made");
    EXPECT_TRUE(metric.monotonic);
    EXPECT_EQ(metric.temporality, Temporality::cumulative);
    EXPECT_THAT(values(metric), ElementsAre(Pair("a=x;b=1;", 10), Pair("a=x;b=2;", 7)));
  }
}

TEST(Metrics, ThreadsLoseNothing) {
  auto metrics = provider();
  const Meter meter = metrics->meter("shop");
  const auto counter = meter.counter<double>("weight");
  const Histogram plain = meter.histogram("plain", {.boundaries = {10, 20}});
  const Histogram wide = meter.histogram("wide", {.kind = HistogramKind::exponential});
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      const auto bound = counter.bind();
      for (int i = 0; i < 20'000; ++i) {
        bound.add(0.5);
        plain.record(i % 30);
        wide.record(i + 1);
      }
    });
  }
  threads.clear();
  EXPECT_THAT(values(find(*metrics, "weight")), ElementsAre(Pair("", 40'000)));
  const Metric histogram = find(*metrics, "plain");
  ASSERT_EQ(histogram.histograms.size(), 1U);
  EXPECT_EQ(histogram.histograms[0].count, 80'000U);
  EXPECT_EQ(histogram.histograms[0].max, 29);
  const Metric exponential = find(*metrics, "wide");
  ASSERT_EQ(exponential.exponentials.size(), 1U);
  EXPECT_EQ(exponential.exponentials[0].count, 80'000U);
  EXPECT_EQ(exponential.exponentials[0].sum, 4.0 * 20'000 * 20'001 / 2);
}

TEST(Metrics, DeltaBeginsAnew) {
  auto metrics = provider({.temporality = TemporalityPreference::delta});
  const Meter meter = metrics->meter("shop");
  const auto counter = meter.counter("orders");
  const auto open = meter.up_down_counter("open");
  std::int64_t total = 100;
  const Observation watched =
      meter.observable_counter("bytes", [&](Observer& observer) { observer.observe(total); });
  const Histogram histogram = meter.histogram("size", {.boundaries = {1}});
  counter.add(1);
  open.add(4);
  histogram.record(2);
  const auto first = metrics->collect();
  ASSERT_EQ(first.size(), 1U);
  counter.add(2);
  open.add(-1);
  histogram.record(0.5);
  total = 130;
  std::map<std::string, double> second;
  const auto collected = metrics->collect();
  ASSERT_EQ(collected.size(), 1U);
  for (const Metric& metric : collected[0].metrics) {
    for (const auto& [key, value] : values(metric)) second[metric.name] = value;
    if (metric.name == "open") {
      EXPECT_EQ(metric.temporality, Temporality::cumulative);
    }
    if (metric.name == "size") {
      EXPECT_THAT(metric.histograms.at(0).bucket_counts, ElementsAre(1, 0));
      EXPECT_EQ(metric.histograms.at(0).start, first[0].metrics.back().histograms.at(0).time);
    }
  }
  EXPECT_THAT(second, ElementsAre(Pair("bytes", 30), Pair("open", 3), Pair("orders", 2)));
  EXPECT_TRUE(values(find(*metrics, "orders")).empty());  // nothing new
}

TEST(Metrics, SeriesAreBounded) {
  auto metrics = provider({.max_series = 4});
  const Meter meter = metrics->meter("shop");
  const auto counter = meter.counter("orders");
  for (int i = 0; i < 10; ++i) counter.add(1, {{"user", i}});
  counter.add(5, {{"user", 0}});  // known: still counted apart
  EXPECT_THAT(values(find(*metrics, "orders")),
              ElementsAre(Pair("otel.metric.overflow=true;", 7), Pair("user=0;", 6),
                          Pair("user=1;", 1), Pair("user=2;", 1)));
  EXPECT_EQ(metrics->stats().overflowed, 7U);
  const Observation watched = meter.observable_counter("seen", [](Observer& observer) {
    for (int i = 0; i < 10; ++i) observer.observe(std::int64_t{1}, {{"user", i}});
  });
  EXPECT_EQ(values(find(*metrics, "seen"))["otel.metric.overflow=true;"], 7);
}

TEST(Metrics, CallbacksAreReadUntilStopped) {
  auto metrics = provider();
  const Meter meter = metrics->meter("shop");
  Observation bad =
      meter.observable_gauge("load", [](Observer&) { throw std::runtime_error("not today"); });
  Observation good = meter.observable_gauge(
      "load", [](Observer& observer) { observer.observe(0.5, {{"cpu", 1}}); });
  EXPECT_THAT(values(find(*metrics, "load")), ElementsAre(Pair("cpu=1;", 0.5)));
  EXPECT_EQ(metrics->stats().callback_errors, 1U);
  good.stop();
  EXPECT_TRUE(find(*metrics, "load").numbers.empty());
  metrics.reset();
  bad.stop();  // after its provider
}

TEST(Metrics, HandlesOutliveTheirProvider) {
  auto metrics = provider({.max_series = 2});
  const Meter meter = metrics->meter("shop");
  const auto counter = meter.counter("orders");
  const auto bound = counter.bind();
  metrics.reset();
  bound.add(1);
  for (int i = 0; i < 5; ++i) counter.add(1, {{"user", i}});
  meter.gauge("late").set(1);
}

TEST(Metrics, TheSameInstrumentIsMadeOnce) {
  auto metrics = provider();
  const Meter meter = metrics->meter("shop");
  meter.counter("orders").add(1);
  meter.counter("Orders").add(2);  // names differ in case only
  metrics->meter("shop").counter("orders").add(4);
  EXPECT_THAT(values(find(*metrics, "orders")), ElementsAre(Pair("", 7)));
  meter.counter("1 bad name").add(1);
  EXPECT_EQ(metrics->collect().at(0).metrics.size(), 1U);
}

TEST(Metrics, BucketsEndInclusively) {
  auto metrics = provider();
  const Histogram histogram = metrics->meter("shop").histogram("size", {.boundaries = {1, 2}});
  for (const double value :
       {0.5, 1.0, 1.5, 2.0, 2.5, -1.0, static_cast<double>(NAN), static_cast<double>(INFINITY)}) {
    histogram.record(value);
  }
  const Metric metric = find(*metrics, "size");
  EXPECT_THAT(metric.boundaries, ElementsAre(1, 2));
  EXPECT_THAT(metric.histograms.at(0).bucket_counts, ElementsAre(3, 2, 1));
  EXPECT_EQ(metric.histograms.at(0).min, -1.0);
  EXPECT_EQ(metric.histograms.at(0).sum, 6.5);
}

#if ALPHASWARM_OTEL

TEST(Metrics, ExemplarsCarryTheSpan) {
  auto tracing = TracerProvider::create({.service_name = "test"});
  ASSERT_TRUE(tracing.has_value());
  auto metrics = provider();
  const Meter meter = metrics->meter("shop");
  const auto counter = meter.counter("orders");
  const Histogram histogram = meter.histogram("size", {.boundaries = {10}});
  counter.add(1);  // outside of a span: no example
  SpanContext inside;
  {
    const Span open = span("order", SpanOptions{.provider = tracing->get()});
    inside = open.context();
    counter.add(2);
    histogram.record(3);
    histogram.record(30);
  }
  const Metric sums = find(*metrics, "orders");
  ASSERT_EQ(sums.numbers.at(0).exemplars.size(), 1U);
  EXPECT_EQ(sums.numbers[0].exemplars[0].trace_id, inside.trace_id);
  EXPECT_EQ(sums.numbers[0].exemplars[0].span_id, inside.span_id);
  EXPECT_EQ(std::get<std::int64_t>(sums.numbers[0].exemplars[0].value), 2);
  counter.add(1);
  histogram.record(4);
  EXPECT_TRUE(find(*metrics, "orders").numbers.at(0).exemplars.empty());
}

TEST(Metrics, AnExampleForEachBucket) {
  auto metrics = provider({.exemplars = ExemplarFilter::always_on});
  const Histogram histogram = metrics->meter("shop").histogram("size", {.boundaries = {10, 20}});
  for (int i = 0; i < 1'000; ++i) histogram.record(i % 30);
  const Metric metric = find(*metrics, "size");
  ASSERT_EQ(metric.histograms.at(0).exemplars.size(), 3U);
  int bucket = 0;
  for (const Exemplar& each : metric.histograms[0].exemplars) {
    const double value = std::get<double>(each.value);
    EXPECT_GT(value, bucket * 10 - 1);
    EXPECT_LE(value, ++bucket * 10);
  }
}

#endif

}  // namespace
}  // namespace alphaswarm::observability::metrics
