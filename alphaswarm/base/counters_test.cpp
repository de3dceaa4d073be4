#include "alphaswarm/base/counters.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace alphaswarm {
namespace {

TEST(Counters, AreVisitedByNameWithWhatTheyAre) {
  counter("counters_test_total", R"(kind="b")", "Counted.").add(2);
  counter("counters_test_total", R"(kind="a")", "Said first counts.").add();
  counter("counters_test_total", R"(kind="a")", "Not this.").add();
  Gauge& level = gauge("counters_test_level", "", "A level.");
  level.set(9);
  level.set(4);
  EXPECT_EQ(&gauge("counters_test_level", "", ""), &level);
  std::vector<std::string> seen;
  visit_counters([&](const CounterSample& sample) {
    if (!sample.name.starts_with("counters_test")) return;
    seen.push_back(std::string(sample.name) + "{" + std::string(sample.labels) + "} " +
                   std::to_string(sample.value) + (sample.gauge ? " gauge " : " counter ") +
                   std::string(sample.help));
  });
  EXPECT_EQ(seen, (std::vector<std::string>{
                      "counters_test_level{} 4 gauge A level.",
                      "counters_test_total{kind=\"a\"} 2 counter Said first counts.",
                      "counters_test_total{kind=\"b\"} 2 counter Counted."}));
}

TEST(Counters, TimesAreCountedInNanosecondsAndShownInSeconds) {
  const CounterSample spent{"x_seconds_total", "", "", 1'500'000'000};
  EXPECT_TRUE(spent.is_time());
  EXPECT_DOUBLE_EQ(spent.seconds(), 1.5);
  EXPECT_TRUE((CounterSample{"x_seconds", "", "", 0, true}.is_time()));
  EXPECT_FALSE((CounterSample{"x_total", "", "", 0}.is_time()));
}

}  // namespace
}  // namespace alphaswarm
