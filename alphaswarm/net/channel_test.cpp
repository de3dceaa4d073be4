#include "alphaswarm/net/channel.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>

#include "alphaswarm/net/task.hpp"

namespace alphaswarm::net {
namespace {

using namespace std::chrono_literals;

TEST(Channel, IsBoundedAndInOrder) {
  Channel<int> channel(2);
  EXPECT_TRUE(channel.try_push(1));
  EXPECT_TRUE(channel.try_push(2));
  EXPECT_FALSE(channel.try_push(3));
  EXPECT_EQ(channel.push_dropping_oldest(3), 1U);
  EXPECT_EQ(channel.try_pop(), 2);
  EXPECT_EQ(channel.try_pop(), 3);
  EXPECT_EQ(channel.try_pop(), std::nullopt);
  channel.close();
  EXPECT_FALSE(channel.try_push(4));
  EXPECT_EQ(channel.push_dropping_oldest(4), std::nullopt);
}

TEST(Channel, AFailedPushLeavesTheValue) {
  Channel<std::unique_ptr<int>> channel(0);
  auto value = std::make_unique<int>(5);
  EXPECT_FALSE(channel.try_push(std::move(value)));
  EXPECT_NE(value, nullptr);
}

TEST(Channel, PopWaitsForPush) {
  Runtime runtime("test", 2);
  Channel<int> channel(1);
  auto produce = [&]() -> task<void> {
    for (int i = 0; i < 1000; ++i) {
      const bool pushed = co_await channel.push(i);
      EXPECT_TRUE(pushed);
    }
    channel.close();
  };
  auto consume = [&]() -> task<int> {
    int count = 0;
    while (auto value = co_await channel.pop()) EXPECT_EQ(*value, count++);
    co_return count;
  };
  auto both = [&]() -> task<int> {
    auto done = co_await all(produce(), consume());
    co_return std::get<1>(done);
  };
  EXPECT_EQ(block_on(runtime, both()), 1000);
}

TEST(Channel, ManyProducersAndConsumersLoseNothing) {
  Runtime runtime("test", 4);
  Channel<int> channel(8);
  std::atomic<long> sum = 0;
  std::atomic<int> producers = 8;
  auto produce = [&]() -> task<std::monostate> {
    for (int i = 1; i <= 500; ++i) (void)co_await channel.push(i);
    if (--producers == 0) channel.close();
    co_return std::monostate();
  };
  auto consume = [&]() -> task<std::monostate> {
    while (auto value = co_await channel.pop()) sum += *value;
    co_return std::monostate();
  };
  auto everyone = [&]() -> task<void> {
    std::vector<task<std::monostate>> work;
    for (int i = 0; i < 8; ++i) work.push_back(produce());
    for (int i = 0; i < 5; ++i) work.push_back(consume());
    co_await all(std::move(work));
  };
  block_on(runtime, everyone());
  EXPECT_EQ(sum, 8L * 500 * 501 / 2);
}

TEST(Channel, PopForGivesUpAndLosesNothing) {
  Runtime runtime("test", 1);
  Channel<int> channel(1);
  auto work = [&]() -> task<void> {
    EXPECT_EQ(co_await channel.pop_for(5ms), std::nullopt);
    EXPECT_TRUE(channel.try_push(9));
    EXPECT_EQ(co_await channel.pop_for(5ms), 9);
  };
  block_on(runtime, work());
}

TEST(Channel, AStoppedPopTakesNothing) {
  Runtime runtime("test", 2);
  for (int round = 0; round < 200; ++round) {
    Channel<int> channel(1);
    std::atomic<bool> got = false;
    auto pop = [&]() -> task<void> { got = (co_await channel.pop()).has_value(); };
    std::stop_source stop;
    spawn(runtime, stop, pop());
    // The stop and the push race: whoever wins, the item is with the popper or in the channel.
    auto push = [&]() -> task<void> {
      EXPECT_TRUE(channel.try_push(1));
      co_return;
    };
    spawn(runtime, push());
    stop.request_stop();
    while (runtime.active_tasks() != 0) std::this_thread::yield();
    EXPECT_EQ(channel.size(), got ? 0U : 1U);
  }
}

TEST(AsyncMutex, IsExclusiveAcrossAwaits) {
  Runtime runtime("test", 4);
  AsyncMutex mutex;
  int inside = 0;  // no atomic: the mutex is what orders it
  int total = 0;
  auto worker = [&]() -> task<std::monostate> {
    for (int i = 0; i < 100; ++i) {
      const auto guard = co_await mutex.lock();
      EXPECT_TRUE(guard);
      EXPECT_EQ(++inside, 1);
      co_await yield();
      --inside;
      ++total;
    }
    co_return std::monostate();
  };
  auto everyone = [&]() -> task<void> {
    std::vector<task<std::monostate>> work;
    for (int i = 0; i < 10; ++i) work.push_back(worker());
    co_await all(std::move(work));
  };
  block_on(runtime, everyone());
  EXPECT_EQ(total, 1000);
}

TEST(AsyncMutex, AStoppedWaiterIsSkipped) {
  Runtime runtime("test", 1);
  AsyncMutex mutex;
  std::atomic<int> refused = 0;
  auto wait = [&]() -> task<void> {
    const auto guard = co_await mutex.lock();
    if (!guard && guard.error().code == ErrorCode::cancelled) ++refused;
  };
  auto work = [&]() -> task<void> {
    std::stop_source stop;
    {
      const auto guard = co_await mutex.lock();
      spawn(runtime, stop, wait());
      co_await yield();
      stop.request_stop();
      co_await yield();
    }
    const auto again = co_await mutex.lock();
    EXPECT_TRUE(again);
  };
  block_on(runtime, work());
  EXPECT_EQ(refused, 1);
}

TEST(AsyncEvent, WakesAllAndStaysSet) {
  Runtime runtime("test", 2);
  AsyncEvent event;
  auto wait = [&]() -> task<bool> { co_return (co_await event.wait()).has_value(); };
  auto set = [&]() -> task<bool> {
    co_await yield();
    event.set();
    co_return true;
  };
  auto work = [&]() -> task<void> {
    const auto [a, b, c] = co_await all(wait(), wait(), set());
    EXPECT_TRUE(a && b && c);
    EXPECT_TRUE(co_await event.wait());
    event.reset();
    const auto late = co_await event.wait_for(1ms);
    EXPECT_FALSE(late);
    EXPECT_EQ(late.error().code, ErrorCode::deadline_exceeded);
  };
  block_on(runtime, work());
}

}  // namespace
}  // namespace alphaswarm::net
