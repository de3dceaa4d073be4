// Never harms its host, and loses nothing unseen: started = exported + dropped + open.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/sdk/accounting_fixture_test.hpp"
#include "alphaswarm/observability/sdk/barrier.hpp"
#include "alphaswarm/observability/sdk/chunk_pool.hpp"
#include "alphaswarm/observability/tracing.hpp"

#if ALPHASWARM_OTEL

namespace alphaswarm::observability {
namespace {

using testing::kScale;
using testing::make_spans;
using testing::milliseconds;
using testing::TestSink;

class AccountingTest : public testing::AccountedTest {};

TEST_F(AccountingTest, ExactWithManyThreads) {
  const auto provider = make();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] { make_spans(*provider, 2'000 * kScale); });
    }
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(provider->force_flush(10'000));
  }
  EXPECT_TRUE(provider->force_flush(10'000));
  const Stats stats = provider->stats();
  EXPECT_EQ(stats.started, 4U * 2U * 2'000U * kScale);
  EXPECT_EQ(stats.open, 0U);
  expect_exact(*provider);
}

TEST_F(AccountingTest, ExactWhenShutDownUnderLoad) {
  for (int round = 0; round < 10; ++round) {
    sink_ = std::make_shared<TestSink>();
    const auto provider = make();
    std::atomic<bool> stop{false};
    std::latch running(3);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        Span held = span("held", {.provider = provider.get(), .make_current = false});
        make_spans(*provider, 10);
        running.count_down();
        while (!stop.load(std::memory_order_relaxed)) make_spans(*provider, 10);
        held.set("late", 1);
      });
    }
    running.wait();
    EXPECT_TRUE(provider->shutdown(10'000));
    stop.store(true, std::memory_order_relaxed);
    threads.clear();
    const Stats stats = provider->stats();
    EXPECT_EQ(stats.open, 0U);
    EXPECT_GE(stats.exported, 63U);
    expect_exact(*provider);
  }
}

// Threads that know nothing of the end go on with the process default.
TEST_F(AccountingTest, AProviderIsDestroyedUnderItsThreads) {
  std::atomic<bool> stop{false};
  std::atomic<int> rounds{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (; !stop.load(std::memory_order_relaxed); ++rounds) {
        Span outer = span("outer", {{"i", 1}});
        Span inner = span("inner");
        inner.set("a", "b").event("e");
        set_on_current("late", true);
      }
    });
  }
  for (int round = 0; round < 50; ++round) {
    sink_ = std::make_shared<TestSink>();
    auto provider = make();
    provider->install_as_default();
    const int before = rounds;
    while (rounds < before + 30) std::this_thread::yield();
    provider.reset();
    EXPECT_GT(sink_->received(), 0U);
  }
  stop = true;
}

TEST_F(AccountingTest, SpansOutliveADestroyedProvider) {
  auto provider = make();
  Span open = span("open", {.provider = provider.get()});
  provider.reset();
  EXPECT_EQ(sink_->received(), 1U);
  open.set("a", 1);
  EXPECT_FALSE(span("child of the dead").recording());
  open.end();
  EXPECT_FALSE(current_context().is_valid());
}

TEST_F(AccountingTest, AFullPoolDropsAndCounts) {
  const auto provider = make({.schedule_delay_ms = 0});
  sink_->block(true);
  make_spans(*provider, 50'000);
  const Stats stats = provider->stats();
  EXPECT_GT(stats.dropped.no_chunk, 0U);
  EXPECT_LE(sdk::chunk_pool().bytes_in_use(), sdk::chunk_pool().capacity());
  sink_->block(false);
  EXPECT_TRUE(provider->force_flush(20'000));
  expect_exact(*provider);
}

TEST_F(AccountingTest, WaitsForRoomWhereAsked) {
  const auto provider = make({.on_full_wait = true, .schedule_delay_ms = 0});
  make_spans(*provider, 20'000 * kScale);
  EXPECT_TRUE(provider->force_flush(20'000));
  EXPECT_EQ(provider->stats().dropped.total(), 0U);
  EXPECT_EQ(sink_->received(), 40'000U * kScale);
}

TEST_F(AccountingTest, ThreadsComeAndGo) {
  const auto provider = make();
  for (int i = 0; i < 100 * kScale; ++i) {
    std::jthread([&] { make_spans(*provider, 20); }).join();
    if (i % 20 == 0) EXPECT_TRUE(provider->force_flush(10'000));
  }
  EXPECT_TRUE(provider->force_flush(10'000));
  expect_exact(*provider);
  EXPECT_EQ(provider->stats().dropped.total(), 0U);
  EXPECT_LT(sdk::chunk_pool().bytes_in_use(), std::size_t{1} << 20U);
}

TEST_F(AccountingTest, IdleThreadsGiveTheirBlocksBack) {
  const auto provider = make();
  constexpr int kThreads = 20;
  std::latch made(kThreads);
  std::latch leave(1);
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      make_spans(*provider, 200);
      made.count_down();
      leave.wait();
      make_spans(*provider, 200);
    });
  }
  made.wait();
  EXPECT_TRUE(provider->force_flush(10'000));
  const std::size_t busy = sdk::chunk_pool().bytes_in_use();
  // Looked at about once a second, given back the second time.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (sdk::chunk_pool().bytes_in_use() > busy / 2 &&
         std::chrono::steady_clock::now() < deadline) {
    EXPECT_TRUE(provider->force_flush(10'000));
    std::this_thread::sleep_for(milliseconds(50));  // nothing signals it: it is a background chore
  }
  EXPECT_LE(sdk::chunk_pool().bytes_in_use(), busy / 2);
  leave.count_down();
  threads.clear();
  EXPECT_TRUE(provider->force_flush(10'000));
  expect_exact(*provider);
}

TEST_F(AccountingTest, AForkedChildSendsItsOwnSpansOnly) {
  if (sdk::kSanitizedThreads) GTEST_SKIP() << "ThreadSanitizer allows no threads after fork()";
  const auto provider = make({.schedule_delay_ms = 60'000});
  Span open = span("open across fork", {.provider = provider.get()});
  make_spans(*provider, 3);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    sink_ = std::make_shared<TestSink>();
    const auto fresh = make();
    open.set("in", "child").end();
    make_spans(*provider, 4);  // an inherited provider starts afresh
    make_spans(*fresh, 5);
    const bool flushed = provider->force_flush(5'000) && fresh->force_flush(5'000);
    const bool exact = provider->stats().started == 8 && provider->stats().exported == 8 &&
                       fresh->stats().exported == 10 && sink_->received() == 10;
    ::_exit(flushed && exact ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  open.end();
  EXPECT_TRUE(provider->force_flush(5'000));
  EXPECT_EQ(provider->stats().exported, 7U);
  expect_exact(*provider);
}

}  // namespace
}  // namespace alphaswarm::observability

#endif
