#include "alphaswarm/trading/matching/engine.hpp"

#include <gtest/gtest.h>

#include "alphaswarm/base/random.hpp"

namespace alphaswarm::trading {
namespace {

const VtSymbol kApple = *VtSymbol::parse("AAPL.NASDAQ");
constexpr std::int64_t kDay = 86'400'000'000'000;

Bar bar(std::int64_t day, double open, double high, double low, double close) {
  return {.timestamp = {day * kDay},
          .open = Price::of(open),
          .high = Price::of(high),
          .low = Price::of(low),
          .close = Price::of(close),
          .volume = Quantity::of(1'000)};
}

struct Terms {
  Side side = Side::buy;
  double quantity = 10;
  OrderType type = OrderType::market;
  double limit = 0;
  double stop = 0;
  TimeInForce time_in_force = TimeInForce::gtc;
};

class Venue {
 public:
  explicit Venue(MatchingConfig config = free_of_costs())
      : engine(*MatchingEngine::create(config)) {
    advance(bar(0, 100, 100, 100, 100));  // a last close, by which orders are judged
  }

  static MatchingConfig free_of_costs() {
    MatchingConfig config;
    config.slippage_bps = {};
    config.commission_rate = {};
    return config;
  }

  std::vector<OrderUpdate> advance(const Bar& next) {
    const SymbolBar one{.symbol = kApple, .bar = next};
    return engine.advance({&one, 1});
  }

  Order submit(const Terms& terms) {
    OrderRequest request{.client_id = {"c" + std::to_string(++count)},
                         .symbol = kApple,
                         .side = terms.side,
                         .type = terms.type,
                         .time_in_force = terms.time_in_force,
                         .quantity = Quantity::of(terms.quantity)};
    if (terms.limit != 0) request.limit_price = Price::of(terms.limit);
    if (terms.stop != 0) request.stop_price = Price::of(terms.stop);
    const Result<Order> order = engine.submit(request, {});
    EXPECT_TRUE(order) << order.error().message;
    return *order;
  }

  // Buys shares at 100, so that there is something to sell.
  void hold(double quantity) {
    submit({.quantity = quantity});
    advance(bar(0, 100, 100, 100, 100));
  }

  MatchingEngine engine;
  int count = 0;
};

// The price at which an order is filled by a bar; 0 if it is not.
double fill_price(const Terms& terms, const Bar& next) {
  Venue venue;
  if (terms.side == Side::sell) venue.hold(terms.quantity);
  venue.submit(terms);
  const std::vector<OrderUpdate> updates = venue.advance(next);
  return updates.empty() || !updates.front().fill ? 0 : updates.front().fill->price.to_double();
}

TEST(Matching, MarketFillsAtTheNextOpenWithSlippageAndCommission) {
  Venue venue{MatchingConfig{}};
  venue.submit({.quantity = 10});
  std::vector<OrderUpdate> updates = venue.advance(bar(1, 101, 110, 90, 105));
  ASSERT_EQ(updates.size(), 1U);
  EXPECT_EQ(updates[0].event, OrderEvent::fill);
  EXPECT_EQ(updates[0].fill->price.to_string(), "101.0202");       // 101 × 1.0002
  EXPECT_EQ(updates[0].fill->commission.to_string(), "0.505101");  // 1010.202 × 0.0005
  EXPECT_EQ(updates[0].order.status, OrderStatus::filled);
  EXPECT_EQ(venue.engine.portfolio().cash().to_string(), "98989.292899");
  EXPECT_EQ(venue.engine.portfolio().equity().to_string(), "100039.292899");  // + 10 × 105
  venue.submit({.side = Side::sell, .quantity = 10});
  updates = venue.advance(bar(2, 105, 106, 104, 104));
  EXPECT_EQ(updates[0].fill->price.to_string(), "104.979");  // 105 × 0.9998
  EXPECT_EQ(venue.engine.portfolio().quantity(kApple), Quantity());
}

TEST(Matching, LimitFillsAtTheOpenIfBetterElseAtTheLimit) {
  const Terms buy{.type = OrderType::limit, .limit = 98};
  EXPECT_EQ(fill_price(buy, bar(1, 97, 99, 95, 96)), 97);
  EXPECT_EQ(fill_price(buy, bar(1, 99, 100, 98, 99)), 98);  // touching is enough
  EXPECT_EQ(fill_price(buy, bar(1, 99, 100, 98.01, 99)), 0);
  const Terms sell{.side = Side::sell, .type = OrderType::limit, .limit = 102};
  EXPECT_EQ(fill_price(sell, bar(1, 103, 104, 101, 102)), 103);
  EXPECT_EQ(fill_price(sell, bar(1, 101, 102, 100, 101)), 102);
  EXPECT_EQ(fill_price(sell, bar(1, 101, 101.99, 100, 101)), 0);
}

TEST(Matching, StopTriggersAtTheOpenOrAtTheStop) {
  const Terms buy{.type = OrderType::stop, .stop = 105};
  EXPECT_EQ(fill_price(buy, bar(1, 107, 108, 106, 107)), 107);  // a gap over the stop
  EXPECT_EQ(fill_price(buy, bar(1, 103, 106, 102, 104)), 105);
  EXPECT_EQ(fill_price(buy, bar(1, 103, 104.99, 102, 104)), 0);
  const Terms sell{.side = Side::sell, .type = OrderType::stop, .stop = 95};
  EXPECT_EQ(fill_price(sell, bar(1, 93, 94, 92, 93)), 93);
  EXPECT_EQ(fill_price(sell, bar(1, 97, 98, 94, 96)), 95);
  EXPECT_EQ(fill_price(sell, bar(1, 97, 98, 95.01, 96)), 0);
}

TEST(Matching, StopSlipsLimitDoesNot) {
  MatchingConfig config;
  config.commission_rate = {};
  Venue venue(config);
  venue.submit({.type = OrderType::stop, .stop = 105});
  venue.submit({.type = OrderType::limit, .limit = 98});
  const std::vector<OrderUpdate> updates = venue.advance(bar(1, 100, 106, 97, 104));
  ASSERT_EQ(updates.size(), 2U);
  EXPECT_EQ(updates[0].fill->price.to_string(), "105.021");
  EXPECT_EQ(updates[1].fill->price.to_string(), "98");
}

TEST(Matching, StopLimitInItsTriggerBar) {
  const Terms above{.type = OrderType::stop_limit, .limit = 106, .stop = 105};
  EXPECT_EQ(fill_price(above, bar(1, 103, 107, 102, 104)), 105);  // triggered within the limit
  EXPECT_EQ(fill_price(above, bar(1, 105.5, 107, 102, 104)), 105.5);
  EXPECT_EQ(fill_price(above, bar(1, 108, 109, 106, 107)), 106);  // at the open, came down later
  EXPECT_EQ(fill_price(above, bar(1, 108, 109, 107, 107)), 0);
  // The limit is below the stop: whether the low came after the trigger, nobody knows.
  const Terms below{.type = OrderType::stop_limit, .limit = 104, .stop = 105};
  EXPECT_EQ(fill_price(below, bar(1, 103, 107, 102, 104)), 0);
}

TEST(Matching, StopLimitIsALimitOrderAfterItsTriggerBar) {
  Venue venue;
  venue.submit({.type = OrderType::stop_limit, .limit = 104, .stop = 105});
  EXPECT_TRUE(venue.advance(bar(1, 103, 107, 102, 106)).empty());
  const std::vector<OrderUpdate> updates = venue.advance(bar(2, 104.5, 104.8, 103, 104));
  ASSERT_EQ(updates.size(), 1U);
  EXPECT_EQ(updates[0].fill->price, Price::of(104));
}

TEST(Matching, NeverFilledByTheBarThatTriggeredIt) {
  Venue venue;
  venue.submit({});
  EXPECT_TRUE(venue.engine.has_open_orders());
  EXPECT_EQ(venue.engine.portfolio().quantity(kApple), Quantity());  // only a later bar fills
  EXPECT_EQ(venue.advance(bar(1, 120, 121, 119, 120))[0].fill->price, Price::of(120));
}

TEST(Matching, TimesInForce) {
  Venue venue;
  const Bar quiet = bar(1, 100, 101, 99, 100);
  venue.submit({.type = OrderType::limit, .limit = 50, .time_in_force = TimeInForce::day});
  venue.submit({.type = OrderType::limit, .limit = 99.5, .time_in_force = TimeInForce::ioc});
  venue.submit({.type = OrderType::limit, .limit = 50, .time_in_force = TimeInForce::gtc});
  const std::vector<OrderUpdate> updates = venue.advance(quiet);
  ASSERT_EQ(updates.size(), 2U);
  EXPECT_EQ(updates[0].order.status, OrderStatus::expired);
  EXPECT_EQ(updates[1].order.status, OrderStatus::cancelled);  // the open was above its limit
  EXPECT_EQ(venue.engine.open_orders().size(), 1U);
  EXPECT_EQ(venue.advance(bar(400, 49, 50, 48, 49))[0].fill->price, Price::of(49));
}

TEST(Matching, DayOrdersLiveThroughTheBarsOfTheirDay) {
  MatchingConfig config = Venue::free_of_costs();
  config.interval = Interval::minute;
  Venue venue(config);
  venue.submit({.type = OrderType::limit, .limit = 50, .time_in_force = TimeInForce::day});
  Bar next = bar(1, 100, 101, 99, 100);
  EXPECT_TRUE(venue.advance(next).empty());
  next.timestamp.value += 60'000'000'000;
  EXPECT_TRUE(venue.advance(next).empty());
  const std::vector<OrderUpdate> updates = venue.advance(bar(2, 40, 41, 39, 40));
  ASSERT_EQ(updates.size(), 1U);
  EXPECT_EQ(updates[0].event, OrderEvent::expired);  // although the price would have been good
}

TEST(Matching, PartialFillsTakeAShareABar) {
  MatchingConfig config = Venue::free_of_costs();
  config.max_fill_share = Decimal::from_double(0.4);
  Venue venue(config);
  venue.submit({.quantity = 9});  // 0.4 × 9 = 3.6, rounded up: 4, 4, 1
  std::vector<OrderUpdate> updates = venue.advance(bar(1, 100, 100, 100, 100));
  EXPECT_EQ(updates[0].event, OrderEvent::partial_fill);
  EXPECT_EQ(updates[0].order.status, OrderStatus::partial);
  EXPECT_EQ(updates[0].fill->quantity, Quantity::of(4));
  updates = venue.advance(bar(2, 103, 103, 103, 103));
  EXPECT_EQ(updates[0].order.filled, Quantity::of(8));
  EXPECT_EQ(updates[0].order.average_price, Price::of(101.5));
  updates = venue.advance(bar(3, 100, 100, 100, 100));
  EXPECT_EQ(updates[0].event, OrderEvent::fill);
  EXPECT_EQ(updates[0].fill->quantity, Quantity::of(1));
}

TEST(Matching, BuyingPowerIsCheckedWhenSubmittedAndWhenFilled) {
  Venue venue;
  const Order order = venue.submit({.quantity = 1'001});
  EXPECT_EQ(order.status, OrderStatus::rejected);
  EXPECT_EQ(order.reason,
            "insufficient buying power: buy 1001 AAPL.NASDAQ at 100 cost 100100, 100000 is "
            "available");
  EXPECT_EQ(venue.submit({.quantity = 600}).status, OrderStatus::new_order);
  EXPECT_EQ(venue.engine.buying_power(), Money::of(40'000));  // the rest is spoken for
  EXPECT_EQ(venue.submit({.quantity = 401}).status, OrderStatus::rejected);
  EXPECT_EQ(venue.submit({.quantity = 400}).status, OrderStatus::new_order);
  const std::vector<OrderUpdate> updates = venue.advance(bar(1, 101, 101, 101, 101));
  ASSERT_EQ(updates.size(), 2U);                              // 1000 × 101 is more than there is
  EXPECT_EQ(updates[0].order.status, OrderStatus::rejected);  // 60600 + 40000 reserved
  EXPECT_EQ(updates[1].order.status, OrderStatus::filled);
  EXPECT_FALSE(venue.engine.has_open_orders());
}

TEST(Matching, ShortSalesOnlyWhereAllowed) {
  Venue venue;
  venue.hold(5);
  EXPECT_EQ(venue.submit({.side = Side::sell, .quantity = 6}).status, OrderStatus::rejected);
  EXPECT_EQ(venue.submit({.side = Side::sell, .quantity = 5}).status, OrderStatus::new_order);
  EXPECT_EQ(venue.submit({.side = Side::sell, .quantity = 1}).status, OrderStatus::rejected);

  MatchingConfig config = Venue::free_of_costs();
  config.allow_short = true;
  Venue shorting(config);
  EXPECT_EQ(shorting.submit({.side = Side::sell, .quantity = 1'001}).status,
            OrderStatus::rejected);  // buying power covers shorts as well
  EXPECT_EQ(shorting.submit({.side = Side::sell, .quantity = 400}).status, OrderStatus::new_order);
  (void)shorting.advance(bar(1, 100, 100, 100, 100));
  EXPECT_EQ(shorting.engine.portfolio().cash(), Money::of(140'000));
  EXPECT_EQ(shorting.engine.buying_power(), Money::of(60'000));
}

TEST(Matching, ClosingNeedsNoBuyingPower) {
  Venue venue;
  venue.hold(1'000);
  EXPECT_EQ(venue.engine.buying_power(), Money());
  EXPECT_EQ(venue.submit({.side = Side::sell, .quantity = 1'000}).status, OrderStatus::new_order);
  EXPECT_EQ(venue.advance(bar(1, 90, 90, 90, 90))[0].order.status, OrderStatus::filled);
}

TEST(Matching, CancelAndIds) {
  Venue venue;
  const Order order = venue.submit({});
  EXPECT_EQ(order.id.value, "00000000-0000-4000-8000-000000000001");
  OrderRequest again = order.request;
  EXPECT_EQ(venue.engine.submit(again, {}).error().code, ErrorCode::already_exists);
  EXPECT_EQ(venue.engine.cancel(order.id, {})->status, OrderStatus::cancelled);
  EXPECT_EQ(venue.engine.cancel(order.id, {}).error().code, ErrorCode::conflict);
  EXPECT_EQ(venue.engine.cancel({"?"}, {}).error().code, ErrorCode::not_found);
  EXPECT_TRUE(venue.advance(bar(1, 100, 100, 100, 100)).empty());
  EXPECT_EQ(venue.engine.find(again.client_id)->status, OrderStatus::cancelled);
}

TEST(Matching, RefusesImpossibleSettings) {
  MatchingConfig config;
  config.slippage_bps = Decimal::from_integer(-1);
  EXPECT_EQ(MatchingEngine::create(config).error().message,
            "slippage_bps is -1, must be 0 to 1000");
}

// Random orders over random bars: cash never goes below zero in a cash account, no order fills
// more than it asked for, and the position is what the fills say.
TEST(Matching, InvariantsHoldForRandomOrders) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    MatchingConfig config;
    config.max_fill_share = Decimal::from_double(seed % 2 == 0 ? 0.3 : 1.0);
    Venue venue(config);
    Quantity position;
    double price = 100;
    for (std::int64_t day = 1; day < 400; ++day) {
      Terms terms{.side = random.below(3) == 0 ? Side::sell : Side::buy,
                  .quantity = static_cast<double>(1 + random.below(200)),
                  .type = static_cast<OrderType>(random.below(4)),
                  .time_in_force = static_cast<TimeInForce>(random.below(3))};
      if (terms.type == OrderType::limit || terms.type == OrderType::stop_limit) {
        terms.limit = price * (0.95 + random.uniform() * 0.1);
      }
      if (terms.type == OrderType::stop || terms.type == OrderType::stop_limit) {
        terms.stop = price * (0.95 + random.uniform() * 0.1);
      }
      (void)venue.submit(terms);
      const double open = price * (0.97 + random.uniform() * 0.06);
      price = open * (0.97 + random.uniform() * 0.06);
      const double high = std::max(open, price) * (1 + random.uniform() * 0.02);
      const double low = std::min(open, price) * (1 - random.uniform() * 0.02);
      for (const OrderUpdate& update : venue.advance(bar(day, open, high, low, price))) {
        ASSERT_LE(update.order.filled, update.order.request.quantity);
        if (!update.fill) continue;
        position += update.fill->side == Side::buy ? update.fill->quantity : -update.fill->quantity;
      }
      ASSERT_EQ(venue.engine.portfolio().quantity(kApple), position);
      ASSERT_FALSE(position.is_negative());
      ASSERT_FALSE(venue.engine.portfolio().cash().is_negative());
    }
    EXPECT_GT(venue.engine.orders().size(), 300U);
  }
}

}  // namespace
}  // namespace alphaswarm::trading
