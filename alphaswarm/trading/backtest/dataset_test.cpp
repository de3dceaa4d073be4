#include "alphaswarm/trading/backtest/dataset.hpp"

#include <gtest/gtest.h>

namespace alphaswarm::trading {
namespace {

Bar bar(std::int64_t time, double close) {
  const Price price = Price::of(close);
  return {.timestamp = {time},
          .open = price,
          .high = price,
          .low = price,
          .close = price,
          .volume = Quantity::of(7)};
}

Series series(const char* symbol, std::vector<Bar> bars) {
  return {.symbol = *VtSymbol::parse(symbol), .bars = std::move(bars)};
}

TEST(Datasets, AreSortedAndHaveNoRepeats) {
  Dataset data{.interval = Interval::day,
               .series = {series("B.X", {bar(2, 1), bar(1, 1)}), series("A.X", {bar(1, 1)})}};
  ASSERT_TRUE(normalise(data));
  EXPECT_EQ(data.series[0].symbol.text(), "A.X");
  EXPECT_EQ(data.series[1].bars[0].timestamp.value, 1);
  EXPECT_EQ(data.bars_count(), 3U);
  data.series.push_back(series("A.X", {}));
  EXPECT_EQ(normalise(data).error().message, "symbol A.X is there twice");
  Dataset twice{.interval = Interval::day, .series = {series("A.X", {bar(0, 1), bar(0, 2)})}};
  EXPECT_EQ(normalise(twice).error().message, "A.X has two bars at 1970-01-01T00:00:00.000000000Z");
}

// printf 'A.X,1d,1000000000,12.5,12.5,12.5,12.5,7\n' | sha256sum
TEST(Datasets, HashIsThatOfTheWrittenOutBars) {
  const Dataset data{.interval = Interval::day,
                     .series = {series("A.X", {bar(1'000'000'000, 12.5)})}};
  EXPECT_EQ(dataset_sha256(data),
            "caf77e5af933379a08fe6495b90611063eac4df3b58623c726a562ddb734dc1c");
  const Dataset other{.interval = Interval::day,
                      .series = {series("A.X", {bar(1'000'000'000, 12.50000001)})}};
  EXPECT_NE(dataset_sha256(other), dataset_sha256(data));
}

TEST(TimeStep, ShowsWhatHasABarThen) {
  const Dataset data{.interval = Interval::day,
                     .series = {series("A.X", {bar(1, 10), bar(3, 11)}),
                                series("B.X", {bar(1, 20), bar(2, 21), bar(3, 22)})}};
  TimeSteps steps(data);
  std::string shown;
  while (steps.next()) {
    shown += std::to_string(steps.time().value) + ":";
    for (const SymbolBar& one : steps.bars()) {
      shown += " " + one.symbol.text() + "=" + one.bar.close.to_string();
    }
    shown += "\n";
  }
  EXPECT_EQ(shown, "1: A.X=10 B.X=20\n2: B.X=21\n3: A.X=11 B.X=22\n");
}

}  // namespace
}  // namespace alphaswarm::trading
