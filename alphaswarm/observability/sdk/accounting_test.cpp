// Never harms its host, and loses nothing unseen: started = exported + dropped + open.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/sdk/barrier.hpp"
#include "alphaswarm/observability/sdk/chunk_pool.hpp"
#include "alphaswarm/observability/sdk/test_support_test.hpp"
#include "alphaswarm/observability/tracing.hpp"

#if ALPHASWARM_OTEL

namespace alphaswarm::observability {
namespace {

using std::chrono::milliseconds;

// Counts spans by decoding each request, and can be made to block or to refuse.
class TestSink final : public BatchSink {
 public:
  SinkResult send(const Batch& batch, milliseconds) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !blocked_; });
    std::string request = batch.request.joined();
    const auto spans = testing::spans_of(request);
    EXPECT_EQ(spans.size(), batch.span_count);
    if (!refused_.empty()) {
      EXPECT_TRUE(request == refused_) << "offered again, it is another";
    }
    refused_.clear();
    if (next_.status == SinkResult::retry) refused_ = std::move(request);
    if (next_.status == SinkResult::accepted) received_ += spans.size() - next_.rejected_spans;
    ++calls_;
    changed_.notify_all();
    return next_;
  }
  void block(bool on) {
    const std::scoped_lock lock(mutex_);
    blocked_ = on;
    changed_.notify_all();
  }
  void answer(SinkResult next) {
    const std::scoped_lock lock(mutex_);
    next_ = std::move(next);
  }
  void wait_for_calls(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return calls_ >= count; });
  }
  std::uint64_t received() {
    const std::scoped_lock lock(mutex_);
    return received_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool blocked_ = false;
  SinkResult next_;
  int calls_ = 0;
  std::uint64_t received_ = 0;
  std::string refused_;  // and to be offered again
};

class AccountingTest : public ::testing::Test {
 protected:
  std::unique_ptr<TracerProvider> make(Config config = {}) {
    config.service_name = "accounting";
    config.sink = sink_;
    auto made = TracerProvider::create(std::move(config));
    return made ? std::move(*made) : nullptr;
  }
  void expect_exact(const TracerProvider& provider) {
    const Stats stats = provider.stats();
    EXPECT_EQ(stats.started, stats.exported + stats.dropped.total() + stats.open);
    EXPECT_EQ(stats.exported, sink_->received());
  }
  std::shared_ptr<TestSink> sink_ = std::make_shared<TestSink>();
};

constexpr int kScale = sdk::kSanitizedThreads ? 1 : 5;

// Nested spans with attributes that overflow now and then, until told to stop.
void make_spans(TracerProvider& provider, int count) {
  const std::string big(3'000, 'x');
  for (int i = 0; i < count; ++i) {
    Span outer = span("outer", {.provider = &provider}, {{"i", i}});
    {
      Span inner = span("inner", {{"text", "short"}});
      inner.set("i", i).event("e", {{"a", 1}});
      if (i % 16 == 0) inner.set("big", big);
      set_on_current("last", true);
    }
    outer.set("i", i + 1);
  }
}

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

TEST_F(AccountingTest, RefusedAndPartlyAcceptedBatchesAreCounted) {
  const auto provider = make();
  sink_->answer({.status = SinkResult::rejected, .message = "no"});
  make_spans(*provider, 5);
  EXPECT_TRUE(provider->force_flush(5'000));
  EXPECT_EQ(provider->stats().dropped.export_failed, 10U);
  sink_->answer({.rejected_spans = 3, .message = "three are bad"});
  make_spans(*provider, 5);
  EXPECT_TRUE(provider->force_flush(5'000));
  EXPECT_EQ(provider->stats().dropped.rejected, 3U);
  EXPECT_EQ(provider->stats().exported, 7U);
  // Said once, counted each time.
  int said = 0;
  set_log_listener([&](LogLevel, std::string_view, std::string_view message) {
    if (message.contains("three are bad")) ++said;
  });
  make_spans(*provider, 5);
  EXPECT_TRUE(provider->force_flush(5'000));
  set_log_listener(nullptr);
  EXPECT_EQ(said, 0);
  EXPECT_EQ(provider->stats().dropped.rejected, 6U);
  expect_exact(*provider);
}

TEST_F(AccountingTest, RetriesUntilAccepted) {
  const auto provider = make();
  sink_->answer({.status = SinkResult::retry, .message = "away"});
  make_spans(*provider, 5);
  EXPECT_FALSE(provider->force_flush(50));
  sink_->wait_for_calls(1);
  sink_->answer({});
  EXPECT_TRUE(provider->force_flush(10'000));
  EXPECT_GE(provider->stats().retries, 1U);
  EXPECT_EQ(provider->stats().exported, 10U);
  expect_exact(*provider);
}

// It lies in the chunks of its threads, some of which have gone, while others go on.
TEST_F(AccountingTest, ABatchStaysAsItIsUntilItIsTaken) {
  const auto provider = make({.timeout_ms = 60'000, .schedule_delay_ms = 0});
  sink_->answer({.status = SinkResult::retry});
  std::jthread early([&] { make_spans(*provider, 5'000); });
  early.join();
  std::jthread late([&] { make_spans(*provider, 20'000 * kScale); });
  late.join();
  sink_->wait_for_calls(2);
  sink_->answer({});
  EXPECT_TRUE(provider->force_flush(20'000));
  expect_exact(*provider);
}

TEST_F(AccountingTest, ShutdownIsBoundedWhenTheReceiverIsAway) {
  const auto provider = make();
  sink_->answer({.status = SinkResult::retry, .message = "away"});
  make_spans(*provider, 5);
  const auto start = std::chrono::steady_clock::now();
  static_cast<void>(provider->shutdown(300));
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(3'000));
  EXPECT_EQ(provider->stats().dropped.total(), 10U);
  expect_exact(*provider);
}

TEST_F(AccountingTest, ShutdownIsBoundedWhenTheSinkHangs) {
  const auto provider = make();
  sink_->block(true);
  make_spans(*provider, 5);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(provider->shutdown(100));
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(3'000));
  EXPECT_EQ(provider->stats().dropped.export_failed, 10U) << "left behind, and not counted";
  expect_exact(*provider);
  sink_->block(false);
  sink_->wait_for_calls(1);
}

TEST_F(AccountingTest, TheSimpleProcessorSendsEachSpanByItself) {
  const auto provider = make({.simple = true});
  make_spans(*provider, 20);
  sink_->wait_for_calls(40);  // without a flush
  EXPECT_TRUE(provider->force_flush(5'000));
  EXPECT_EQ(provider->stats().batches, 40U);
  expect_exact(*provider);
}

TEST_F(AccountingTest, LargeBatchesAreSplit) {
  const auto provider = make({.max_batch_spans = 10, .max_batch_bytes = 2'000});
  make_spans(*provider, 100);
  EXPECT_TRUE(provider->force_flush(5'000));
  EXPECT_GE(provider->stats().batches, 20U);
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

TEST_F(AccountingTest, SpansOpenedByASinkAreNotRecorded) {
  class Tracing final : public BatchSink {
   public:
    SinkResult send(const Batch&, milliseconds) override {
      if (span("export").recording()) recorded = true;
      return {};
    }
    std::atomic<bool> recorded{false};
  };
  const auto tracing = std::make_shared<Tracing>();
  auto provider = TracerProvider::create({.sink = tracing});
  (*provider)->install_as_default();
  span("one").end();
  EXPECT_TRUE((*provider)->force_flush(5'000));
  EXPECT_FALSE(tracing->recorded.load());
}

}  // namespace
}  // namespace alphaswarm::observability

#endif
