#include "alphaswarm/api/hand_orders.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "alphaswarm/api/testing/service.hpp"
#include "alphaswarm/api/testing/venue_double.hpp"
#include "alphaswarm/persistence/fill_repository.hpp"
#include "alphaswarm/persistence/test_support.hpp"
#include "alphaswarm/trading/paper/order_tracker.hpp"

namespace alphaswarm::api {
namespace {

using testing::Service;
using trading::Order;
using trading::OrderStatus;

class HandOrdersTest : public persistence::test::EachDatabase {};

// One follower each of two processes, and a cancel that comes with a last fill.
TEST_P(HandOrdersTest, EachFillIsKeptOnceWhoeverLooks) {
  Order order;
  order.id.value = "77";
  order.request.client_id.value = "mine-1";
  order.request.symbol = *trading::VtSymbol::parse("AAPL.US");
  order.request.quantity = trading::Quantity::of(10);
  order.average_price = trading::Price::of(12);
  // Three look, and get their answers at the same moment: each what was true when it came.
  testing::VenueDouble broker;
  std::atomic<int> lookers{0};
  net::AsyncEvent all_are_here;
  broker.on_look = [&]() -> net::task<Result<Order>> {
    const int number = ++lookers;
    Order seen = order;
    seen.filled = trading::Quantity::of(number < 3 ? 2 * number : 5);
    seen.status = number < 3 ? OrderStatus::partial : OrderStatus::cancelled;
    if (number == 3) all_are_here.set();
    if (number < 3) std::ignore = co_await all_are_here.wait();
    co_return seen;
  };
  const std::vector<Venue> venues{{"alpaca", &broker, "a live venue"}};
  Service service([&](ApiDependencies& dependencies) { dependencies.venues = venues; },
                  {.database_url = fresh_url()});
  persistence::OrderRow row = trading::paper::make_order_row(order.request, {}, "alpaca", {});
  row.broker_order_id = "77";
  row.status = "new";
  persistence::OrderRepository orders(service.database());
  ASSERT_TRUE(orders.insert(row));

  net::Runtime runtime("followers", 2, 2);
  std::stop_source stop;
  std::atomic<int> over{0};
  const std::chrono::milliseconds soon(5);
  const auto follow = [&]() -> net::task<void> {
    const FollowOptions options{.look_every = soon, .soonest = soon, .latest = soon};
    co_await follow_hand_orders(service.database(), venues, options);
    ++over;
  };
  net::spawn(runtime, stop, follow());
  net::spawn(runtime, stop, follow());
  while (lookers < 2) std::this_thread::sleep_for(soon);
  EXPECT_TRUE(service.call("DELETE", "/brokers/alpaca/orders/mine-1", "", 200, "CancelAnswer")
                  .at("ok")
                  .as_bool());
  EXPECT_EQ(broker.cancelled, 1);
  while (lookers < 3) std::this_thread::sleep_for(soon);
  stop.request_stop();
  while (over < 2) std::this_thread::sleep_for(soon);
  runtime.stop();

  const persistence::OrderRow ended = *orders.find("mine-1").value();
  EXPECT_EQ(ended.status, "cancelled");
  EXPECT_EQ(ended.filled_quantity, Decimal::from_integer(5));
  Decimal filled;
  for (const auto& fill : *persistence::FillRepository(service.database()).for_order("mine-1")) {
    filled = filled + fill.quantity;
  }
  EXPECT_EQ(filled, ended.filled_quantity);
  service.stop_server();
}

// A venue that lists the orders of the day, and does not show this one, which had no answer.
class UnseenOrdersTest : public ::testing::Test {
 protected:
  UnseenOrdersTest() {
    venue_.client_ids = false;
    trading::OrderRequest request;
    request.client_id.value = "mine-1";
    request.symbol = *trading::VtSymbol::parse("AAPL.US");
    request.quantity = trading::Quantity::of(10);
    persistence::OrderRow row = trading::paper::make_order_row(request, {}, "alpaca", {});
    row.created_at = row.updated_at = {row.created_at.value -
                                       std::chrono::nanoseconds(std::chrono::minutes(11)).count()};
    EXPECT_TRUE(persistence::OrderRepository(service_.database()).insert(row));
  }
  persistence::OrderRow row() {
    return *persistence::OrderRepository(service_.database()).find("mine-1").value();
  }
  // Follows until the row is as wanted, and for that many rounds more.
  void follow_until(const std::function<bool()>& reached, int rounds) {
    net::Runtime runtime("follower", 1, 1);
    std::stop_source stop;
    std::atomic<bool> over{false};
    const std::chrono::milliseconds soon(5);
    const auto follow = [&]() -> net::task<void> {
      const FollowOptions options{.look_every = soon, .soonest = soon, .latest = soon};
      const std::vector<Venue> venues{{"alpaca", &venue_, "a live venue"}};
      co_await follow_hand_orders(service_.database(), venues, options);
      over = true;
    };
    net::spawn(runtime, stop, follow());
    for (int i = 0; i < 1000 && !reached(); ++i) std::this_thread::sleep_for(soon);
    EXPECT_TRUE(reached());
    const int looks = venue_.looks;
    std::this_thread::sleep_for(soon * rounds);
    EXPECT_LE(venue_.looks, looks + 1);  // one may have been under way
    stop.request_stop();
    while (!over) std::this_thread::sleep_for(soon);
    runtime.stop();
  }

  testing::VenueDouble venue_;
  Service service_;
};

TEST_F(UnseenOrdersTest, OneThatTheVenueWouldShowNeverCame) {
  follow_until([this] { return row().status == "rejected"; }, 0);
  EXPECT_EQ(row().status_reason, trading::paper::kNeverCame);
}

TEST_F(UnseenOrdersTest, OneOfAnEarlierDayStaysUnknownAndIsAskedForNoMore) {
  venue_.all_days = false;
  follow_until([this] { return row().status_reason == trading::paper::kUnknown; }, 40);
  EXPECT_EQ(row().status, "submitting");
}

TEST_F(UnseenOrdersTest, OneThatTheVenueOnceNamedIsSaidToBeDenied) {
  persistence::OrderRow named = row();
  named.broker_order_id = "77";
  named.status = "new";
  ASSERT_TRUE(persistence::OrderRepository(service_.database()).upsert(named));
  follow_until([this] { return row().status_reason == trading::paper::kDenied; }, 0);
  EXPECT_EQ(row().status, "new");
}

INSTANTIATE_TEST_SUITE_P(Databases, HandOrdersTest, persistence::test::kEachDatabase,
                         persistence::test::name_of_kind);

}  // namespace
}  // namespace alphaswarm::api
