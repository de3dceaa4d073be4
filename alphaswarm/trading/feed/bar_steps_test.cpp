#include "alphaswarm/trading/feed/bar_steps.hpp"

#include <gtest/gtest.h>

namespace alphaswarm::trading {
namespace {

SymbolBar bar(const char* symbol, std::int64_t time) {
  SymbolBar one{*VtSymbol::parse(symbol), {}};
  one.bar.timestamp = {time};
  return one;
}

TEST(BarSteps, AStepIsTakenWhenItIsFull) {
  BarSteps steps(2, {0}, 1'000);
  EXPECT_TRUE(steps.add(bar("MSFT.US", 60), 1));
  EXPECT_FALSE(steps.take(1));
  EXPECT_TRUE(steps.add(bar("AAPL.US", 60), 2));
  const auto step = steps.take(2);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->time.value, 60);
  ASSERT_EQ(step->bars.size(), 2U);
  EXPECT_EQ(step->bars[0].symbol.text(), "AAPL.US");
  EXPECT_FALSE(steps.take(3));
}

TEST(BarSteps, ABarCountsOnce) {
  BarSteps steps(1, {50}, 1'000);
  EXPECT_FALSE(steps.add(bar("AAPL.US", 50), 1));
  EXPECT_TRUE(steps.add(bar("AAPL.US", 60), 1));
  EXPECT_FALSE(steps.add(bar("AAPL.US", 60), 1));
  EXPECT_TRUE(steps.take(1));
  EXPECT_FALSE(steps.add(bar("AAPL.US", 60), 1));
  EXPECT_FALSE(steps.take(1));
  EXPECT_EQ(steps.taken().value, 60);
}

TEST(BarSteps, ASymbolThatDidNotTradeHoldsNothingUp) {
  BarSteps steps(2, {0}, 1'000);
  EXPECT_TRUE(steps.add(bar("AAPL.US", 60), 100));
  EXPECT_FALSE(steps.take(1'099));
  EXPECT_TRUE(steps.take(1'100));
  // A later bar says that the earlier step will not get more.
  EXPECT_TRUE(steps.add(bar("AAPL.US", 120), 2'000));
  EXPECT_TRUE(steps.add(bar("AAPL.US", 180), 2'000));
  EXPECT_EQ(steps.take(2'000)->time.value, 120);
  EXPECT_FALSE(steps.take(2'000));
  // Nor is one that is late put into a step that went by.
  EXPECT_FALSE(steps.add(bar("MSFT.US", 120), 2'000));
}

}  // namespace
}  // namespace alphaswarm::trading
