// What spans may not do to the thread that makes them: allocate, enter the kernel, wait. Shown by
// counting and by a filter of the kernel's, because wall time would measure the scheduler.

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <latch>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/export/test_server_test.hpp"
#include "alphaswarm/observability/sdk/barrier.hpp"
#include "alphaswarm/observability/sdk/chunk_pool.hpp"
#include "alphaswarm/observability/tracing.hpp"

#if ALPHASWARM_OTEL

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

namespace {
thread_local constinit std::uint64_t allocations = 0;  // by this thread
}

#if !SANITIZED
// In front of the C library's: everything of this test binary comes through here, new included.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* malloc(std::size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  ++allocations;
  return __libc_realloc(old, size);
}
}
#endif

namespace alphaswarm::observability {
namespace {

using std::chrono::milliseconds;

// Stops in send() until let go.
class BlockedSink final : public BatchSink {
 public:
  SinkResult send(const Batch&, milliseconds) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return open_; });
    return {};
  }
  void open() {
    const std::scoped_lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

std::unique_ptr<TracerProvider> make(Config config) {
  auto made = TracerProvider::create(std::move(config));
  if (!made) return nullptr;
  (*made)->install_as_default();
  return std::move(*made);
}

// Everything a span can do, with values that overflow its slot now and then.
void use_spans(int count, const std::string& big) {
  for (int i = 0; i < count; ++i) {
    Span outer = span("outer", {{"i", i}, {"symbol", "AAPL"}});
    Span inner = span("inner", {.kind = SpanKind::client}, {{"price", 1.5}, {"ok", true}});
    inner.event("filled", {{"quantity", i}}).link(outer.context(), {{"why", "test"}});
    inner.set("symbol", "MSFT").set("symbol", "longer than before").update_name("renamed");
    if (i % 8 == 0) inner.set("big", big);
    if (i % 3 == 0) inner.error("refused").record_exception("Type", "message");
    set_on_current("last", i);
    inner.end();
    outer.suspend();
  }
}

void expect_exact(TracerProvider& provider) {
  const Stats stats = provider.stats();
  EXPECT_EQ(stats.started, stats.exported + stats.dropped.total() + stats.open);
}

TEST(Host, SpansDoNotAllocate) {
  if (SANITIZED) GTEST_SKIP() << "sanitizers have allocators of their own";
  for (const double ratio : {1.0, 0.0}) {
    const auto provider = make({.sink = std::make_shared<MemorySink>(), .sample_ratio = ratio});
    const std::string big(3'000, 'x');
    use_spans(10, big);
    const std::uint64_t before = allocations;
    use_spans(2'000, big);
    EXPECT_EQ(allocations, before);
    std::free(std::malloc(1));  // NOLINT: shows that the counter counts
    EXPECT_GT(allocations, before);
  }
}

// From here on the calling thread may leave and nothing else: any other system call ends the
// process by SIGSYS. Threads that run already are not concerned.
void forbid_system_calls() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  };
  const sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    ::_exit(3);
  }
}

// How a child ended that did `prepare`, gave up system calls, and then `work`.
template <class Prepare, class Work>
int without_system_calls(Prepare prepare, Work work) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto keep = prepare();
    const std::string big(3'000, 'x');
    use_spans(20, big);
    forbid_system_calls();
    work(big);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

class NoSystemCalls : public ::testing::Test {
 protected:
  void SetUp() override {
    if (SANITIZED) GTEST_SKIP() << "sanitizers make system calls of their own";
  }
};

const auto kUse = [](const std::string& big) { use_spans(3'000, big); };
std::vector<Span>* ending = nullptr;  // of the child

TEST_F(NoSystemCalls, TheFilterSeesThem) {
  const int status =
      without_system_calls([] { return make({}); }, [](const std::string&) { ::getppid(); });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) << status;
}

TEST_F(NoSystemCalls, ExportingNormally) {
  const auto prepare = [] { return make({.sink = std::make_shared<MemorySink>()}); };
  EXPECT_EQ(without_system_calls(prepare, kUse), 0);
}

TEST_F(NoSystemCalls, NotSampled) {
  EXPECT_EQ(without_system_calls([] { return make({.sample_ratio = 0.0}); }, kUse), 0);
}

TEST_F(NoSystemCalls, WithAFullPool) {
  const auto prepare = [] {
    return make({.sink = std::make_shared<BlockedSink>(), .schedule_delay_ms = 0});
  };
  EXPECT_EQ(without_system_calls(prepare,
                                 [](const std::string& big) {
                                   use_spans(100'000, big);
                                   const auto& pool = sdk::chunk_pool();
                                   if (pool.bytes_in_use() < pool.capacity() / 2) ::_exit(4);
                                 }),
            0);
}

TEST_F(NoSystemCalls, WithTheCollectorDown) {
  const auto prepare = [] {
    return make({.endpoint = "http://127.0.0.1:9", .schedule_delay_ms = 0});
  };
  EXPECT_EQ(without_system_calls(prepare, kUse), 0);
}

TEST_F(NoSystemCalls, WithAHalfOpenCollector) {
  testing::Listener listener;  // connections wait in its queue for ever
  const auto prepare = [&] {
    return make({.endpoint = "http://127.0.0.1:" + std::to_string(listener.port()),
                 .schedule_delay_ms = 0});
  };
  EXPECT_EQ(without_system_calls(prepare, kUse), 0);
}

TEST_F(NoSystemCalls, WhateverIsAtTheOtherEnd) {
  testing::Listener babbling;
  std::thread babbler([&] {
    for (int socket = 0; (socket = babbling.accept()) >= 0;) {
      static_cast<void>(::send(socket, "garbage\r\n\r\n", 11, MSG_NOSIGNAL));
      ::close(socket);
    }
  });
  testing::GrpcServer slow(std::deque<testing::GrpcReply>(64, {.delay_ms = 50}));
  const Config table[] = {
      {.endpoint = "http://127.0.0.1:" + std::to_string(babbling.port())},
      {.endpoint = "http://127.0.0.1:" + std::to_string(babbling.port()),
       .protocol = Protocol::http_protobuf},
      {.endpoint = slow.endpoint()},
      {.endpoint = "http://no-such-host.invalid:4317"},
      {.endpoint = "http://127.0.0.1:9", .protocol = Protocol::http_protobuf},
      {.file = "/dev/full"},
      {.file = "/dev/null", .sample_ratio = 0.0, .flight_recorder_bytes = 1U << 20U},
  };
  for (Config config : table) {
    config.schedule_delay_ms = 0;
    SCOPED_TRACE(config.endpoint + config.file);
    EXPECT_EQ(without_system_calls([&] { return make(config); }, kUse), 0);
  }
  babbling.interrupt();
  babbler.join();
}

// One span is ended by a thread that did not start it, the other after its provider was shut down.
TEST_F(NoSystemCalls, EndingWhatOthersStarted) {
  const auto prepare = [] {
    auto provider = make({.sink = std::make_shared<MemorySink>()});
    auto spans = std::make_shared<std::vector<Span>>();
    std::thread([&] {
      for (int i = 0; i < 8; ++i) spans->push_back(span("elsewhere", {{"i", i}}));
    }).join();
    auto gone = make({.sink = std::make_shared<MemorySink>()});
    for (int i = 0; i < 8; ++i) spans->push_back(span("gone", {.provider = gone.get()}));
    static_cast<void>(gone->shutdown(1'000));
    ending = spans.get();
    return std::make_tuple(std::move(gone), std::move(provider), spans);
  };
  EXPECT_EQ(without_system_calls(prepare,
                                 [](const std::string&) {
                                   for (Span& one : *ending) one.end();
                                 }),
            0);
}

// Whatever is at the other end: calls return in time, and every span is accounted for.
void expect_harmless(const std::string& endpoint, Protocol protocol) {
  SCOPED_TRACE(endpoint);
  const auto provider = make({.endpoint = endpoint, .protocol = protocol, .timeout_ms = 300});
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
  const auto provider = make({.endpoint = server.endpoint(), .schedule_delay_ms = 0});
  for (int i = 0; i < 50; ++i) use_spans(20, "");
  EXPECT_TRUE(provider->force_flush(20'000));
  const Stats stats = provider->stats();
  EXPECT_EQ(stats.exported, 2'000U);
  EXPECT_GE(stats.exports.max_seconds, 0.15);
  EXPECT_GE(stats.exports.seconds, stats.exports.max_seconds);
  expect_exact(*provider);
}

TEST(Host, AFullDiskUnderTheFileExporter) {
  const auto provider = make({.timeout_ms = 200, .file = "/dev/full"});
  use_spans(50, "");
  EXPECT_TRUE(provider->force_flush(10'000));
  EXPECT_EQ(provider->stats().dropped.export_failed, 100U);
  expect_exact(*provider);
}

TEST(Host, ANameThatDoesNotResolve) {
  const auto provider = make({.endpoint = "http://no-such-host.invalid:4317", .timeout_ms = 300});
  use_spans(10, "");
  const auto begin = std::chrono::steady_clock::now();
  static_cast<void>(provider->shutdown(500));  // a resolver that hangs is left behind
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(5'000));
  EXPECT_EQ(provider->stats().started, 20U);
  EXPECT_EQ(provider->stats().exported, 0U);
}

TEST(Host, SignalsInterruptNothing) {
  struct sigaction action{};
  action.sa_handler = [](int) {};  // without SA_RESTART: calls return EINTR
  struct sigaction before{};
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  testing::GrpcServer server({});
  const auto provider = make({.endpoint = server.endpoint(), .schedule_delay_ms = 1});
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
  const auto provider = make({.sink = std::make_shared<MemorySink>()});
  for (int wave = 0; wave < kWaves; ++wave) {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 50; ++i) threads.emplace_back([] { use_spans(2, ""); });
  }
  EXPECT_TRUE(provider->force_flush(20'000));
  EXPECT_EQ(provider->stats().started, 200U * kWaves);
  EXPECT_LE(sdk::chunk_pool().bytes_in_use(), sdk::chunk_pool().capacity());
  expect_exact(*provider);
}

TEST(Host, MoreThreadsThanThePoolHolds) {
  constexpr int kThreads = SANITIZED ? 200 : 3'000;
  const auto provider = make({.sink = std::make_shared<MemorySink>()});
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
    ASSERT_EQ(::pthread_create(&thread, &small, run, &all), 0);
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

// Tells the parent how many spans came.
class PipeSink final : public BatchSink {
 public:
  explicit PipeSink(int out) : out_(out) {}
  SinkResult send(const Batch& batch, milliseconds) override {
    const auto count = static_cast<char>(batch.span_count);
    return {.status = ::write(out_, &count, 1) == 1 ? SinkResult::accepted : SinkResult::rejected};
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
        make({.sink = std::make_shared<PipeSink>(ends[1]), .schedule_delay_ms = 60'000});
    static_cast<void>(provider.release());  // NOLINT: nobody shuts it down
    for (int i = 0; i < 7; ++i) span("one of seven").end();
    std::exit(0);
  }
  ::close(ends[1]);
  char count = 0;
  EXPECT_EQ(::read(ends[0], &count, 1), 1);
  EXPECT_EQ(count, 7);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace alphaswarm::observability

#endif
