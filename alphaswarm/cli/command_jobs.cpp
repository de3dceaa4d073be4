// alphaswarm paper run | backtest run | ingest: one job, here and now, without queue or API.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdio>
#include <optional>

#include "alphaswarm/cli/commands.hpp"
#include "alphaswarm/cli/roles.hpp"
#include "alphaswarm/cli/stop_signal.hpp"
#include "alphaswarm/cli/yaml_document.hpp"
#include "alphaswarm/trading/backtest/stored.hpp"
#include "alphaswarm/trading/ingestion/ingest.hpp"
#include "alphaswarm/trading/paper/paper_tasks.hpp"

namespace alphaswarm::cli {
namespace {

namespace json = boost::json;

// ---- paper

struct PaperJob {
  Start start;
  std::unique_ptr<Backbone> backbone;
  Telemetry telemetry;
  instrumentation::TracingHttpClientObserver observer;
};

// Runs the session on a loop of its own while the main thread waits for signals: the first one asks
// it to end in good order.
Result<trading::paper::SessionResult> run_session_here(StopSignal& stop, PaperJob& job,
                                                       json::object document,
                                                       std::string run_name) {
  net::Runtime runtime("paper", 1);
  net::HttpClient http(runtime, {.observer = &job.observer});
  const auto live = LiveVenues::create(job.start.environment, http, &job.observer);
  if (!live) return std::unexpected(live.error());
  auto services =
      session_services(job.start, *job.backbone, http, *live, &job.observer, job.telemetry);
  services.resume_after_worker_stop = false;  // no message brings it to another worker
  std::optional<Result<trading::paper::SessionResult>> result;
  std::atomic<bool> finished{false};
  std::stop_source stopper;
  net::spawn(runtime, stopper,
             [](auto& all, auto text, auto name, auto& out, auto& done) -> net::task<void> {
               out = co_await trading::paper::run_document(all, std::move(text), std::move(name));
               done.store(true, std::memory_order_release);  // partner: the load below
             }(services, std::move(document), std::move(run_name), result, finished));
  while (!finished.load(std::memory_order_acquire)) {
    if (!stop.wait(20)) continue;
    stopper.request_stop();
    ::timespec pause{.tv_sec = 0, .tv_nsec = 5'000'000};
    ::nanosleep(&pause, nullptr);
  }
  runtime.stop();
  return std::move(*result);
}

// ---- backtest

Result<trading::Dataset> dataset_of(const std::filesystem::path& csv) {
  const auto file = trading::read_bars(csv.string(), {});
  if (!file) return std::unexpected(file.error());
  trading::Dataset dataset;
  for (const trading::FileSeries& series : file->series) {
    dataset.interval = series.interval;
    trading::Series& added = dataset.series.emplace_back(series.symbol);
    for (const trading::FileBar& bar : series.bars) added.bars.push_back(bar.bar);
  }
  if (auto done = trading::normalise(dataset); !done) return std::unexpected(done.error());
  return dataset;
}

Result<trading::BacktestResult> backtest_here(const Start& start, const BacktestRunOptions& options,
                                              trading::BacktestConfig config) {
  if (!options.csv.empty()) {
    const auto dataset = dataset_of(options.csv);
    if (!dataset) return std::unexpected(dataset.error());
    return trading::run_backtest(config, *dataset);
  }
  auto telemetry = Telemetry::create(start, "-worker");
  if (!telemetry) return std::unexpected(telemetry.error());
  if (telemetry->provider() != nullptr) telemetry->provider()->install_as_default();
  auto backbone = Backbone::open(start);
  if (!backbone) return std::unexpected(backbone.error());
  auto result = trading::run_stored_backtest(*(*backbone)->database, {.config = std::move(config)});
  telemetry->stop();
  start.signals->stop();  // while the spans can still be counted
  return result;
}

std::string ratio(const std::optional<double>& value) {
  return value ? fmt::format("{:.2f}", *value) : "–";
}

void print_result(const trading::BacktestResult& result) {
  fmt::print(
      "backtest {}\n"
      "  bars          {}\n  orders        {}\n  fills         {}\n"
      "  final equity  {}\n  total return  {:+.2f} %\n  max drawdown  {:.2f} %\n"
      "  Sharpe        {}\n  Sortino       {}\n  data SHA-256  {}\n",
      result.config.run_name, result.bars_count, result.orders.size(), result.fills.size(),
      result.final_equity.value().rounded(2).to_string(), result.metrics.total_return * 100,
      result.metrics.max_drawdown * 100, ratio(result.metrics.sharpe),
      ratio(result.metrics.sortino), result.dataset_hash);
}

// ---- ingest

Result<trading::IngestOptions> ingest_options(const IngestOptions& given) {
  trading::IngestOptions options;
  options.glob = given.glob;
  options.file.symbol = given.symbol;
  const auto zone = trading::parse_zone(given.tz);
  if (!zone) return std::unexpected(zone.error());
  options.file.zone = *zone;
  if (!given.interval.empty()) {
    const auto interval = trading::parse_interval(given.interval);
    if (!interval) return std::unexpected(interval.error());
    options.file.interval = *interval;
  }
  for (const std::string& column : given.columns) {
    const std::size_t equals = column.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(ErrorCode::invalid_argument,
                  "--column " + column + " is not FIELD=COLUMN, e.g. close=\"Last Price\"");
    }
    options.file.column_map[column.substr(0, equals)] = column.substr(equals + 1);
  }
  return options;
}

void print_report(const trading::IngestReport& report) {
  fmt::print("{}\n", report.path);
  for (const trading::IngestedSymbol& symbol : report.symbols) {
    fmt::print("  {} {}: {} bars ({} new, {} updated, {} unchanged)\n", symbol.symbol.text(),
               trading::to_string(symbol.interval), symbol.bars, symbol.inserted, symbol.updated,
               symbol.unchanged);
  }
  for (const std::string& note : report.notes) fmt::print("  note: {}\n", note);
  for (const trading::RejectedRow& row : report.rejected) {
    fmt::print("  rejected line {}: {}\n", row.line, row.reason);
  }
  const auto shown = static_cast<std::int64_t>(report.rejected.size());
  if (report.rows_rejected > shown) {
    fmt::print("  and {} rejected lines more\n", report.rows_rejected - shown);
  }
}

}  // namespace

int run_paper(const config::Environment& environment, const PaperRunOptions& options) {
  StopSignal stop;
  auto document = load_yaml(options.config);
  if (!document) return failed(document.error().message);
  const auto settings = read_settings(environment, {.data_dir = options.data_dir});
  if (!settings) return failed(settings.error().message);
  auto signals = Signals::start(environment, "-paper-trader");
  if (!signals) return failed(signals.error().message);
  const Start start{environment, *settings, nullptr, signals->get()};
  auto telemetry = Telemetry::create(start, "-paper-trader");
  if (!telemetry) return failed(telemetry.error().message);
  auto backbone = Backbone::open(start);
  if (!backbone) return failed(backbone.error().message);
  PaperJob job{start, std::move(*backbone), std::move(*telemetry),
               instrumentation::TracingHttpClientObserver()};
  const auto result = run_session_here(stop, job, std::move(*document), options.run_name);
  job.telemetry.stop();
  (*signals)->stop();
  if (!result) return failed(result.error().message);
  fmt::print("{}\n", json::serialize(trading::paper::to_json(*result)));
  return 0;
}

int run_backtest(const config::Environment& environment, const BacktestRunOptions& options) {
  const auto document = load_yaml(options.config);
  if (!document) return failed(document.error().message);
  auto config = trading::parse_backtest_config(*document);
  if (!config) return failed(options.config.string() + ": " + config.error().message);
  if (!options.run_name.empty()) config->run_name = options.run_name;
  const auto settings = read_settings(environment, {.data_dir = options.data_dir});
  if (!settings) return failed(settings.error().message);
  auto signals = Signals::start(environment, "-worker");
  if (!signals) return failed(signals.error().message);
  const auto result =
      backtest_here({environment, *settings, nullptr, signals->get()}, options, std::move(*config));
  if (!result) return failed(result.error().message);
  if (options.json) {
    fmt::print("{}\n", json::serialize(trading::to_json(*result, true)));
  } else {
    print_result(*result);
  }
  return 0;
}

int run_ingest(const config::Environment& environment, const IngestOptions& options) {
  const auto wanted = ingest_options(options);
  if (!wanted) return failed(wanted.error().message);
  const auto files = trading::files_to_ingest(options.path.string(), *wanted);
  if (!files) return failed(files.error().message);
  const auto settings = read_settings(environment, {.data_dir = options.data_dir});
  if (!settings) return failed(settings.error().message);
  auto signals = Signals::start(environment, "-worker");
  if (!signals) return failed(signals.error().message);
  const Start start{environment, *settings, nullptr, signals->get()};
  auto telemetry = Telemetry::create(start, "-worker");
  if (!telemetry) return failed(telemetry.error().message);
  if (telemetry->provider() != nullptr) telemetry->provider()->install_as_default();
  auto backbone = Backbone::open(start);
  if (!backbone) return failed(backbone.error().message);
  int unusable = 0;
  for (const std::string& path : *files) {
    const auto report = trading::ingest_file(*(*backbone)->database, path, *wanted);
    if (report) {
      print_report(*report);
    } else {
      ++unusable;
      static_cast<void>(failed(path + ": " + report.error().message));
    }
  }
  telemetry->stop();
  (*signals)->stop();
  return unusable == 0 ? 0 : 1;
}

}  // namespace alphaswarm::cli
