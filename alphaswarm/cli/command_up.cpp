// alphaswarm up: the whole system in one process, and the demo.

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <thread>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/base/thread.hpp"
#include "alphaswarm/cli/backend.hpp"
#include "alphaswarm/cli/commands.hpp"
#include "alphaswarm/cli/demo.hpp"
#include "alphaswarm/cli/roles.hpp"
#include "alphaswarm/cli/stop_signal.hpp"
#include "alphaswarm/query/tree.hpp"

namespace alphaswarm::cli {
namespace {

// Everything, in the order it is started; stop() goes the other way.
struct Everything {
  std::unique_ptr<Backend> backend;
  std::unique_ptr<Backbone> backbone;
  std::unique_ptr<ExchangeRole> exchange;
  std::unique_ptr<WorkerRole> worker;
  std::unique_ptr<ApiRole> api;

  void stop() {
    // No new work, then the work itself, then what it needs; the backend last, since all others
    // still send it their spans.
    if (api) api->stop_serving();
    if (worker) worker->stop();
    if (api) api->stop();
    if (exchange) exchange->stop();
    if (backend) backend->stop();
  }
};

Result<void> start_all(const Start& base, const BackendConfig& backend_config, Everything& all) {
  auto backend = Backend::start(base.settings, backend_config);
  if (!backend) return std::unexpected(backend.error());
  all.backend = std::move(*backend);
  const Start start{base.environment, base.settings, all.backend->sink(), base.signals};
  auto backbone = Backbone::open(start);
  if (!backbone) return std::unexpected(backbone.error());
  all.backbone = std::move(*backbone);
  auto exchange = ExchangeRole::start(start);
  if (!exchange) return std::unexpected(exchange.error());
  all.exchange = std::move(*exchange);
  auto worker = WorkerRole::start(start, *all.backbone, {});
  if (!worker) return std::unexpected(worker.error());
  all.worker = std::move(*worker);
  auto api = ApiRole::start(start, *all.backbone);
  if (!api) return std::unexpected(api.error());
  all.api = std::move(*api);
  return {};
}

void print_places(const Everything& all) {
  fmt::print(
      "\nready\n"
      "  dashboard   {0}/dash\n"
      "  traces      {1}\n"
      "  API         {0}/docs\n"
      "  exchange    {2}\n"
      "  OTLP        {3}\n"
      "  metrics     {4}\n\n",
      all.api->url(), all.backend->query_url(), all.exchange->url(), all.backend->otlp_urls(),
      all.backend->metrics_url());
  std::fflush(stdout);
}

void print_summary(const std::vector<DemoRun>& runs, const Everything& all) {
  fmt::print("\n  {:<10} {:<32} {:>9}  {:>10}  {}\n", "run", "trace", "spans", "duration",
             "result");
  for (const DemoRun& run : runs) {
    const std::uint64_t spans = all.backend->spans_of(run.trace_id);
    fmt::print("  {:<10} {:<32} {:>9}  {:>10}  {}\n", run.title, run.trace_id,
               query::grouped(spans),
               query::short_duration(static_cast<std::uint64_t>(run.duration_ns)), run.result);
  }
  for (const DemoRun& run : runs) {
    if (run.title == "paper" && !run.trace_id.empty()) {
      fmt::print("\n  the session as one trace: {}/trace/{}\n", all.backend->query_url(),
                 run.trace_id);
    }
  }
  std::fflush(stdout);
}

// Commands that work as they stand, against this very system.
void print_commands(const Everything& all, const std::vector<DemoRun>& runs) {
  const std::string trace = runs.empty() ? "<trace id>" : runs.back().trace_id;
  fmt::print(
      R"(
your own data (copy, put in your file and symbol):

  curl -s {0}/data/ingest -d '{{"path": "/path/to/MYSTOCK.csv", "format": "csv"}}'
  curl -s {0}/backtest/run -d '{{"config": {{"session": {{"universe": ["MYSTOCK.LOCAL"]}}, "strategy": {{"name": "mean_reversion"}}}}}}'
  curl -s {0}/paper/start -d '{{"config": {{"session": {{"universe": ["MYSTOCK.LOCAL"]}}, "strategy": {{"name": "mean_reversion"}}}}}}'

  build/release/bin/alphaswarm trace list --url {1}
  build/release/bin/alphaswarm trace tree {2} --url {1}

)",
      all.api->url(), all.backend->query_url(), trace);
  std::fflush(stdout);
}

// Runs the demo beside the main thread, which waits for a signal or the demo's end.
std::vector<DemoRun> demo_until(StopSignal& stop, const DemoConfig& config) {
  net::Runtime runtime("demo", 1);
  std::vector<DemoRun> runs;
  std::atomic<bool> finished{false};
  {
    const std::jthread thread = start_thread("demo", [&](const std::stop_token&) {
      try {
        runs = net::block_on(runtime, run_demo(runtime, config));
      } catch (const std::exception& error) {
        log_error("demo", error.what());
      }
      finished.store(true, std::memory_order_release);  // partner: the load below
    });
    while (!finished.load(std::memory_order_acquire) && !stop.wait(20)) {
    }
    if (stop.arrived()) runtime.stop();
  }
  return runs;
}

}  // namespace

int run_up(const config::Environment& environment, const UpOptions& options) {
  StopSignal stop;
  const auto settings = read_settings(
      environment, {.data_dir = options.data_dir, .port_offset = options.port_offset});
  if (!settings) return failed(settings.error().message);
  auto signals = Signals::start(environment, "");
  if (!signals) return failed(signals.error().message);
  Everything all;
  const Start start{environment, *settings, nullptr, signals->get()};
  const BackendConfig backend{.port_offset = options.port_offset, .config_file = {}};
  if (auto started = start_all(start, backend, all); !started) {
    all.stop();
    return failed(started.error().message +
                  (started.error().code == ErrorCode::unavailable
                       ? ". Stop what uses it, or move every port: --port-offset 1000 "
                         "(make up PORT_OFFSET=1000)"
                       : ""));
  }
  print_places(all);
  bool ok = true;
  if (options.demo) {
    if (options.market_data.empty()) {
      fmt::print("no demo: --market-data names no folder of CSV files\n");
    } else {
      const auto runs =
          demo_until(stop, {all.api->url(), std::filesystem::absolute(options.market_data)});
      ok = runs.size() == 3 && runs.back().ok;
      if (!stop.arrived()) {
        all.backend->settle();
        print_summary(runs, all);
        if (!options.once) print_commands(all, runs);
      }
    }
  }
  if (!options.once && !stop.arrived()) {
    fmt::print("running; Ctrl-C stops it\n");
    std::fflush(stdout);
    static_cast<void>(stop.wait());
  }
  all.stop();
  (*signals)->stop();  // while what it observes is still there
  return ok || stop.arrived() ? 0 : 1;
}

}  // namespace alphaswarm::cli
