#include "alphaswarm/tasks/bus.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "alphaswarm/base/thread.hpp"
#include "alphaswarm/tasks/redis_bus.hpp"
#include "tests/support/redis.hpp"

namespace alphaswarm::tasks {
namespace {

using namespace std::chrono_literals;

// Every bus keeps the same promises.
class BusTest : public ::testing::TestWithParam<std::string> {
 protected:
  template <class T>
  T run(net::task<T> work) {
    return net::block_on(runtime_, std::move(work));
  }
  void publish(const std::string& channel, const std::string& payload) {
    EXPECT_TRUE(run(bus_->publish(channel, payload)));
  }

  std::shared_ptr<Bus> make_bus(std::size_t capacity) {
    if (GetParam() == "memory") {
      return make_memory_bus({.mailbox_capacity = capacity, .max_keys = 3});
    }
    static alphaswarm::testing::RedisServer server;
    auto config = *net::parse_redis_url(server.url());
    config.max_waiting_messages = capacity;
    auto client = std::make_shared<net::RedisClient>(runtime_, std::move(config));
    return make_redis_bus(client, client);
  }

  net::Runtime runtime_{"bus-test", 2};
  std::shared_ptr<Bus> bus_ = make_bus(3);
};

INSTANTIATE_TEST_SUITE_P(All, BusTest, ::testing::Values("memory", "redis"),
                         [](const auto& info) { return info.param; });

TEST_P(BusTest, DeliversInOrderToThoseWhoSubscribed) {
  publish("a", "too early");
  auto first = run(bus_->subscribe("a"));
  auto second = run(bus_->subscribe("a"));
  auto other = run(bus_->subscribe("b"));
  publish("a", "1");
  publish("a", "2");
  for (auto* subscription : {&*first, &*second}) {
    EXPECT_EQ(run(subscription->next()), "1");
    EXPECT_EQ(run(subscription->next()), "2");
  }
  EXPECT_EQ(run(other->next_for(0ms)), std::nullopt);
}

TEST_P(BusTest, ASlowReaderLosesTheOldestAndKnowsHowMany) {
  auto subscription = run(bus_->subscribe("a"));
  auto barrier = run(bus_->subscribe("b"));
  for (const char* payload : {"1", "2", "3", "4", "5"}) publish("a", payload);
  publish("b", "all are there");
  EXPECT_TRUE(run(barrier->next()));
  EXPECT_EQ(run(subscription->next()), "3");
  EXPECT_EQ(subscription->dropped(), 2U);
}

TEST_P(BusTest, ASubscriptionMayOutliveTheBus) {
  auto subscription = run(bus_->subscribe("a"));
  auto barrier = run(bus_->subscribe("b"));
  publish("a", "last");
  publish("b", "all are there");
  EXPECT_TRUE(run(barrier->next()));
  bus_.reset();
  EXPECT_EQ(run(subscription->next()), "last");
  EXPECT_EQ(run(subscription->next()), std::nullopt);
}

TEST_P(BusTest, AWaitingReaderIsWokenAndAMovedSubscriptionWorks) {
  auto subscription = run(bus_->subscribe("a"));
  Subscription moved = std::move(*subscription);
  const std::jthread publisher =
      start_thread("publisher", [&](const std::stop_token&) { publish("a", "x"); });
  EXPECT_EQ(run(moved.next()), "x");
}

TEST_P(BusTest, KeepsKeysUntilTheyExpireOrAreDeleted) {
  EXPECT_TRUE(run(bus_->set("k", "1", std::nullopt)));
  EXPECT_TRUE(run(bus_->set("k", "2", 3600s)));
  EXPECT_EQ(*run(bus_->get("k")), "2");
  EXPECT_TRUE(*run(bus_->del("k")));
  EXPECT_FALSE(*run(bus_->del("k")));
  EXPECT_EQ(*run(bus_->get("k")), std::nullopt);
  EXPECT_TRUE(run(bus_->set("gone", "1", 0s)));
  EXPECT_EQ(*run(bus_->get("gone")), std::nullopt);
}

TEST_P(BusTest, MakesRoomByTheKeyClosestToItsEnd) {
  if (GetParam() != "memory") GTEST_SKIP() << "Redis has bounds of its own";
  EXPECT_TRUE(run(bus_->set("forever", "1", std::nullopt)));
  EXPECT_TRUE(run(bus_->set("long", "1", 3600s)));
  EXPECT_TRUE(run(bus_->set("short", "1", 60s)));
  EXPECT_TRUE(run(bus_->set("new", "1", 600s)));
  EXPECT_EQ(*run(bus_->get("short")), std::nullopt);
  for (const char* kept : {"forever", "long", "new"}) EXPECT_EQ(*run(bus_->get(kept)), "1");
}

TEST_P(BusTest, ManyPublishersAndSubscribersComeAndGo) {
  auto steady_bus = make_bus(100'000);
  auto all = run(steady_bus->subscribe("a"));
  constexpr int kThreads = 4;
  constexpr int kPayloads = 500;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.push_back(start_thread("publisher", [&, i](const std::stop_token&) {
        for (int n = 0; n < kPayloads; ++n) {
          auto own = run(steady_bus->subscribe("a"));
          EXPECT_TRUE(run(steady_bus->publish("a", std::to_string(i) + ":" + std::to_string(n))));
          EXPECT_TRUE(run(own->next()).has_value());
        }
      }));
    }
  }
  std::vector<int> next(kThreads, 0);
  for (int i = 0; i < kThreads * kPayloads; ++i) {
    const std::string payload = *run(all->next());
    const std::size_t colon = payload.find(':');
    int& expected = next[std::stoul(payload.substr(0, colon))];
    EXPECT_EQ(payload.substr(colon + 1), std::to_string(expected));
    ++expected;
  }
  EXPECT_EQ(all->dropped(), 0U);
}

}  // namespace
}  // namespace alphaswarm::tasks
