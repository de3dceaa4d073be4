#include "alphaswarm/trading/market/types.hpp"

#include <gtest/gtest.h>

namespace alphaswarm::trading {
namespace {

TEST(MarketWords, RoundTrip) {
  for (const char* word : {"buy", "sell"}) EXPECT_EQ(to_string(*parse_side(word)), word);
  for (const char* word : {"market", "limit", "stop", "stop_limit"}) {
    EXPECT_EQ(to_string(*parse_order_type(word)), word);
  }
  for (const char* word : {"day", "gtc", "ioc"}) {
    EXPECT_EQ(to_string(*parse_time_in_force(word)), word);
  }
  for (const char* word :
       {"submitting", "new", "partial", "filled", "cancelled", "rejected", "expired"}) {
    EXPECT_EQ(to_string(*parse_order_status(word)), word);
  }
  for (const char* word : {"1m", "1h", "1d", "1w", "1mo"}) {
    EXPECT_EQ(to_string(*parse_interval(word)), word);
  }
}

TEST(MarketWords, UnderstandsTheBrokersStatuses) {
  EXPECT_EQ(parse_order_status("partially_filled"), OrderStatus::partial);
  EXPECT_EQ(parse_order_status("canceled"), OrderStatus::cancelled);
}

TEST(MarketWords, RefusalNamesTheWordAndTheAllowedOnes) {
  EXPECT_EQ(parse_side("hold").error().message, "'hold' is not a side: one of buy, sell");
  EXPECT_EQ(parse_order_status("gone").error().message,
            "'gone' is not an order status: one of submitting, new, partial, filled, cancelled, "
            "rejected, expired");
}

TEST(VtSymbols, TheLastPointSeparates) {
  const Result<VtSymbol> symbol = VtSymbol::parse("BRK.B.NYSE");
  ASSERT_TRUE(symbol);
  EXPECT_EQ(symbol->ticker(), "BRK.B");
  EXPECT_EQ(symbol->exchange(), "NYSE");
  for (const char* bad : {"", "AAPL", ".NYSE", "AAPL.", "A B.X", "AAPL.N\n",
                          "A123456789012345678901234567890.NYSE"}) {
    EXPECT_FALSE(VtSymbol::parse(bad)) << bad;
  }
}

TEST(OrderRequests, PricesMustFitTheType) {
  OrderRequest request{
      .client_id = {"a"}, .symbol = *VtSymbol::parse("AAPL.NASDAQ"), .quantity = Quantity::of(1)};
  EXPECT_TRUE(validate(request));
  request.limit_price = Price::of(10);
  EXPECT_EQ(validate(request).error().message, "limit_price means nothing for a market order");
  request.type = OrderType::stop_limit;
  EXPECT_EQ(validate(request).error().message, "stop_price is missing for a stop_limit order");
  request.stop_price = Price::of(-1);
  EXPECT_EQ(validate(request).error().message, "stop_price is -1, must be more than 0");
  request.stop_price = Price::of(11);
  EXPECT_TRUE(validate(request));
  request.quantity = Quantity();
  EXPECT_EQ(validate(request).error().message, "quantity is 0, must be more than 0");
}

TEST(Intervals, BarsPerYear) {
  EXPECT_EQ(bars_per_year(Interval::day), 252);
  EXPECT_EQ(bars_per_year(Interval::month), 12);
  EXPECT_EQ(bars_per_year(Interval::minute), 98'280);
}

}  // namespace
}  // namespace alphaswarm::trading
