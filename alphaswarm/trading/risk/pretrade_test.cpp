#include "alphaswarm/trading/risk/pretrade.hpp"

#include <gtest/gtest.h>

#include <boost/json/object.hpp>

namespace alphaswarm::trading {
namespace {

constexpr std::int64_t kDay = 86'400'000'000'000;

OrderRequest order(Side side, double quantity) {
  return {.client_id = {"c"},
          .symbol = *VtSymbol::parse("AAPL.NASDAQ"),
          .side = side,
          .quantity = Quantity::of(quantity)};
}

// An account of 100,000 without positions, and a price of 100.
RiskInput input() {
  return {.position = {},
          .price = Price::of(100),
          .equity = Money::of(100'000),
          .gross_exposure = {},
          .drawdown = {},
          .daily_loss = {}};
}

std::string breaches(const Verdict& verdict) {
  std::string names;
  for (const Breach& breach : verdict.breaches) names += (names.empty() ? "" : " ") + breach.limit;
  return names;
}

TEST(PretradeRisk, PositionLimitIsReachedButNotPassed) {
  EXPECT_TRUE(evaluate_pretrade({}, order(Side::buy, 200), input()).allowed());
  const Verdict verdict = evaluate_pretrade({}, order(Side::buy, 201), input());
  EXPECT_EQ(verdict.message(), "max_position_pct: 0.201 is more than 0.2");
  EXPECT_EQ(verdict.text(), "reject");
  RiskInput held = input();
  held.position = Quantity::of(150);
  held.gross_exposure = Money::of(15'000);
  EXPECT_TRUE(evaluate_pretrade({}, order(Side::buy, 50), held).allowed());
  EXPECT_FALSE(evaluate_pretrade({}, order(Side::buy, 51), held).allowed());
}

TEST(PretradeRisk, GrossExposureCountsEveryPosition) {
  RiskInput full = input();
  full.gross_exposure = Money::of(95'000);
  EXPECT_TRUE(evaluate_pretrade({}, order(Side::buy, 50), full).allowed());
  EXPECT_EQ(breaches(evaluate_pretrade({}, order(Side::buy, 51), full)), "max_gross_exposure");
  EXPECT_EQ(breaches(evaluate_pretrade({}, order(Side::sell, 51), full)), "max_gross_exposure");
}

TEST(PretradeRisk, LossesStopNewPositions) {
  RiskInput losing = input();
  losing.daily_loss = Decimal::from_double(0.03);
  losing.drawdown = Decimal::from_double(0.15);
  EXPECT_TRUE(evaluate_pretrade({}, order(Side::buy, 1), losing).allowed());
  losing.daily_loss = Decimal::from_double(0.0301);
  losing.drawdown = Decimal::from_double(0.1501);
  EXPECT_EQ(breaches(evaluate_pretrade({}, order(Side::buy, 1), losing)),
            "max_daily_loss_pct max_drawdown_pct");
}

TEST(PretradeRisk, ReducingIsNeverBlocked) {
  RiskInput ruined = input();
  ruined.position = Quantity::of(5'000);  // far beyond every limit
  ruined.gross_exposure = Money::of(500'000);
  ruined.equity = Money::of(-1);
  ruined.daily_loss = ruined.drawdown = Decimal::from_integer(1);
  EXPECT_TRUE(evaluate_pretrade({}, order(Side::sell, 5'000), ruined).allowed());
  EXPECT_TRUE(evaluate_pretrade({}, order(Side::sell, 1), ruined).allowed());
  EXPECT_FALSE(evaluate_pretrade({}, order(Side::sell, 5'001), ruined).allowed());  // turns over
  EXPECT_EQ(evaluate_pretrade({}, order(Side::buy, 1), ruined).breaches.size(), 4U);
  ruined.position = -ruined.position;
  EXPECT_TRUE(evaluate_pretrade({}, order(Side::buy, 5'000), ruined).allowed());
}

TEST(RiskMonitors, FollowPeakAndDay) {
  RiskMonitor monitor(Money::of(1'000));
  monitor.update({0}, Money::of(1'200));
  EXPECT_EQ(monitor.daily_loss(), Decimal());
  monitor.update({kDay / 2}, Money::of(900));
  EXPECT_EQ(monitor.drawdown().to_string(), "0.25");   // from 1200
  EXPECT_EQ(monitor.daily_loss().to_string(), "0.1");  // from 1000, where the day started
  monitor.update({kDay}, Money::of(810));
  EXPECT_EQ(monitor.daily_loss().to_string(), "0.1");  // from 900
  EXPECT_EQ(monitor.drawdown().to_string(), "0.325");
  monitor.update({2 * kDay}, Money::of(1'300));
  EXPECT_EQ(monitor.drawdown(), Decimal());
}

TEST(RiskSections, AreReadAndChecked) {
  const auto limits = parse_risk_limits({{"max_position_pct", 0.5}, {"max_gross_exposure", "2"}});
  ASSERT_TRUE(limits);
  EXPECT_EQ(limits->max_position_pct.to_string(), "0.5");
  EXPECT_EQ(limits->max_gross_exposure.to_string(), "2");
  EXPECT_EQ(limits->max_daily_loss_pct.to_string(), "0.03");
  EXPECT_EQ(parse_risk_limits({{"max_drawdown_pct", 2}}).error().message,
            "risk: max_drawdown_pct is 2, must be a number above 0 up to 1");
}

}  // namespace
}  // namespace alphaswarm::trading
