// Batches on disk: kept while the receiver is away, sent once when it is back, whatever happens to
// the process, the disk or the files in between.

#include "alphaswarm/observability/export/spill_sink.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/export/otlp_grpc.hpp"
#include "alphaswarm/observability/export/queued_sink.hpp"
#include "alphaswarm/observability/export/test_server_test.hpp"
#include "alphaswarm/observability/sdk/barrier.hpp"
#include "alphaswarm/observability/sdk/test_support_test.hpp"
#include "alphaswarm/observability/tracing.hpp"

#if ALPHASWARM_OTEL

namespace alphaswarm::observability {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using testing::GrpcReply;
using testing::GrpcServer;

constexpr milliseconds kTimeout{2'000};
constexpr std::string_view kNobody = "http://127.0.0.1:9";

class SpillTest : public ::testing::Test {
 protected:
  SpillTest() {
    static int number = 0;
    folder_ = fs::temp_directory_path() /
              ("spill_test." + std::to_string(::getpid()) + "." + std::to_string(++number));
  }
  ~SpillTest() override { fs::remove_all(folder_); }

  [[nodiscard]] SpillFolder folder(std::uint64_t max_bytes = 1U << 20U) const {
    auto made = SpillFolder::open(folder_.string(), max_bytes);
    EXPECT_TRUE(made.has_value()) << made.error().message;
    return std::move(*made);
  }
  [[nodiscard]] std::vector<fs::path> files(std::string_view suffix = ".spill") const {
    std::vector<fs::path> found;
    if (!fs::exists(folder_)) return found;
    for (const auto& each : fs::recursive_directory_iterator(folder_)) {
      if (each.path().string().ends_with(suffix)) found.push_back(each.path());
    }
    std::ranges::sort(found);
    return found;
  }
  [[nodiscard]] Config config(std::string_view endpoint) const {
    Config made;
    made.service_name = "desk/1";
    made.endpoint = endpoint;
    made.timeout_ms = 1'000;
    made.spill_folder = folder_.string();
    return made;
  }
  static std::unique_ptr<TracerProvider> provider(const Config& config) {
    auto made = TracerProvider::create(config);
    EXPECT_TRUE(made.has_value()) << made.error().message;
    return std::move(*made);
  }
  static void make_spans(TracerProvider& provider, int count, const std::string& prefix = "span ") {
    for (int i = 0; i < count; ++i) {
      span(prefix + std::to_string(i), {.provider = &provider}).end();
    }
  }
  static void expect_exact(const TracerProvider& provider) {
    const Stats stats = provider.stats();
    EXPECT_EQ(stats.started, stats.exported + stats.spilled + stats.dropped.total() + stats.open);
  }
  // How often each span id came to a server.
  static std::map<std::string, int> received(GrpcServer& server) {
    std::map<std::string, int> found;
    for (const testing::GrpcCall& call : server.calls()) {
      for (const auto& span : testing::spans_of(std::string_view(call.body).substr(5))) {
        ++found[span.one(2)];
      }
    }
    return found;
  }
  // Waits until the account says so: the export thread works by itself.
  template <class Condition>
  static void wait_until(TracerProvider& provider, Condition condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition(provider.stats()) && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(milliseconds(5));  // nothing signals it
    }
    EXPECT_TRUE(condition(provider.stats()));
  }

  fs::path folder_;
};

TEST_F(SpillTest, WhatIsKeptComesBackByteForByte) {
  SpillAccount account;
  SpillFolder first = folder();
  const std::string requests[] = {"first", std::string(300'000, 'x'), std::string("\0\xff", 2)};
  for (std::uint32_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(first.store({requests[i], i + 7}, account).has_value());
  }
  EXPECT_EQ(fs::status(folder_).permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(files()[0]).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  const SpillFolder second = folder();
  const auto names = second.names();
  ASSERT_EQ(names.size(), 3U);
  for (std::uint32_t i = 0; i < 3; ++i) {
    const auto kept = second.take(names[i], account);
    ASSERT_TRUE(kept.has_value());
    EXPECT_EQ(kept->batch().request, requests[i]);
    EXPECT_EQ(kept->batch().span_count, i + 7);
    EXPECT_FALSE(first.take(names[i], account).has_value()) << "taken twice at a time";
    kept->remove();
  }
  EXPECT_TRUE(first.names().empty());
  EXPECT_EQ(account.set_aside.load(), 0U);
}

TEST_F(SpillTest, IsBoundedAndTheOldestGo) {
  SpillAccount account;
  SpillFolder bounded = folder(10'000);
  const std::string request(3'000, 'x');
  for (std::uint32_t i = 1; i <= 6; ++i) {
    ASSERT_TRUE(bounded.store({request, i}, account).has_value());
  }
  const auto names = bounded.names();
  ASSERT_EQ(names.size(), 3U);
  EXPECT_EQ(account.overwritten.load(), 1U + 2U + 3U);
  EXPECT_EQ(bounded.take(names[0], account)->batch().span_count, 4U);
  EXPECT_FALSE(bounded.store({std::string(10'000, 'x'), 1}, account).has_value());
  // One that is being sent stays.
  const auto sending = bounded.take(names[0], account);
  ASSERT_TRUE(bounded.store({std::string(6'000, 'x'), 9}, account).has_value());
  EXPECT_EQ(bounded.names().front(), names[0]);
  EXPECT_EQ(account.overwritten.load(), 6U + 5U + 6U);
}

TEST_F(SpillTest, DamagedAndForeignFilesAreSetAside) {
  SpillAccount account;
  SpillFolder spill = folder(200'000);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(spill.store({std::string(1'000, 'a'), 1}, account).has_value());
  }
  const auto kept = files();
  fs::resize_file(kept[0], 500);  // torn
  {
    std::fstream flipped(kept[1], std::ios::in | std::ios::out | std::ios::binary);
    flipped.seekp(600);
    flipped.put('b');
  }
  std::ofstream(kept[2], std::ios::trunc) << "something else";
  std::ofstream(folder_ / "notes.txt") << "not ours";  // stays as it is
  ASSERT_EQ(::mkfifo((folder_ / "00000000000000000001-0000000000000000-1-9.spill").c_str(), 0600),
            0);
  int good = 0;
  for (const std::string& name : spill.names()) {
    if (const auto one = spill.take(name, account)) {
      ++good;
      EXPECT_EQ(one->batch().request, std::string(1'000, 'a'));
    }
  }
  EXPECT_EQ(good, 1);
  EXPECT_EQ(account.set_aside.load(), 4U);
  EXPECT_EQ(files(".bad").size(), 4U);
  EXPECT_EQ(spill.names().size(), 1U);
  EXPECT_TRUE(fs::exists(folder_ / "notes.txt"));
  // They make room for new ones first.
  ASSERT_TRUE(spill.store({std::string(197'000, 'c'), 1}, account).has_value());
  EXPECT_EQ(spill.names().size(), 2U);
  EXPECT_LT(files(".bad").size(), 4U);
  EXPECT_EQ(account.overwritten.load(), 0U);
}

TEST_F(SpillTest, AHalfWrittenFileOfADeadWriterGoes) {
  static_cast<void>(folder());
  const fs::path old = folder_ / "00000000000000000001-0000000000000000-1-99.spill.tmp";
  const fs::path held = folder_ / "00000000000000000002-0000000000000000-1-99.spill.tmp";
  const fs::path young = folder_ / "00000000000000000003-0000000000000000-1-99.spill.tmp";
  for (const fs::path& each : {old, held, young}) std::ofstream(each) << "half";
  for (const fs::path& each : {old, held}) {
    fs::last_write_time(each, fs::file_time_type::clock::now() - std::chrono::minutes(5));
  }
  const int writer = ::open(held.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(::flock(writer, LOCK_EX), 0);
  EXPECT_TRUE(folder().names().empty());
  ::close(writer);
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(held));
  EXPECT_TRUE(fs::exists(young));
}

TEST_F(SpillTest, AFolderThatCannotBeMadeIsAnError) {
  std::ofstream(folder_) << "a file";
  const auto made = TracerProvider::create(config(kNobody));
  ASSERT_FALSE(made.has_value());
  EXPECT_NE(made.error().message.find(folder_.string()), std::string::npos);
}

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

TEST_F(SpillTest, AFullDiskDropsAndCounts) {
  const SmallDisk disk(folder_);
  if (!disk.mounted()) GTEST_SKIP() << "mounting needs root";
  Config impatient = config(kNobody);
  impatient.timeout_ms = 200;
  const auto tracing = provider(impatient);
  const std::string big(15'000, 'x');
  for (int i = 0; i < 30; ++i) {
    span("big", {.provider = tracing.get()}, {{"text", big}}).end();
    if (i % 3 == 2) EXPECT_TRUE(tracing->force_flush(10'000));
  }
  const Stats stats = tracing->stats();
  EXPECT_GT(stats.spilled, 0U);
  EXPECT_GT(stats.dropped.export_failed, 0U);
  EXPECT_GT(stats.spill.errors, 0U);
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
    if (next_.status == SinkResult::accepted) ++taken_[std::string(batch.request)];
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

TEST_F(SpillTest, WhileTheReceiverIsAwayItIsSpared) {
  const auto receiver = std::make_shared<Receiver>();
  SpillSink sink(receiver, folder(), "desk", 1'000);
  receiver->answer(kAway);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(sink.send({std::to_string(i), 1}, kTimeout).status, SinkResult::kept);
    sink.idle();
  }
  EXPECT_EQ(receiver->offers(), 1);
  EXPECT_EQ(sink.spill()->kept.load(), 50U);
  receiver->answer({});
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (sink.spill()->sent.load() < 50 && std::chrono::steady_clock::now() < end) {
    sink.idle();
    std::this_thread::sleep_for(milliseconds(5));  // its backoff is a time
  }
  EXPECT_EQ(receiver->taken().size(), 50U);
  EXPECT_TRUE(files().empty());
  EXPECT_EQ(sink.send({"next", 1}, kTimeout).status, SinkResult::accepted);
}

TEST_F(SpillTest, WhatTheReceiverRefusesForGoodIsNotKept) {
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

TEST_F(SpillTest, SeveralThatShareAFolderSendEachBatchOnce) {
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

TEST_F(SpillTest, AQueueInFrontOfItKeepsTooAndSaysSo) {
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

TEST_F(SpillTest, TheNextStartSendsWhatThisOneCouldNot) {
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
TEST_F(SpillTest, TheSameProcessSendsWhenTheReceiverIsBack) {
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
TEST_F(SpillTest, AKilledProcessLeavesWholeBatches) {
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
      EXPECT_EQ(testing::spans_of(one->batch().request).size(), one->batch().span_count);
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
