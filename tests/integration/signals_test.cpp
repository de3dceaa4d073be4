// Metrics and logs are started in the commands that do one job, and in the collector, too.

#include <gtest/gtest.h>

#include <fstream>

#include "tests/integration/system.hpp"

namespace alphaswarm::testing {
namespace {

constexpr std::string_view kRefused = "cannot be exported";  // our collector takes spans only

bool says(const std::string& output, std::string_view text) {
  return output.find(text) != std::string::npos;
}

TEST(Signals, JobsExportTheirsBeforeTheyEnd) {
  const TemporaryFolder folder;
  {
    std::ofstream bars(folder.path() / "test.csv");
    bars << "timestamp,open,high,low,close,volume\n";
    for (int day = 1; day <= 28; ++day) {
      bars << "2024-02-" << (day < 10 ? "0" : "") << day << ",10,11,9,10,100\n";
    }
  }
  std::ofstream(folder.path() / "test.yaml")
      << "session: {universe: [TEST.LOCAL]}\n"
         "strategy: {name: mean_reversion, params: {lookback: 5, z_threshold: 1.0}}\n";
  CollectorProcess collector;
  const std::string spans =
      "metric alphaswarm.sdk alphaswarm.sdk.spans.exported "
      "{service.name=alphaswarm-worker} ";
  const std::vector<std::vector<std::string>> jobs = {
      {"ingest", "test.csv", "--symbol", "TEST.LOCAL", "--data-dir", "data"},
      {"backtest", "run", "--config", "test.yaml", "--data-dir", "data"},
  };
  for (const auto& job : jobs) {
    const Outcome outcome = run_alphaswarm(job, folder.path(),
                                           {{"ALPHASWARM_OTEL_ENDPOINT", collector.url(4317)},
                                            {"OTEL_METRICS_EXPORTER", "console"},
                                            {"OTEL_LOGS_EXPORTER", "otlp"}});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
    EXPECT_TRUE(says(outcome.output, "process.cpu.time")) << outcome.output;
    EXPECT_TRUE(says(outcome.output, spans)) << "not while its spans are counted\n"
                                             << outcome.output;
    EXPECT_FALSE(says(outcome.output, spans + "0 ")) << outcome.output;
    EXPECT_TRUE(says(outcome.output, "logs: " + std::string(kRefused))) << outcome.output;
  }
  // Bars from a file: no spans, but a process with metrics.
  const Outcome file =
      run_alphaswarm({"backtest", "run", "--config", "test.yaml", "--csv", "test.csv"},
                     folder.path(), {{"OTEL_METRICS_EXPORTER", "console"}});
  EXPECT_TRUE(says(file.output, "process.cpu.time")) << file.output;
  // Not asked for: nothing.
  const Outcome plain = run_alphaswarm(jobs[0], folder.path());
  EXPECT_FALSE(says(plain.output, "process.cpu.time")) << plain.output;
}

TEST(Signals, TheCollectorSendsItsOwnOnlyWhereTheyAreMeantToGo) {
  CollectorProcess other;
  const Variables asked = {{"OTEL_METRICS_EXPORTER", "otlp"},
                           {"OTEL_LOGS_EXPORTER", "otlp"},
                           {"OTEL_METRIC_EXPORT_INTERVAL", "50"}};
  {
    Variables general = asked;
    general["ALPHASWARM_OTEL_ENDPOINT"] = other.url(4317);
    general["OTEL_EXPORTER_OTLP_ENDPOINT"] = other.url(4317);
    CollectorProcess collector(general);
    EXPECT_EQ(collector.process().stop(), 0);
    const std::string& output = collector.process().output();
    EXPECT_FALSE(says(output, kRefused)) << output;
    for (const char* variable :
         {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"}) {
      EXPECT_TRUE(says(output, std::string(variable) + " is not set")) << output;
    }
  }
  Variables named = asked;
  named["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"] = other.url(4317);
  CollectorProcess collector(named);
  EXPECT_TRUE(collector.process().wait_for_output("metrics: " + std::string(kRefused)))
      << collector.process().output();
  EXPECT_EQ(collector.process().stop(), 0);
}

}  // namespace
}  // namespace alphaswarm::testing
