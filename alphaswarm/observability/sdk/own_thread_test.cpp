// What spans may not do to the thread that makes them: allocate, or enter the kernel. Shown by
// counting and by a filter of the kernel's, because wall time would measure the scheduler.

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/export/test_server_test.hpp"
#include "alphaswarm/observability/sdk/chunk_pool.hpp"
#include "alphaswarm/observability/sdk/host_fixture_test.hpp"
#include "alphaswarm/observability/tracing.hpp"

#if ALPHASWARM_OTEL

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

using testing::BlockedSink;
using testing::make_default;
using testing::use_spans;

TEST(OwnThread, SpansDoNotAllocate) {
  if (SANITIZED) GTEST_SKIP() << "sanitizers have allocators of their own";
  for (const double ratio : {1.0, 0.0}) {
    const auto provider =
        make_default({.sink = std::make_shared<MemorySink>(), .sample_ratio = ratio});
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
  const int status = without_system_calls([] { return make_default({}); },
                                          [](const std::string&) { ::getppid(); });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) << status;
}

TEST_F(NoSystemCalls, ExportingNormally) {
  const auto prepare = [] { return make_default({.sink = std::make_shared<MemorySink>()}); };
  EXPECT_EQ(without_system_calls(prepare, kUse), 0);
}

TEST_F(NoSystemCalls, NotSampled) {
  EXPECT_EQ(without_system_calls([] { return make_default({.sample_ratio = 0.0}); }, kUse), 0);
}

TEST_F(NoSystemCalls, WithAFullPool) {
  const auto prepare = [] {
    return make_default({.sink = std::make_shared<BlockedSink>(), .schedule_delay_ms = 0});
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
    return make_default({.endpoint = "http://127.0.0.1:9", .schedule_delay_ms = 0});
  };
  EXPECT_EQ(without_system_calls(prepare, kUse), 0);
}

TEST_F(NoSystemCalls, WithAHalfOpenCollector) {
  testing::Listener listener;  // connections wait in its queue for ever
  const auto prepare = [&] {
    return make_default({.endpoint = "http://127.0.0.1:" + std::to_string(listener.port()),
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
    EXPECT_EQ(without_system_calls([&] { return make_default(config); }, kUse), 0);
  }
  babbling.interrupt();
  babbler.join();
}

// One span is ended by a thread that did not start it, the other after its provider was shut down.
TEST_F(NoSystemCalls, EndingWhatOthersStarted) {
  const auto prepare = [] {
    auto provider = make_default({.sink = std::make_shared<MemorySink>()});
    auto spans = std::make_shared<std::vector<Span>>();
    std::thread([&] {
      for (int i = 0; i < 8; ++i) spans->push_back(span("elsewhere", {{"i", i}}));
    }).join();
    auto gone = make_default({.sink = std::make_shared<MemorySink>()});
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

}  // namespace
}  // namespace alphaswarm::observability

#endif
