#include "alphaswarm/net/task.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>

#include "alphaswarm/base/task_local.hpp"

namespace alphaswarm::net {
namespace {

using namespace std::chrono_literals;

task<int> value_later(int value) {
  co_await yield();
  co_return value;
}

task<std::string> sum_up() {
  const int first = co_await value_later(40);
  const int second = co_await value_later(2);
  co_return std::to_string(first + second);
}

TEST(Task, ChainsAndReturns) {
  Runtime runtime("test", 1);
  EXPECT_EQ(block_on(runtime, sum_up()), "42");
}

task<int> depth(int left) {
  if (left == 0) co_return 0;
  co_return co_await depth(left - 1) + 1;
}

TEST(Task, DeepChainsUseNoStack) {
  Runtime runtime("test", 1);
  EXPECT_EQ(block_on(runtime, depth(200'000)), 200'000);
}

task<int> throws() {
  co_await yield();
  throw std::runtime_error("broken");
}

TEST(Task, ExceptionsReachTheAwaiter) {
  Runtime runtime("test", 1);
  EXPECT_THROW(block_on(runtime, throws()), std::runtime_error);
}

TEST(Task, AllGivesEveryResult) {
  Runtime runtime("test", 2);
  const auto both = []() -> task<std::tuple<int, std::string>> {
    co_return co_await all(value_later(1), sum_up());
  };
  EXPECT_EQ(block_on(runtime, both()), std::make_tuple(1, std::string("42")));

  const auto many = []() -> task<std::vector<int>> {
    std::vector<task<int>> work;
    for (int i = 0; i < 100; ++i) work.push_back(value_later(i));
    co_return co_await all(std::move(work));
  };
  const std::vector<int> values = block_on(runtime, many());
  ASSERT_EQ(values.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(values[static_cast<std::size_t>(i)], i);
}

TEST(Task, AllOfNothingIsEmpty) {
  Runtime runtime("test", 1);
  const auto none = []() -> task<std::size_t> {
    std::vector<task<int>> work;
    co_return (co_await all(std::move(work))).size();
  };
  EXPECT_EQ(block_on(runtime, none()), 0U);
}

task<void> sleep_until_stopped(std::atomic<int>& stopped) {
  const Result<void> slept = co_await sleep_for(1h);
  if (!slept && slept.error().code == ErrorCode::cancelled) stopped.fetch_add(1);
}

TEST(Task, AllStopsTheOthersWhenOneThrows) {
  Runtime runtime("test", 1);
  std::atomic<int> stopped = 0;
  const auto work = [&]() -> task<void> {
    co_await all(sleep_until_stopped(stopped), throws(), sleep_until_stopped(stopped));
  };
  EXPECT_THROW(block_on(runtime, work()), std::runtime_error);
  EXPECT_EQ(stopped, 2);
}

TEST(Task, RaceGivesTheFirstAndAwaitsTheOthers) {
  Runtime runtime("test", 2);
  std::atomic<int> stopped = 0;
  const auto work = [&]() -> task<int> {
    auto first = co_await race(sleep_until_stopped(stopped), value_later(7));
    EXPECT_EQ(stopped, 1);
    co_return std::get<1>(first);
  };
  EXPECT_EQ(block_on(runtime, work()), 7);
}

TEST(Task, RaceGivesTheWinnersException) {
  Runtime runtime("test", 2);
  std::atomic<int> stopped = 0;
  const auto work = [&]() -> task<void> { co_await race(throws(), sleep_until_stopped(stopped)); };
  EXPECT_THROW(block_on(runtime, work()), std::runtime_error);
}

TEST(Task, OnRunsThereAndComesBack) {
  Runtime here("here", 1);
  Runtime there("there", 1);
  const auto where = []() -> task<Runtime*> { co_return Runtime::current(); };
  const auto work = [&]() -> task<void> {
    EXPECT_EQ(co_await on(there, where()), &there);
    EXPECT_EQ(Runtime::current(), &here);
  };
  block_on(here, work());
}

TEST(Task, OnAnEndedRuntimeThrows) {
  Runtime here("here", 1);
  Runtime there("there", 1);
  there.stop();
  const auto work = [&]() -> task<void> { co_await on(there, yield()); };
  EXPECT_THROW(block_on(here, work()), std::runtime_error);
}

TEST(Task, SleepTakesItsTime) {
  Runtime runtime("test", 1);
  const auto nap = []() -> task<bool> { co_return (co_await sleep_for(20ms)).has_value(); };
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(block_on(runtime, nap()));
  EXPECT_GE(std::chrono::steady_clock::now() - start, 20ms);
}

TEST(Task, StopHandleCancelsADetachedTask) {
  Runtime runtime("test", 1);
  std::atomic<int> stopped = 0;
  std::stop_source stop;
  spawn(runtime, stop, sleep_until_stopped(stopped));
  stop.request_stop();
  runtime.stop();
  EXPECT_EQ(stopped, 1);
}

TEST(Task, StoppingTheRuntimeCancelsEverything) {
  std::atomic<int> stopped = 0;
  Runtime runtime("test", 2);
  for (int i = 0; i < 100; ++i) spawn(runtime, sleep_until_stopped(stopped));
  spawn(runtime, std::stop_source(), sleep_until_stopped(stopped));
  runtime.stop();
  EXPECT_EQ(stopped, 101);
  EXPECT_EQ(runtime.active_tasks(), 0U);
}

TEST(Task, ShieldedWorkEndsInOrderInAStoppedTask) {
  Runtime runtime("test", 1);
  std::stop_source stop;
  std::atomic<int> outside = 0;
  std::atomic<int> inside = 0;
  auto last_words = [&]() -> task<int> {
    inside = (co_await sleep_for(1ms)).has_value() ? 1 : 2;
    co_return 7;
  };
  auto work = [&]() -> task<void> {
    outside = (co_await sleep_for(1h)).has_value() ? 1 : 2;
    auto words = last_words();
    outside += 10 * co_await shielded(std::move(words));
  };
  spawn(runtime, stop, work());
  stop.request_stop();
  while (runtime.active_tasks() != 0) std::this_thread::yield();
  EXPECT_EQ(outside, 72);
  EXPECT_EQ(inside, 1);
}

TEST(Task, ADetachedLambdaKeepsItsCaptures) {
  Runtime runtime("test", 1);
  std::atomic<std::size_t> seen = 0;
  AsyncEvent done;
  {
    const std::string text(100, 'x');
    auto work = [text, &seen, &done]() -> task<void> {
      co_await yield();
      seen = text.size();
      done.set();
    };
    spawn(runtime, std::move(work));
  }
  const auto wait = [&]() -> task<void> { (void)co_await done.wait(); };
  block_on(runtime, wait());
  EXPECT_EQ(seen, 100U);
}

TEST(Task, ABlockingCallHoldsNoneOfTheOthersUp) {
  Runtime runtime("test", 1, 2);
  std::barrier<> both_wait(2);
  std::atomic<int> turns{0};
  const auto waits = [&]() -> task<int> {
    current_task_slot().bytes[0] = 7;
    co_return co_await blocking([&] {
      both_wait.arrive_and_wait();  // one after the other would wait for ever
      const auto until = std::chrono::steady_clock::now() + 20s;
      while (turns < 10 && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(1ms);
      }
      current_task_slot().bytes[1] = 8;
      return static_cast<int>(current_task_slot().bytes[0]);
    });
  };
  const auto all_of_them = [&]() -> task<std::tuple<int, int, int>> {
    co_return co_await all(waits(), waits(), [&]() -> task<int> {
      for (; turns < 10; ++turns) (void)co_await sleep_for(1ms);
      co_return turns;
    }());
  };
  const auto [first, second, turned] = block_on(runtime, all_of_them());
  EXPECT_EQ(first, 7) << "in the task's own slot";
  EXPECT_EQ(second, 7);
  EXPECT_EQ(turned, 10);
}

TEST(Task, ABlockingCallsExceptionAndSlotReachItsTask) {
  for (const unsigned threads : {0U, 1U}) {
    Runtime runtime("test", 1, threads);
    const auto calls = []() -> task<int> {
      co_await blocking([] { current_task_slot().bytes[3] = 9; });
      EXPECT_EQ(current_task_slot().bytes[3], 9);
      co_return co_await blocking([]() -> int { throw std::runtime_error("broken"); });
    };
    EXPECT_THROW(block_on(runtime, calls()), std::runtime_error);
  }
}

TEST(Task, ARuntimeThatStopsWaitsForBlockingCalls) {
  std::atomic<bool> returned{false};
  {
    Runtime runtime("test", 1, 1);
    spawn(runtime, [&returned]() -> task<void> {
      co_await blocking([&returned] {
        std::this_thread::sleep_for(100ms);
        returned = true;
      });
    });
    std::this_thread::sleep_for(20ms);
    runtime.stop(10ms);
    EXPECT_TRUE(returned);
  }
}

TEST(Task, BlockOnInsideItsOwnRuntimeIsRefused) {
  Runtime runtime("test", 1);
  const auto work = [&]() -> task<void> {
    block_on(runtime, yield());
    co_return;
  };
  EXPECT_THROW(block_on(runtime, work()), std::logic_error);
}

}  // namespace
}  // namespace alphaswarm::net
