#include "alphaswarm/api/hand_orders.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "alphaswarm/api/testing/service.hpp"
#include "alphaswarm/persistence/fill_repository.hpp"
#include "alphaswarm/persistence/test_support.hpp"
#include "alphaswarm/trading/paper/order_tracker.hpp"

namespace alphaswarm::api {
namespace {

using testing::Service;
using trading::Order;
using trading::OrderStatus;

// A venue that shows its one order as the test says.
class StagedBroker final : public trading::Broker {
 public:
  [[nodiscard]] std::string_view venue() const noexcept override { return "alpaca"; }
  [[nodiscard]] bool knows_client_ids() const noexcept override { return true; }
  net::task<Result<void>> connect() override { co_return Result<void>(); }
  net::task<Result<void>> disconnect() override { co_return Result<void>(); }
  net::task<Result<Order>> submit_order(trading::OrderRequest) override { co_return unused(); }
  net::task<Result<void>> cancel_order(trading::OrderId) override {
    cancelled = true;
    co_return Result<void>();
  }
  net::task<Result<Order>> query_order(trading::OrderId) override { co_return co_await look(); }
  net::task<Result<Order>> query_order(trading::ClientOrderId) override {
    co_return co_await look();
  }
  net::task<Result<std::vector<Order>>> query_open_orders() override { co_return unused(); }
  net::task<Result<std::vector<trading::BrokerPosition>>> query_positions() override {
    co_return unused();
  }
  net::task<Result<trading::BrokerAccount>> query_account() override { co_return unused(); }
  net::task<Result<std::unique_ptr<trading::OrderUpdateStream>>> stream_order_updates() override {
    co_return unused();
  }

  Order order;
  std::atomic<bool> cancelled{false};
  std::atomic<int> lookers{0};

 private:
  static std::unexpected<Error> unused() { return fail(ErrorCode::internal, "not used here"); }
  // Three look, and get their answers at the same moment: each what was true when it came.
  net::task<Result<Order>> look() {
    const int number = ++lookers;
    Order seen = order;
    seen.filled = trading::Quantity::of(number < 3 ? 2 * number : 5);
    seen.status = number < 3 ? OrderStatus::partial : OrderStatus::cancelled;
    if (number == 3) all_are_here_.set();
    if (number < 3) std::ignore = co_await all_are_here_.wait();
    co_return seen;
  }
  net::AsyncEvent all_are_here_;
};

class HandOrdersTest : public persistence::test::EachDatabase {};

// One follower each of two processes, and a cancel that comes with a last fill.
TEST_P(HandOrdersTest, EachFillIsKeptOnceWhoeverLooks) {
  StagedBroker broker;
  broker.order.id.value = "77";
  broker.order.request.client_id.value = "mine-1";
  broker.order.request.symbol = *trading::VtSymbol::parse("AAPL.US");
  broker.order.request.quantity = trading::Quantity::of(10);
  broker.order.average_price = trading::Price::of(12);
  const std::vector<Venue> venues{{"alpaca", &broker, "a live venue"}};
  Service service([&](ApiDependencies& dependencies) { dependencies.venues = venues; },
                  fresh_url());
  persistence::OrderRow row =
      trading::paper::make_order_row(broker.order.request, {}, "alpaca", {});
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
  while (broker.lookers < 2) std::this_thread::sleep_for(soon);
  EXPECT_TRUE(service.call("DELETE", "/brokers/alpaca/orders/mine-1", "", 200, "CancelAnswer")
                  .at("ok")
                  .as_bool());
  EXPECT_TRUE(broker.cancelled);
  while (broker.lookers < 3) std::this_thread::sleep_for(soon);
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

INSTANTIATE_TEST_SUITE_P(Databases, HandOrdersTest, persistence::test::kEachDatabase,
                         persistence::test::name_of_kind);

}  // namespace
}  // namespace alphaswarm::api
