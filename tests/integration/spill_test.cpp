// A service whose collector is away keeps its spans on disk, and the next start of it, after a stop
// or a kill, sends them: nothing is lost and nothing comes twice.

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/integration/system.hpp"

namespace alphaswarm::testing {
namespace {

Variables environment(const std::string& endpoint, const TemporaryFolder& folder) {
  return {{"ALPHASWARM_OTEL_ENDPOINT", endpoint},
          {"ALPHASWARM_OTEL_SPILL_DIR", folder.path().string()},
          {"OTEL_BSP_SCHEDULE_DELAY", "50"}};
}

std::uint64_t batches(const TemporaryFolder& folder) {
  std::uint64_t found = 0;
  for (const auto& each : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (each.path().extension() == ".spill") ++found;
  }
  return found;
}

// Each request is one span of the exchange.
void ask(Http& http, int times) {
  for (int i = 0; i < times; ++i) EXPECT_NE(http.get("/v2/account").status, 0);
}

TEST(Spill, SpansOutliveTheirProcessAndItsCollector) {
  const TemporaryFolder folder;
  const std::string nobody = "http://127.0.0.1:" + std::to_string(free_port());
  std::uint64_t expected = 0;
  {
    ExchangeProcess exchange(environment(nobody, folder));
    Http http(exchange.url());
    ask(http, 7);
    EXPECT_EQ(exchange.process().stop(), 0) << exchange.process().output();
    const TracingTotals totals = tracing_totals(exchange.process().output());
    EXPECT_EQ(totals.spilled, 7U) << exchange.process().output();
    EXPECT_EQ(totals.started, totals.spilled) << exchange.process().output();
    expected += totals.spilled;
  }
  {
    ExchangeProcess exchange(environment(nobody, folder));
    Http http(exchange.url());
    ask(http, 5);
    const std::uint64_t before = batches(folder);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (batches(folder) == before && std::chrono::steady_clock::now() < deadline) {
      ask(http, 1);
    }
    ASSERT_GT(batches(folder), before);
    exchange.process().signal(SIGKILL);
    EXPECT_EQ(exchange.process().wait(), 128 + SIGKILL);
  }
  // What was written when the kill came: the names of the files tell.
  std::uint64_t kept = 0;
  for (const auto& each : std::filesystem::recursive_directory_iterator(folder.path())) {
    const std::string name = each.path().filename().string();
    if (name.ends_with(".spill")) kept += std::stoull(name.substr(38));
  }
  EXPECT_GT(kept, expected);
  CollectorProcess collector;
  ExchangeProcess exchange(environment(collector.url(4317), folder));
  Http http(exchange.url());
  EXPECT_EQ(collector.spans(kept), kept);
  // A batch is taken away after its answer was read.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (batches(folder) != 0 && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(batches(folder), 0U);
  ask(http, 3);
  EXPECT_EQ(exchange.process().stop(), 0);
  const TracingTotals totals = tracing_totals(exchange.process().output());
  EXPECT_EQ(totals.exported, 3U) << exchange.process().output();
  EXPECT_EQ(totals.spilled, 0U);
  EXPECT_EQ(collector.spans(kept + 3), kept + 3);
}

}  // namespace
}  // namespace alphaswarm::testing
