#include "alphaswarm/trading/market/portfolio.hpp"

#include <gtest/gtest.h>

#include "alphaswarm/base/random.hpp"

namespace alphaswarm::trading {
namespace {

const VtSymbol kApple = *VtSymbol::parse("AAPL.NASDAQ");

Fill fill(Side side, double quantity, double price, double commission = 0) {
  return {.client_id = {"c"},
          .order_id = {"o"},
          .symbol = kApple,
          .side = side,
          .quantity = Quantity::of(quantity),
          .price = Price::of(price),
          .commission = Money::of(commission),
          .time = {}};
}

TEST(Portfolios, AverageCostAndRealisedProfit) {
  Portfolio portfolio(Money::of(10'000));
  portfolio.apply(fill(Side::buy, 10, 100, 1));
  portfolio.apply(fill(Side::buy, 30, 120, 1));
  // 10 × 100 + 30 × 120 = 4600 for 40 shares: 115 each.
  EXPECT_EQ(portfolio.find(kApple)->average_cost, Price::of(115));
  EXPECT_EQ(portfolio.cash(), Money::of(10'000 - 4'600 - 2));
  portfolio.apply(fill(Side::sell, 15, 125, 1));
  EXPECT_EQ(portfolio.find(kApple)->realised, Money::of(150));  // 15 × (125 − 115)
  EXPECT_EQ(portfolio.find(kApple)->average_cost, Price::of(115));
  portfolio.mark(kApple, Price::of(110));
  EXPECT_EQ(portfolio.find(kApple)->unrealised(), Money::of(-125));
  EXPECT_EQ(portfolio.gross_exposure(), Money::of(2'750));
  EXPECT_EQ(portfolio.equity(), Money::of(10'000 + 150 - 125 - 3));
  EXPECT_EQ(portfolio.realised(), Money::of(147));
}

TEST(Portfolios, ShortsGainWhenThePriceFallsAndMayTurnOver) {
  Portfolio portfolio(Money::of(1'000));
  portfolio.apply(fill(Side::sell, 10, 50));
  EXPECT_EQ(portfolio.cash(), Money::of(1'500));
  EXPECT_EQ(portfolio.equity(), Money::of(1'000));
  portfolio.mark(kApple, Price::of(40));
  EXPECT_EQ(portfolio.equity(), Money::of(1'100));
  portfolio.apply(fill(Side::buy, 15, 40));
  EXPECT_EQ(portfolio.find(kApple)->realised, Money::of(100));
  EXPECT_EQ(portfolio.quantity(kApple), Quantity::of(5));
  EXPECT_EQ(portfolio.find(kApple)->average_cost, Price::of(40));
}

// Whatever happens, equity is initial cash + realised − commissions + unrealised.
TEST(Portfolios, EquityIsAlwaysExplained) {
  Random random(7);
  Portfolio portfolio(Money::of(100'000));
  for (int i = 0; i < 5'000; ++i) {
    const auto cents = static_cast<double>(5'000 + random.below(10'000)) / 100;
    const auto shares = static_cast<double>(1 + random.below(50));
    const Side side = random.below(2) == 0 ? Side::buy : Side::sell;
    portfolio.apply(fill(side, shares, cents, 0.25));
    portfolio.mark(kApple, Price::of(static_cast<double>(5'000 + random.below(10'000)) / 100));
    const Money explained =
        Money::of(100'000) + portfolio.realised() + portfolio.find(kApple)->unrealised();
    // The average cost is rounded at the eighth decimal, by at most half a unit a share and fill.
    EXPECT_NEAR((portfolio.equity() - explained).to_double(), 0, 1e-3) << "fill " << i;
  }
}

}  // namespace
}  // namespace alphaswarm::trading
