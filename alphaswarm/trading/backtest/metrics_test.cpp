#include "alphaswarm/trading/backtest/metrics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace alphaswarm::trading {
namespace {

Metrics metrics(const std::vector<double>& equity, double traded = 0,
                Interval interval = Interval::month) {
  return compute_metrics({.initial_cash = Money::of(100),
                          .equity = equity,
                          .traded_value = traded,
                          .interval = interval});
}

// Equity 100, 110, 99, 108.9: returns 0.1, −0.1, 0.1.
//   m = 1/30; deviations 1/15, −2/15, 1/15, squares 6/225 = 0.0266667; s = √0.0133333 = 0.115470
//   d = √(0.01 / 3) = 0.0577350
TEST(BacktestMetrics, ByHand) {
  const Metrics found = metrics({100, 110, 99, 108.9}, 50);
  EXPECT_NEAR(found.total_return, 0.089, 1e-12);
  EXPECT_NEAR(found.max_drawdown, 0.1, 1e-12);        // 110 → 99
  EXPECT_NEAR(*found.annual_volatility, 0.4, 1e-12);  // 0.115470 × √12
  EXPECT_NEAR(*found.sharpe, 1.0, 1e-12);             // √12 / 30 / 0.115470
  EXPECT_NEAR(*found.sortino, 2.0, 1e-12);            // √12 / 30 / 0.0577350
  // 1.089^(12/3) − 1 = 0.406408…; over 0.1.
  EXPECT_NEAR(*found.calmar, 4.06408618241, 1e-9);
  // Mean equity 104.475; 50 / 104.475 × 12/3.
  EXPECT_NEAR(*found.turnover, 1.91433357262, 1e-9);
}

TEST(BacktestMetrics, DrawdownCountsFromTheInitialCashAndThePeak) {
  EXPECT_NEAR(metrics({90, 80, 85}).max_drawdown, 0.2, 1e-12);
  EXPECT_NEAR(metrics({120, 60, 130, 91}).max_drawdown, 0.5, 1e-12);
  EXPECT_EQ(metrics({100, 101, 102}).max_drawdown, 0);
}

TEST(BacktestMetrics, WhatIsNotDefinedIsAbsent) {
  const Metrics flat = metrics({100, 100, 100});
  EXPECT_FALSE(flat.sharpe);
  EXPECT_FALSE(flat.sortino);
  EXPECT_FALSE(flat.calmar);
  EXPECT_EQ(flat.annual_volatility, 0);
  const Metrics rising = metrics({100, 101, 103});
  EXPECT_TRUE(rising.sharpe);
  EXPECT_FALSE(rising.sortino);
  EXPECT_FALSE(rising.calmar);
  const Metrics one = metrics({105});
  EXPECT_NEAR(one.total_return, 0.05, 1e-12);
  EXPECT_FALSE(one.annual_volatility);
  EXPECT_FALSE(metrics({100, -5, 10}).sharpe);  // ruined
  EXPECT_EQ(metrics({}).total_return, 0);
}

TEST(BacktestMetrics, ScaleWithTheInterval) {
  const std::vector<double> equity{100, 110, 99, 108.9};
  EXPECT_NEAR(*metrics(equity, 0, Interval::day).sharpe, std::sqrt(252.0 / 12.0), 1e-12);
}

}  // namespace
}  // namespace alphaswarm::trading
