// Batches are kept while the receiver is away, and sent once when it is back, whatever happens to
// the process or the disk in between.

#include "alphaswarm/observability/export/spill_sink.hpp"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <mutex>
#include <thread>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/observability/export/queued_sink.hpp"
#include "alphaswarm/observability/export/spill_fixture_test.hpp"
#include "alphaswarm/observability/sdk/barrier.hpp"

#if ALPHASWARM_OTEL

namespace alphaswarm::observability {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using testing::GrpcReply;
using testing::GrpcServer;
using testing::kNobody;
using testing::SpillTest;

constexpr milliseconds kTimeout{2'000};

class SpillSinkTest : public SpillTest {};

// A file system of 128 KiB of its own.
class SmallDisk {
 public:
  explicit SmallDisk(const fs::path& at) : at_(at.string()) {
    fs::create_directories(at);
    mounted_ = ::mount("spill_test", at_.c_str(), "tmpfs", 0, "size=128k") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  [[nodiscard]] bool mounted() const noexcept { return mounted_; }

 private:
  std::string at_;
  bool mounted_;
};

TEST_F(SpillSinkTest, AFullDiskDropsAndCounts) {
  const SmallDisk disk(folder_);
  if (!disk.mounted()) GTEST_SKIP() << "mounting needs root";
  Config impatient = config(kNobody);
  impatient.timeout_ms = 200;
  const auto tracing = provider(impatient);
  const std::string big(15'000, 'x');
  for (int i = 0; i < 30; ++i) {
    span("big", {.provider = tracing.get()}, {{"text", big}}).end();
    if (i % 3 == 2) {
      EXPECT_TRUE(tracing->force_flush(10'000));
    }
  }
  const Stats stats = tracing->stats();
  EXPECT_GT(stats.spilled, 0U);
  EXPECT_GT(stats.dropped.export_failed, 0U);
  EXPECT_GT(stats.spill.lost, 0U);
  EXPECT_GE(stats.spill.errors, stats.spill.lost);
  EXPECT_EQ(stats.spill.kept, stats.spilled);
  expect_exact(*tracing);
  EXPECT_TRUE(files(".tmp").empty()) << "a half written file was left behind";
  SpillAccount account;
  const SpillFolder spill = *SpillFolder::open((folder_ / "desk_1").string(), 1U << 20U);
  std::uint64_t whole = 0;
  for (const std::string& name : spill.names()) {
    whole += spill.take(name, account)->batch().span_count;
  }
  EXPECT_EQ(whole, stats.spilled);
}

// Answers as it is told.
class Receiver final : public BatchSink {
 public:
  SinkResult send(const Batch& batch, milliseconds) override {
    const std::scoped_lock lock(mutex_);
    ++offers_;
    if (next_.status == SinkResult::accepted) ++taken_[batch.request.joined()];
    return next_;
  }
  void answer(SinkResult next) {
    const std::scoped_lock lock(mutex_);
    next_ = std::move(next);
  }
  int offers() {
    const std::scoped_lock lock(mutex_);
    return offers_;
  }
  std::map<std::string, int> taken() {
    const std::scoped_lock lock(mutex_);
    return taken_;
  }

 private:
  std::mutex mutex_;
  SinkResult next_;
  int offers_ = 0;
  std::map<std::string, int> taken_;
};

const SinkResult kAway{.status = SinkResult::retry};

TEST_F(SpillSinkTest, WhileTheReceiverIsAwayItIsSpared) {
  const auto receiver = std::make_shared<Receiver>();
  // Longer than this test takes on any machine.
  receiver->answer({.status = SinkResult::retry, .retry_after = std::chrono::hours(1)});
  {
    SpillSink sink(receiver, folder(), "desk", 1'000);
    for (int i = 0; i < 50; ++i) {
      EXPECT_EQ(sink.send({std::to_string(i), 1}, kTimeout).status, SinkResult::kept);
      sink.idle();
    }
    EXPECT_EQ(receiver->offers(), 1);
    EXPECT_EQ(sink.spill()->kept.load(), 50U);
  }
  receiver->answer({});
  SpillSink next(receiver, folder(), "desk", 1'000);  // waits for nobody's backoff
  while (next.spill()->sent.load() < 50) {
    const std::uint64_t before = next.spill()->sent.load();
    next.idle();
    ASSERT_GT(next.spill()->sent.load(), before);
  }
  EXPECT_EQ(receiver->taken().size(), 50U);
  EXPECT_TRUE(files().empty());
  EXPECT_EQ(next.send({"next", 1}, kTimeout).status, SinkResult::accepted);
}

TEST_F(SpillSinkTest, WhatTheReceiverRefusesForGoodIsNotKept) {
  const auto receiver = std::make_shared<Receiver>();
  SpillSink sink(receiver, folder(), "desk", 1'000);
  receiver->answer({.status = SinkResult::rejected, .message = "no"});
  EXPECT_EQ(sink.send({"a", 3}, kTimeout).status, SinkResult::rejected);
  EXPECT_TRUE(files().empty());
  EXPECT_EQ(sink.keep({"b", 5}).status, SinkResult::kept);
  sink.idle();
  EXPECT_EQ(sink.spill()->rejected.load(), 5U);
  EXPECT_EQ(sink.keep({"c", 7}).status, SinkResult::kept);
  receiver->answer({.rejected_spans = 2});
  sink.idle();
  EXPECT_EQ(sink.spill()->rejected.load(), 7U);
  EXPECT_EQ(sink.spill()->sent.load(), 5U);
  EXPECT_TRUE(files().empty());
}

TEST_F(SpillSinkTest, FailedWritesAndLostBatchesAreTwoThings) {
  const auto receiver = std::make_shared<Receiver>();
  receiver->answer(kAway);
  SpillSink sink(receiver, folder(), "desk", 1'000);
  fs::remove_all(folder_);
  EXPECT_EQ(sink.send({"a", 4}, kTimeout).status, SinkResult::retry);
  EXPECT_EQ(sink.send({"a", 4}, kTimeout).status, SinkResult::retry);
  EXPECT_GE(sink.spill()->errors.load(), 2U);
  EXPECT_EQ(sink.spill()->lost.load(), 0U) << "it may still be sent";
  EXPECT_EQ(sink.keep({"a", 4}).status, SinkResult::rejected);
  EXPECT_EQ(sink.spill()->lost.load(), 1U);
  EXPECT_EQ(sink.spill()->kept.load(), 0U);
}

TEST_F(SpillSinkTest, SeveralThatShareAFolderSendEachBatchOnce) {
  {
    SpillSink filler(std::make_shared<Receiver>(), folder(), "desk", 1'000);
    for (int i = 0; i < 200; ++i) {
      ASSERT_EQ(filler.keep({std::to_string(i), 1}).status, SinkResult::kept);
    }
  }
  const auto receiver = std::make_shared<Receiver>();
  {
    std::vector<std::jthread> senders;
    for (int i = 0; i < 4; ++i) {
      senders.emplace_back([&] {
        SpillSink sink(receiver, folder(), "desk", 1'000);
        while (!files().empty()) sink.idle();
      });
    }
  }
  const auto taken = receiver->taken();
  EXPECT_EQ(taken.size(), 200U);
  for (const auto& [request, times] : taken) EXPECT_EQ(times, 1) << request;
}

TEST_F(SpillSinkTest, AQueueInFrontOfItKeepsTooAndSaysSo) {
  const auto receiver = std::make_shared<Receiver>();
  receiver->answer(kAway);
  Counter& dropped = counter("alphaswarm_spans_forward_dropped_total", R"(service="spill q")", "");
  {
    QueuedSink queue(std::make_shared<SpillSink>(receiver, folder(), "spill q", 1'000), "spill q",
                     1'000);
    EXPECT_EQ(queue.send({"a", 4}, kTimeout).status, SinkResult::accepted);
    EXPECT_TRUE(queue.flush(kTimeout));
    EXPECT_EQ(queue.spill()->kept.load(), 4U);
  }
  EXPECT_EQ(files().size(), 1U);
  EXPECT_EQ(dropped.value(), 0U);
}

TEST_F(SpillSinkTest, TheNextStartSendsWhatThisOneCouldNot) {
  std::uint64_t spilled = 0;
  {
    const auto tracing = provider(config(kNobody));
    make_spans(*tracing, 20);
    EXPECT_TRUE(tracing->force_flush(10'000));
    EXPECT_EQ(tracing->stats().spilled, 20U);
    expect_exact(*tracing);
    make_spans(*tracing, 5, "at the end ");
    Span open = span("open", {.provider = tracing.get()});
    EXPECT_TRUE(tracing->shutdown(5'000));
    open.end();
    const Stats stats = tracing->stats();
    spilled = stats.spilled;
    EXPECT_EQ(spilled, 26U);
    EXPECT_EQ(stats.spill.kept, 26U);
    EXPECT_EQ(stats.dropped.total(), 0U);
    expect_exact(*tracing);
  }
  EXPECT_FALSE(files().empty());
  GrpcServer server({});
  const auto tracing = provider(config(server.endpoint()));
  make_spans(*tracing, 3, "new ");
  wait_until(*tracing, [&](const Stats& stats) { return stats.spill.sent == spilled; });
  EXPECT_TRUE(tracing->force_flush(10'000));
  const auto found = received(server);
  EXPECT_EQ(found.size(), 29U);
  for (const auto& [id, times] : found) EXPECT_EQ(times, 1);
  EXPECT_TRUE(files().empty());
  EXPECT_EQ(tracing->stats().exported, 3U) << "what another life started is not in this account";
  EXPECT_EQ(tracing->stats().spilled, 0U);
  expect_exact(*tracing);
}

// The first calls are refused, as by a server that starts: no restart of ours is needed.
TEST_F(SpillSinkTest, TheSameProcessSendsWhenTheReceiverIsBack) {
  std::deque<GrpcReply> script(2, GrpcReply{.grpc_status = "14"});
  GrpcServer server(script);
  const auto tracing = provider(config(server.endpoint()));
  make_spans(*tracing, 10);
  EXPECT_TRUE(tracing->force_flush(10'000));
  EXPECT_EQ(tracing->stats().spilled, 10U);
  wait_until(*tracing, [](const Stats& stats) { return stats.spill.sent == 10; });
  make_spans(*tracing, 4);
  EXPECT_TRUE(tracing->force_flush(10'000));
  EXPECT_EQ(tracing->stats().exported, 4U);
  EXPECT_EQ(tracing->stats().spilled, 10U);
  EXPECT_GE(server.calls().size(), 4U);
  expect_exact(*tracing);
}

// Killed at any moment, while it spills all the time: what is there afterwards is whole, and goes
// out once.
TEST_F(SpillSinkTest, AKilledProcessLeavesWholeBatches) {
  if (sdk::kSanitizedThreads) GTEST_SKIP() << "ThreadSanitizer allows no threads after fork()";
  for (int round = 0; round < 6; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      Config spilling = config(kNobody);
      spilling.schedule_delay_ms = 0;
      const auto tracing = provider(spilling);
      for (;;) {
        make_spans(*tracing, 50);
        static_cast<void>(tracing->force_flush(10'000));
        static_cast<void>(::write(ends[1], "x", 1));
      }
    }
    char one = 0;
    for (int i = 0; i < 3 + 2 * round; ++i) ASSERT_EQ(::read(ends[0], &one, 1), 1);
    ::usleep(static_cast<useconds_t>(137 * round));  // another moment each time
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(ends[0]);
    ::close(ends[1]);
  }
  std::uint64_t kept = 0;
  {
    SpillAccount account;
    const SpillFolder spill = *SpillFolder::open((folder_ / "desk_1").string(), 1U << 26U);
    for (const std::string& name : spill.names()) {
      const auto one = spill.take(name, account);
      ASSERT_TRUE(one.has_value()) << name;
      EXPECT_EQ(testing::spans_of(one->batch().request.joined()).size(), one->batch().span_count);
      kept += one->batch().span_count;
    }
  }
  ASSERT_GE(kept, 6U * 3U * 50U);
  GrpcServer server({});
  const auto tracing = provider(config(server.endpoint()));
  wait_until(*tracing, [&](const Stats& stats) { return stats.spill.sent == kept; });
  const auto found = received(server);
  EXPECT_EQ(found.size(), kept);
  for (const auto& [id, times] : found) EXPECT_EQ(times, 1);
  EXPECT_EQ(tracing->stats().spill.set_aside, 0U);
}

}  // namespace
}  // namespace alphaswarm::observability

#endif
