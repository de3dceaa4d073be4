// What several tell of one order, in their own time and order.

#include "alphaswarm/trading/paper/order_change.hpp"

#include <algorithm>
#include <barrier>
#include <random>
#include <thread>

#include "alphaswarm/persistence/fill_repository.hpp"
#include "alphaswarm/persistence/test_support.hpp"
#include "alphaswarm/trading/paper/order_tracker.hpp"

namespace alphaswarm::trading::paper {
namespace {

class OrderChangeTest : public persistence::test::EachDatabase {
 protected:
  persistence::OrderRow make_order(const std::string& id) {
    request_.client_id.value = id;
    request_.symbol = *VtSymbol::parse("AAPL.US");
    request_.quantity = Quantity::of(10);
    persistence::OrderRow row = make_order_row(request_, {}, "alpaca", {});
    persistence::OrderRepository orders(*database_);
    EXPECT_TRUE(orders.insert(row));
    return *orders.find(id).value();
  }
  // As the venue shows the order when so much is filled; all of it at 10 a share.
  BrokerUpdate told(int filled, OrderStatus status) {
    Order order;
    order.id.value = "at-the-venue-" + request_.client_id.value;
    order.request = request_;
    order.status = status;
    order.filled = Quantity::of(filled);
    order.average_price = Price::of(10);
    order.updated = now_unix();
    return {"", order, std::nullopt, ""};
  }
  persistence::OrderRow row(const std::string& id) {
    return *persistence::OrderRepository(*database_).find(id).value();
  }
  Decimal sum_of_fills(const std::string& id) {
    Decimal sum;
    for (const auto& fill : *persistence::FillRepository(*database_).for_order(id)) {
      sum = sum + fill.quantity;
      EXPECT_EQ(fill.price, Decimal::from_integer(10));
    }
    return sum;
  }

  std::shared_ptr<persistence::Database> database_ = persistence::test::open_migrated(fresh_url());
  OrderRequest request_;
};

TEST_P(OrderChangeTest, EachFillIsKeptOnceHoweverManyLook) {
  constexpr int kLookers = 4;
  constexpr int kFilled = 6;
  for (int round = 0; round < 15; ++round) {
    const std::string id = "order-" + std::to_string(round);
    make_order(id);
    std::barrier together(kLookers);
    std::vector<std::jthread> lookers;
    for (unsigned looker = 0; looker < kLookers; ++looker) {
      lookers.emplace_back([&, looker] {
        std::vector<int> amounts{1, 2, 3, 4, 5, kFilled};
        std::mt19937 shuffler(static_cast<unsigned>(round) * kLookers + looker);
        std::ranges::shuffle(amounts, shuffler);
        together.arrive_and_wait();
        for (const int filled : amounts) {
          const auto status = filled == kFilled ? OrderStatus::cancelled : OrderStatus::partial;
          const auto kept = keep_told(*database_, id, told(filled, status));
          EXPECT_TRUE(kept && *kept);
        }
      });
    }
    lookers.clear();
    EXPECT_EQ(row(id).status, "cancelled");
    EXPECT_EQ(row(id).filled_quantity, Decimal::from_integer(kFilled));
    EXPECT_EQ(sum_of_fills(id), Decimal::from_integer(kFilled));
  }
}

TEST_P(OrderChangeTest, WhatIsOlderThanTheRowChangesNothing) {
  make_order("one");
  ASSERT_TRUE(keep_told(*database_, "one", told(4, OrderStatus::partial)));
  ASSERT_TRUE(keep_told(*database_, "one", told(7, OrderStatus::cancelled)));
  const persistence::OrderRow ended = row("one");
  for (const auto& late : {told(4, OrderStatus::partial), told(7, OrderStatus::partial),
                           told(0, OrderStatus::new_order)}) {
    const auto kept = keep_told(*database_, "one", late);
    ASSERT_TRUE(kept && *kept);
    EXPECT_TRUE((*kept)->news.empty());
    EXPECT_EQ(row("one"), ended);
  }
  // A fill that was before the end, and is heard of after it.
  ASSERT_TRUE(keep_told(*database_, "one", told(8, OrderStatus::partial)));
  EXPECT_EQ(row("one").status, "cancelled");
  EXPECT_EQ(row("one").filled_quantity, Decimal::from_integer(8));
  EXPECT_EQ(sum_of_fills("one"), Decimal::from_integer(8));
}

TEST_P(OrderChangeTest, AnEndThatWasConcludedGivesWayToTheVenuesWord) {
  const persistence::OrderRow as_read = make_order("two");
  ASSERT_TRUE(end_unplaced(*database_, as_read, kNeverCame));
  EXPECT_EQ(row("two").status, "rejected");
  ASSERT_TRUE(keep_told(*database_, "two", told(3, OrderStatus::partial)));
  EXPECT_EQ(row("two").status, "partial");
  EXPECT_EQ(row("two").status_reason, "");
  EXPECT_EQ(sum_of_fills("two"), Decimal::from_integer(3));
}

TEST_P(OrderChangeTest, NothingIsConcludedOfAnOrderThatWasHeardOfMeanwhile) {
  const persistence::OrderRow as_read = make_order("three");
  ASSERT_TRUE(keep_told(*database_, "three", told(0, OrderStatus::new_order)));
  ASSERT_TRUE(end_unplaced(*database_, as_read, kNeverCame));
  ASSERT_TRUE(doubt(*database_, as_read, kUnknown));
  EXPECT_EQ(row("three").status, "new");
  EXPECT_EQ(row("three").status_reason, "");
  EXPECT_EQ(*keep_told(*database_, "nobody's", told(1, OrderStatus::partial)), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Databases, OrderChangeTest, persistence::test::kEachDatabase,
                         persistence::test::name_of_kind);

}  // namespace
}  // namespace alphaswarm::trading::paper
