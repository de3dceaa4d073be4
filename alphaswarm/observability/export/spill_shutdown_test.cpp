// A shutdown shares its time: what a receiver does not take in half of it is spilled in the other,
// and everything is counted, whatever hangs.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <thread>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/export/spill_fixture_test.hpp"

#if ALPHASWARM_OTEL

namespace alphaswarm::observability {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::GrpcReply;
using testing::GrpcServer;
using testing::SpillTest;

constexpr std::int64_t kShutdownMs = 3'000;  // half of it is enough for a busy disk

class SpillShutdownTest : public SpillTest {
 protected:
  // Answers no call, or each after a while.
  static std::deque<GrpcReply> silent() { return {100, GrpcReply{.say_nothing = true}}; }
  static std::deque<GrpcReply> slow(int delay_ms) { return {100, GrpcReply{.delay_ms = delay_ms}}; }
  [[nodiscard]] Config hurried(std::string_view endpoint) const {
    Config made = config(endpoint);
    made.timeout_ms = 30'000;
    made.schedule_delay_ms = 0;
    made.max_batch_spans = 10;
    return made;
  }
  static void wait_for_call(GrpcServer& server) {
    while (server.calls().empty()) {
      std::this_thread::sleep_for(milliseconds(2));  // nothing signals it
    }
  }
  static std::uint64_t count(std::string_view name) {
    return counter(name, R"(service="desk/1")", "").value();
  }
};

TEST_F(SpillShutdownTest, AReceiverThatHangsLeavesTimeToSpill) {
  GrpcServer server(silent());
  const auto tracing = provider(hurried(server.endpoint()));
  make_spans(*tracing, 5);
  wait_for_call(server);  // it hangs for thirty seconds
  make_spans(*tracing, 30);
  Span open = span("open", {.provider = tracing.get()});
  const auto begin = steady_clock::now();
  EXPECT_TRUE(tracing->shutdown(kShutdownMs));
  EXPECT_LT(steady_clock::now() - begin, milliseconds(kShutdownMs + 250));
  open.end();
  const Stats stats = tracing->stats();
  EXPECT_EQ(stats.spilled, 36U);
  EXPECT_EQ(stats.spill.kept, 36U);
  EXPECT_EQ(stats.dropped.total(), 0U);
  expect_exact(*tracing);
}

TEST_F(SpillShutdownTest, SoDoesOneThatHangsOverAKeptBatch) {
  GrpcServer server(silent());
  {
    SpillAccount account;
    auto before = SpillFolder::open((folder_ / "desk_1").string(), 1U << 20U);
    ASSERT_TRUE(before->store({"of another life", 3}, account).has_value());
  }
  const auto tracing = provider(hurried(server.endpoint()));
  wait_for_call(server);
  make_spans(*tracing, 30);
  EXPECT_TRUE(tracing->shutdown(kShutdownMs));
  EXPECT_EQ(tracing->stats().spilled, 30U);
  EXPECT_EQ(tracing->stats().spill.sent, 0U);
  expect_exact(*tracing);
  EXPECT_GE(files().size(), 4U) << "with the kept one";
}

// A further receiver has a queue; what that counts at last is not lost, and nobody waits for it.
TEST_F(SpillShutdownTest, TheCountsOfASlowFurtherReceiverAreExact) {
  const std::uint64_t forwarded = count("alphaswarm_spans_forwarded_total");
  const std::uint64_t dropped = count("alphaswarm_spans_forward_dropped_total");
  GrpcServer server(slow(400));
  Config both = hurried(server.endpoint());
  const auto memory = std::make_shared<MemorySink>();
  both.sink = memory;
  const auto tracing = provider(both);
  make_spans(*tracing, 100);
  wait_for_call(server);
  std::atomic<bool> over{false};
  steady_clock::duration longest{};
  {
    const std::jthread asking([&] {
      while (!over.load(std::memory_order_relaxed)) {
        const auto begin = steady_clock::now();
        static_cast<void>(tracing->stats());
        longest = std::max(longest, steady_clock::now() - begin);
        std::this_thread::sleep_for(milliseconds(1));  // asks now and then
      }
    });
    static_cast<void>(tracing->shutdown(1'000));
    over.store(true, std::memory_order_relaxed);
  }
  EXPECT_LT(longest, milliseconds(300)) << "stats() waited for a sink";
  const Stats stats = tracing->stats();
  EXPECT_EQ(stats.exported, 100U);
  EXPECT_EQ(memory->spans().size(), 100U);
  expect_exact(*tracing);
  EXPECT_GT(stats.spill.kept, 0U);
  EXPECT_EQ(count("alphaswarm_spans_forwarded_total") - forwarded +
                count("alphaswarm_spans_forward_dropped_total") - dropped + stats.spill.kept,
            100U);
}

TEST_F(SpillShutdownTest, WithoutAFolderAHangingFurtherReceiverIsLeftInTime) {
  const std::uint64_t dropped = count("alphaswarm_spans_forward_dropped_total");
  GrpcServer server(silent());
  Config both = hurried(server.endpoint());
  both.spill_folder.clear();
  both.sink = std::make_shared<MemorySink>();
  const auto tracing = provider(both);
  make_spans(*tracing, 100);
  wait_for_call(server);
  const auto begin = steady_clock::now();
  static_cast<void>(tracing->shutdown(300));
  EXPECT_LT(steady_clock::now() - begin, milliseconds(1'000));
  EXPECT_EQ(tracing->stats().exported, 100U);
  expect_exact(*tracing);
  EXPECT_EQ(count("alphaswarm_spans_forward_dropped_total") - dropped, 100U);
}

// Spans that are sampled, and those that a failure brings out of the recorder, share the folder.
class SpillRecorderTest : public SpillTest {
 protected:
  [[nodiscard]] Config recording(std::string_view endpoint) const {
    Config made = config(endpoint);
    made.sample_ratio = 0.5;
    made.flight_recorder_bytes = 4U << 20U;
    made.schedule_delay_ms = 0;
    return made;
  }
  // All spilled spans come to the receiver of the next life, each once.
  void expect_all_sent(std::uint64_t kept) {
    GrpcServer server({});
    const auto tracing = provider(config(server.endpoint()));
    wait_until(*tracing, [&](const Stats& stats) { return stats.spill.sent == kept; });
    const auto found = received(server);
    EXPECT_EQ(found.size(), kept);
    for (const auto& [id, times] : found) EXPECT_EQ(times, 1);
    EXPECT_TRUE(files().empty());
  }
};

TEST_F(SpillRecorderTest, ATriggeredTraceIsSpilledToo) {
  Config unsampled = recording(testing::kNobody);
  unsampled.sample_ratio = 0.0;
  {
    const auto tracing = provider(unsampled);
    make_spans(*tracing, 7);
    EXPECT_TRUE(tracing->force_flush(10'000));
    EXPECT_EQ(tracing->stats().spill.kept, 0U);
    {
      const Span order = span("order", {.provider = tracing.get()});
      span("check").end();
      span("send").error("refused");
    }
    EXPECT_TRUE(tracing->shutdown(10'000));
    const Stats stats = tracing->stats();
    EXPECT_EQ(stats.not_sampled, 10U);
    EXPECT_EQ(stats.recorder.spilled, 3U);
    EXPECT_EQ(stats.recorder.exported, 0U);
    EXPECT_EQ(stats.recorder.export_failed, 0U);
    EXPECT_EQ(stats.spill.kept, 3U);
    EXPECT_EQ(stats.spilled, 0U);
    expect_exact(*tracing);
  }
  expect_all_sent(3);
}

TEST_F(SpillRecorderTest, ManyThreadsShareFolderAndRecorder) {
  std::uint64_t kept = 0;
  {
    const auto tracing = provider(recording(testing::kNobody));
    std::atomic<bool> over{false};
    const std::jthread asking([&] {
      while (!over.load(std::memory_order_relaxed)) {
        const Stats now = tracing->stats();
        EXPECT_LE(now.spilled, now.started);
        static_cast<void>(tracing->force_flush(10));
      }
    });
    {
      std::vector<std::jthread> threads;
      for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&] {
          for (int i = 0; i < 200; ++i) {
            const Span order = span("order", {.provider = tracing.get()});
            span("check").end();
            if (i % 10 == 0) span("send").error("refused");
          }
        });
      }
    }
    EXPECT_TRUE(tracing->shutdown(20'000));
    over.store(true, std::memory_order_relaxed);
    const Stats stats = tracing->stats();
    EXPECT_EQ(stats.started + stats.not_sampled, 3U * (2U * 200U + 20U));
    EXPECT_EQ(stats.spilled, stats.started);
    EXPECT_EQ(stats.recorder.spilled, 3 * stats.recorder.triggers);
    EXPECT_GT(stats.recorder.triggers, 0U);
    expect_exact(*tracing);
    kept = stats.spill.kept;
    EXPECT_EQ(kept, stats.spilled + stats.recorder.spilled);
  }
  expect_all_sent(kept);
}

}  // namespace
}  // namespace alphaswarm::observability

#endif
