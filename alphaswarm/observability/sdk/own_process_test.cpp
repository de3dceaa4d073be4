// Forking while other threads log and count: the child may do so too, and is not held up by a lock
// whose holder has stayed with the parent.

#include "alphaswarm/observability/sdk/own_process.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "alphaswarm/observability/logs/logger.hpp"
#include "alphaswarm/observability/metrics/meter.hpp"
#include "alphaswarm/observability/sdk/barrier.hpp"

namespace alphaswarm::observability {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

TEST(OwnProcess, IsAnotherInAChild) {
  const sdk::OwnProcess here;
  EXPECT_TRUE(here.is_here());
  const pid_t child = ::fork();
  if (child == 0) ::_exit(!here.is_here() && sdk::OwnProcess().is_here() ? 0 : 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(here.is_here());
}

// How it ended, or nothing if that took too long.
std::optional<int> ended(pid_t child) {
  int status = 0;
  for (const auto until = steady_clock::now() + seconds(10); steady_clock::now() < until;) {
    if (::waitpid(child, &status, WNOHANG) == child) return status;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
  return std::nullopt;
}

TEST(OwnProcess, AChildLogsAndCountsWithoutWaiting) {
  if (sdk::kSanitizedThreads) GTEST_SKIP() << "ThreadSanitizer allows no threads after fork()";
  auto logs = logs::LoggerProvider::create({.receiver = {.endpoint = "http://127.0.0.1:9"}});
  auto metrics = metrics::MeterProvider::create({.max_series = 100'000});
  ASSERT_TRUE(logs.has_value() && metrics.has_value());
  const auto logger = (*logs)->logger("test");
  const auto counter = (*metrics)->meter("test").counter("things");
  std::atomic<bool> stop{false};
  const auto work = [&](std::int64_t i) {
    logger.emit({.severity = logs::Severity::info, .body = "a line"});
    counter.add(1, {{"i", i % 50'000}});
    static_cast<void>((*metrics)->meter("test" + std::to_string(i % 5)).counter("more"));
  };
  std::vector<std::jthread> busy;
  for (int thread = 0; thread < 3; ++thread) {
    busy.emplace_back([&, thread] {
      for (std::int64_t i = thread; !stop.load(); i += 3) work(i);
    });
  }
  for (int i = 0; i < 100 && !HasFailure(); ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (std::int64_t k = 0; k < 5; ++k) work(k);
      ::_exit(0);
    }
    EXPECT_EQ(ended(child), std::optional(0)) << "after " << i;
  }
  stop = true;
}

}  // namespace
}  // namespace alphaswarm::observability
