#include "alphaswarm/api/routes/broker_orders.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "alphaswarm/api/hand_orders.hpp"
#include "alphaswarm/api/testing/service.hpp"
#include "alphaswarm/api/testing/venue_double.hpp"
#include "alphaswarm/persistence/order_repository.hpp"
#include "alphaswarm/tasks/redis_bus.hpp"
#include "tests/support/redis.hpp"

namespace alphaswarm::api {
namespace {

using testing::Service;
using testing::VenueDouble;

constexpr const char* kPath = "/brokers/alpaca/orders";
constexpr const char* kOrder =
    R"({"vt_symbol":"AAPL.US","side":"buy","quantity":2,"client_order_id":"mine-1"})";

// A bus on which something happens before a key is read.
class WatchedBus final : public tasks::Bus {
 public:
  std::function<Result<void>(const std::string& key)> before_get;

  net::task<Result<void>> publish(std::string channel, std::string payload) override {
    return bus_->publish(std::move(channel), std::move(payload));
  }
  net::task<Result<tasks::Subscription>> subscribe(std::string channel) override {
    return bus_->subscribe(std::move(channel));
  }
  net::task<Result<void>> set(std::string key, std::string value,
                              std::optional<std::chrono::seconds> time_to_live) override {
    return bus_->set(std::move(key), std::move(value), time_to_live);
  }
  net::task<Result<std::optional<std::string>>> get(std::string key) override {
    if (before_get) {
      if (const Result<void> done = before_get(key); !done) co_return std::unexpected(done.error());
    }
    if (engaged) co_return "fire";
    co_return co_await bus_->get(std::move(key));
  }
  net::task<Result<bool>> del(std::string key) override { return bus_->del(std::move(key)); }
  bool engaged = false;

 private:
  std::shared_ptr<tasks::Bus> bus_ = tasks::make_memory_bus();
};

class BrokerOrdersTest : public ::testing::Test {
 protected:
  BrokerOrdersTest()
      : service_(
            [this](ApiDependencies& dependencies) {
              dependencies.venues = {{"alpaca", &venue_, "a live venue"}};
            },
            {.bus = bus_}) {}
  ~BrokerOrdersTest() override { service_.stop_server(); }

  std::optional<persistence::OrderRow> row() {
    return persistence::OrderRepository(service_.database()).find("mine-1").value();
  }

  std::shared_ptr<WatchedBus> bus_ = std::make_shared<WatchedBus>();
  VenueDouble venue_;
  Service service_;
};

TEST_F(BrokerOrdersTest, ASwitchThatIsEngagedWhileTheOrderIsKeptHoldsIt) {
  bus_->before_get = [this](const std::string&) -> Result<void> {
    bus_->engaged = row().has_value();
    return {};
  };
  EXPECT_EQ(service_.refusal("POST", kPath, kOrder, 423),
            "The kill switch is engaged (fire): no new orders.");
  EXPECT_EQ(venue_.submitted, 0);
  ASSERT_TRUE(row());
  EXPECT_EQ(row()->status, "rejected");
  EXPECT_EQ(row()->status_reason, "The kill switch is engaged (fire): no new orders.");
}

TEST_F(BrokerOrdersTest, ASwitchThatCannotBeReadAnyMoreHoldsTheOrder) {
  bus_->before_get = [this](const std::string&) -> Result<void> {
    if (row()) return fail(ErrorCode::unavailable, "it went away");
    return {};
  };
  const std::string why = service_.refusal("POST", kPath, kOrder, 503);
  EXPECT_NE(why.find("it went away"), std::string::npos) << why;
  EXPECT_EQ(venue_.submitted, 0);
  ASSERT_TRUE(row());
  EXPECT_EQ(row()->status, "rejected");
  EXPECT_EQ(row()->status_reason, why);
}

// What was sent before may be there, whatever holds the next try.
TEST_F(BrokerOrdersTest, ATryThatIsHeldBackSaysNothingOfTheOneBefore) {
  venue_.on_submit = [](trading::OrderRequest) -> net::task<Result<trading::Order>> {
    co_return fail(ErrorCode::unavailable, "no answer");
  };
  (void)service_.refusal("POST", kPath, kOrder, 502);
  int reads = 0;
  bus_->before_get = [&, this](const std::string&) -> Result<void> {
    bus_->engaged = ++reads > 1;
    return {};
  };
  (void)service_.refusal("POST", kPath, kOrder, 423);
  EXPECT_EQ(venue_.submitted, 1);
  ASSERT_TRUE(row());
  EXPECT_EQ(row()->status, "submitting");
}

// A second request for the same order claims it while the first waits to read the switch.
TEST_F(BrokerOrdersTest, ATryThatIsHeldBackDoesNotEndWhatAnotherHasClaimed) {
  bus_->before_get = [this](const std::string&) -> Result<void> {
    auto claimed = row();
    if (!claimed) return {};
    bus_->engaged = true;
    const Result<bool> ours = claim(service_.database(), *claimed);
    return ours ? Result<void>() : std::unexpected(ours.error());
  };
  (void)service_.refusal("POST", kPath, kOrder, 423);
  ASSERT_TRUE(row());
  EXPECT_EQ(row()->status, "submitting");
}

TEST_F(BrokerOrdersTest, AnOrderOfAnEarlierDayThatMayHaveComeIsNotSentAgain) {
  venue_.client_ids = false;
  venue_.on_submit = [](trading::OrderRequest) -> net::task<Result<trading::Order>> {
    co_return fail(ErrorCode::unavailable, "no answer");
  };
  (void)service_.refusal("POST", kPath, kOrder, 502);
  persistence::OrderRow yesterdays = *row();
  const std::int64_t day = std::chrono::nanoseconds(std::chrono::hours(24)).count();
  yesterdays.created_at.value -= day;
  yesterdays.updated_at.value -= day;
  ASSERT_TRUE(persistence::OrderRepository(service_.database()).upsert(yesterdays));
  venue_.all_days = false;
  const std::string why = service_.refusal("POST", kPath, kOrder, 409);
  EXPECT_NE(why.find("unknown: "), std::string::npos) << why;
  EXPECT_EQ(venue_.submitted, 1);
  EXPECT_EQ(row()->status, "submitting");
  // It shows after all: some orders of earlier days are still open.
  venue_.on_look = []() -> net::task<Result<trading::Order>> {
    trading::Order order;
    order.id.value = "77";
    order.status = trading::OrderStatus::new_order;
    co_return order;
  };
  EXPECT_EQ(service_.call("POST", kPath, kOrder, 200, "Order").at("status"), "new");
  EXPECT_EQ(venue_.submitted, 1);
}

// Without Redis nobody knows whether the switch is engaged.
TEST(BrokerOrdersWithoutRedis, NoOrderLeavesAndNoRowIsLeft) {
  ::alphaswarm::testing::RedisServer redis;
  net::Runtime runtime("redis", 1);
  VenueDouble venue;
  {
    auto config = *net::parse_redis_url(redis.url());
    config.command_timeout = config.connect_timeout = std::chrono::milliseconds(200);
    const auto client = std::make_shared<net::RedisClient>(runtime, config);
    Service service(
        [&](ApiDependencies& dependencies) {
          dependencies.venues = {{"alpaca", &venue, "a live venue"}};
        },
        {.bus = tasks::make_redis_bus(client, client)});
    ASSERT_EQ(service.get("/portfolio/kill_switch").status, 200);
    redis.kill();
    const std::string why = service.refusal("POST", kPath, kOrder, 503);
    EXPECT_NE(why.find("the kill switch cannot be read from the bus"), std::string::npos) << why;
    EXPECT_EQ(venue.submitted, 0);
    EXPECT_TRUE(persistence::OrderRepository(service.database()).list(10)->empty());
    // When it is back, the same order goes out.
    redis.start();
    trading::Order order;
    order.id.value = "77";
    venue.on_submit = [&](trading::OrderRequest request) -> net::task<Result<trading::Order>> {
      order.request = std::move(request);
      order.status = trading::OrderStatus::new_order;
      co_return order;
    };
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (service.send("POST", kPath, kOrder).status != 200) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    }
    EXPECT_EQ(venue.submitted, 1);
    service.stop_server();
  }
  runtime.stop();
}

}  // namespace
}  // namespace alphaswarm::api
