#include "alphaswarm/observability/metrics/process_metrics.hpp"

#include <gtest/gtest.h>

#include <map>

#include "alphaswarm/base/counters.hpp"

namespace alphaswarm::observability::metrics {
namespace {

std::map<std::string, Metric> collected(MeterProvider& provider) {
  std::map<std::string, Metric> found;
  for (ScopeMetrics& scope : provider.collect()) {
    for (Metric& metric : scope.metrics) found[metric.name] = std::move(metric);
  }
  return found;
}

TEST(ProcessMetrics, CountersAndGaugesComeWithTheirLabels) {
  auto provider = MeterProvider::create({});
  export_counters(**provider);
  counter("process_metrics_test_total", R"(cause="a \"b\"\\",kind="x")", "A test.").add(7);
  counter("process_metrics_test_total", R"(cause="c")", "A test.").add(2);
  gauge("process_metrics_test_level", "", "A level.").set(5);
  auto found = collected(**provider);
  const Metric& sum = found.at("process_metrics_test_total");
  EXPECT_EQ(sum.kind, Metric::Kind::sum);
  EXPECT_TRUE(sum.monotonic);
  EXPECT_EQ(sum.description, "A test.");
  ASSERT_EQ(sum.numbers.size(), 2U);
  const std::map<std::string, std::string> labels = {{"cause", "a \"b\"\\"}, {"kind", "x"}};
  EXPECT_EQ(sum.numbers[0].attributes.text(), labels);
  EXPECT_EQ(std::get<std::int64_t>(sum.numbers[0].value), 7);
  EXPECT_GT(sum.numbers[0].start.value, 0);
  EXPECT_LE(sum.numbers[0].start.value, sum.numbers[0].time.value);
  const Metric& level = found.at("process_metrics_test_level");
  EXPECT_EQ(level.kind, Metric::Kind::gauge);
  EXPECT_EQ(std::get<std::int64_t>(level.numbers.at(0).value), 5);
  gauge("process_metrics_test_level", "", "").set(3);  // goes down
  EXPECT_EQ(std::get<std::int64_t>(
                collected(**provider).at("process_metrics_test_level").numbers.at(0).value),
            3);
}

TEST(ProcessMetrics, TheProcessIsMeasured) {
  auto provider = MeterProvider::create({});
  const auto kept = observe_process((*provider)->meter("process"));
  auto found = collected(**provider);
  EXPECT_EQ(found.at("process.cpu.time").numbers.size(), 2U);
  EXPECT_GT(std::get<std::int64_t>(found.at("process.memory.usage").numbers.at(0).value),
            1'000'000);
}

TEST(ProcessMetrics, AProducerThatThrowsIsCounted) {
  auto provider = MeterProvider::create({});
  (*provider)->add_producer([](std::vector<ScopeMetrics>&) { throw 1; });
  EXPECT_TRUE((*provider)->collect().empty());
  EXPECT_EQ((*provider)->stats().callback_errors, 1U);
}

}  // namespace
}  // namespace alphaswarm::observability::metrics
