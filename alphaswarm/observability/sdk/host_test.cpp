// Whatever is at the other end, and whatever threads and signals do, the host is not harmed: calls
// return in time, and every span is accounted for. What a span does to its own thread:
// own_thread_test.cpp.

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <latch>
#include <thread>
#include <vector>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/export/test_server_test.hpp"
#include "alphaswarm/observability/sdk/barrier.hpp"
#include "alphaswarm/observability/sdk/chunk_pool.hpp"
#include "alphaswarm/observability/sdk/host_fixture_test.hpp"
#include "alphaswarm/observability/sdk/test_support_test.hpp"
#include "alphaswarm/observability/tracing.hpp"

#if ALPHASWARM_OTEL

namespace alphaswarm::observability {
namespace {

using std::chrono::milliseconds;
using testing::BlockedSink;
using testing::expect_exact;
using testing::make_default;
using testing::use_spans;

// Whatever is at the other end: calls return in time, and every span is accounted for.
void expect_harmless(const std::string& endpoint, Protocol protocol) {
  SCOPED_TRACE(endpoint);
  const auto provider =
      make_default({.endpoint = endpoint, .protocol = protocol, .timeout_ms = 300});
  const std::string big(3'000, 'x');
  use_spans(50, big);
  static_cast<void>(provider->force_flush(500));
  use_spans(50, big);
  const auto begin = std::chrono::steady_clock::now();
  static_cast<void>(provider->shutdown(500));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(5'000));
  EXPECT_EQ(provider->stats().started, 200U);
  EXPECT_EQ(provider->stats().exported, 0U);
  expect_exact(*provider);
}

TEST(Host, ReceiversThatFail) {
  for (const Protocol protocol : {Protocol::grpc, Protocol::http_protobuf}) {
    expect_harmless("http://127.0.0.1:9", protocol);
    testing::Listener silent;
    expect_harmless("http://127.0.0.1:" + std::to_string(silent.port()), protocol);
    testing::Listener babbling;
    std::thread babbler([&] {
      for (int socket = 0; (socket = babbling.accept()) >= 0;) {
        constexpr std::string_view kGarbage = "\x7f\x00garbage HTTP/9.9 -1 ?\r\n\r\n\xff\xff";
        static_cast<void>(::send(socket, kGarbage.data(), kGarbage.size(), MSG_NOSIGNAL));
        ::close(socket);
      }
    });
    expect_harmless("http://127.0.0.1:" + std::to_string(babbling.port()), protocol);
    babbling.interrupt();
    babbler.join();
  }
}

TEST(Host, ASlowReceiverGetsAll) {
  testing::GrpcServer server(std::deque<testing::GrpcReply>(4, {.delay_ms = 150}));
  const auto provider = make_default({.endpoint = server.endpoint(), .schedule_delay_ms = 0});
  for (int i = 0; i < 50; ++i) use_spans(20, "");
  EXPECT_TRUE(provider->force_flush(20'000));
  const Stats stats = provider->stats();
  EXPECT_EQ(stats.exported, 2'000U);
  EXPECT_GE(stats.exports.max_seconds, 0.15);
  EXPECT_GE(stats.exports.seconds, stats.exports.max_seconds);
  expect_exact(*provider);
}

TEST(Host, AFullDiskUnderTheFileExporter) {
  const auto provider = make_default({.timeout_ms = 200, .file = "/dev/full"});
  use_spans(50, "");
  EXPECT_TRUE(provider->force_flush(10'000));
  EXPECT_EQ(provider->stats().dropped.export_failed, 100U);
  expect_exact(*provider);
}

TEST(Host, ANameThatDoesNotResolve) {
  const auto provider =
      make_default({.endpoint = "http://no-such-host.invalid:4317", .timeout_ms = 300});
  use_spans(10, "");
  const auto begin = std::chrono::steady_clock::now();
  static_cast<void>(provider->shutdown(500));  // a resolver that hangs is left behind
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(5'000));
  EXPECT_EQ(provider->stats().started, 20U);
  EXPECT_EQ(provider->stats().exported, 0U);
  expect_exact(*provider);
}

std::size_t resident_bytes() {
  std::ifstream status("/proc/self/statm");
  std::size_t pages = 0;
  status >> pages >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// What a spell without a receiver takes is bounded, and taken once: a longer one takes no more.
void expect_no_growth(Config config) {
  const auto provider = make_default(std::move(config));
  const std::string big(3'000, 'x');
  use_spans(100'000, big);
  const std::size_t before = resident_bytes();
  use_spans(500'000, big);  // a million spans
  const std::size_t after = resident_bytes();
  EXPECT_LT(after, before + (1U << 20U)) << after - before;
  EXPECT_GT(provider->stats().dropped.no_chunk, 0U);
}

// A shutdown that was too short leaves its thread behind, which gives all of it back at last.
void wait_for_room() {
  const sdk::ChunkPool& pool = sdk::chunk_pool();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (pool.bytes_in_use() > pool.capacity() / 8 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(milliseconds(5));
  }
  EXPECT_LE(pool.bytes_in_use(), pool.capacity() / 8);
}

TEST(Host, NothingGrowsWhereNothingIsTaken) {
  if (SANITIZED) GTEST_SKIP() << "sanitizers keep what is freed";
  expect_no_growth({.endpoint = "http://127.0.0.1:9", .shutdown_timeout_ms = 100});
  testing::Listener silent;
  expect_no_growth({.endpoint = "http://127.0.0.1:" + std::to_string(silent.port()),
                    .shutdown_timeout_ms = 100});
  const auto sink = std::make_shared<BlockedSink>();
  expect_no_growth({.sink = sink, .shutdown_timeout_ms = 100});
  sink->open();
  wait_for_room();
}

TEST(Host, SignalsInterruptNothing) {
  struct sigaction action{};
  action.sa_handler = [](int) {};  // without SA_RESTART: calls return EINTR
  struct sigaction before{};
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  testing::GrpcServer server({});
  const auto provider = make_default({.endpoint = server.endpoint(), .schedule_delay_ms = 1});
  std::atomic<bool> stop{false};
  std::jthread sender([&] {
    while (!stop.load(std::memory_order_relaxed)) {
      ::kill(::getpid(), SIGUSR1);
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  });
  for (int i = 0; i < 20; ++i) {
    use_spans(200, "");
    EXPECT_TRUE(provider->force_flush(10'000));
  }
  stop.store(true, std::memory_order_relaxed);
  sender.join();
  EXPECT_EQ(provider->stats().exported, 8'000U);
  expect_exact(*provider);
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST(Host, TenThousandThreadsComeAndGo) {
  constexpr int kWaves = SANITIZED ? 10 : 200;
  const auto provider = make_default({.sink = std::make_shared<MemorySink>()});
  for (int wave = 0; wave < kWaves; ++wave) {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 50; ++i) threads.emplace_back([] { use_spans(2, ""); });
  }
  EXPECT_TRUE(provider->force_flush(20'000));
  EXPECT_EQ(provider->stats().started, 200U * kWaves);
  EXPECT_LE(sdk::chunk_pool().bytes_in_use(), sdk::chunk_pool().capacity());
  expect_exact(*provider);
}

TEST(Host, TenThousandThreadsAreThereAtOnce) {
  constexpr int kThreads = SANITIZED ? 200 : 10'000;
  const auto provider = make_default({.sink = std::make_shared<MemorySink>()});
  std::latch all(kThreads + 1);
  std::vector<pthread_t> threads(kThreads);
  pthread_attr_t small{};
  ::pthread_attr_init(&small);
  ::pthread_attr_setstacksize(&small, SANITIZED ? 1U << 20U : 64U << 10U);
  const auto run = [](void* latch) -> void* {
    use_spans(1, "");
    static_cast<std::latch*>(latch)->arrive_and_wait();  // all of them alive at once
    return nullptr;
  };
  for (pthread_t& thread : threads) {
    ASSERT_EQ(::pthread_create(&thread, &small, run, &all), 0) << "so many threads are not allowed";
  }
  all.arrive_and_wait();
  EXPECT_LE(sdk::chunk_pool().bytes_in_use(), sdk::chunk_pool().capacity());
  for (const pthread_t thread : threads) ::pthread_join(thread, nullptr);
  ::pthread_attr_destroy(&small);
  EXPECT_TRUE(provider->force_flush(20'000));
  EXPECT_EQ(provider->stats().started, 2U * kThreads);
  if (!SANITIZED) {
    EXPECT_GT(provider->stats().dropped.total(), 0U);
  }
  expect_exact(*provider);
}

// Tells the parent how many spans came, and how many of them were open.
class PipeSink final : public BatchSink {
 public:
  explicit PipeSink(int out) : out_(out) {}
  SinkResult send(const Batch& batch, milliseconds) override {
    int open = 0;
    for (const auto& each : testing::spans_of(batch.request.joined())) {
      open += testing::attributes_of(each, 9).contains("alphaswarm.span.open") ? 1 : 0;
    }
    const char told[] = {static_cast<char>(batch.span_count), static_cast<char>(open)};
    return {.status = ::write(out_, told, 2) == 2 ? SinkResult::accepted : SinkResult::rejected};
  }

 private:
  int out_;
};

TEST(Host, ALastFlushAtExitNeedsNoHandle) {
  if (SANITIZED) GTEST_SKIP() << "a child of theirs that exits looks for leaks or starts no thread";
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto provider =
        make_default({.sink = std::make_shared<PipeSink>(ends[1]), .schedule_delay_ms = 60'000});
    static_cast<void>(provider.release());  // NOLINT: nobody shuts it down
    for (int i = 0; i < 7; ++i) span("one of seven").end();
    Span open = span("open");
    Span inner = span("open too");
    std::exit(0);
  }
  ::close(ends[1]);
  int spans = 0;
  int open = 0;
  for (char told[2]; ::read(ends[0], told, 2) == 2;) {  // one batch or several
    spans += told[0];
    open += told[1];
  }
  EXPECT_EQ(spans, 9);
  EXPECT_EQ(open, 2);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace alphaswarm::observability

#endif
