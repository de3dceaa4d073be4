#pragma once

// The subcommands, each with the options main.cpp reads for it. Each returns the exit code of the
// process: 0 done, 1 failed (one sentence on standard error says what and where), 2 wrong usage.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "alphaswarm/config/environment.hpp"

namespace alphaswarm::cli {

struct UpOptions {
  bool once = false;                  // run the demo, print the summary, stop
  bool demo = true;                   // run the demo at all
  int port_offset = 0;                // added to every port
  std::filesystem::path data_dir;     // empty: the setting
  std::filesystem::path market_data;  // folder with aapl.csv and sp500-2000.csv, for the demo
};
int run_up(const config::Environment& environment, const UpOptions& options);

struct ServiceOptions {
  int port = 0;                     // 0: the setting
  std::vector<std::string> queues;  // worker only; empty: all
  std::filesystem::path data_dir;
};
int run_api(const config::Environment& environment, const ServiceOptions& options);
int run_worker(const config::Environment& environment, const ServiceOptions& options);
int run_exchange(const config::Environment& environment, const ServiceOptions& options);

struct PaperRunOptions {
  std::filesystem::path config;  // YAML
  std::string run_name;
  std::filesystem::path data_dir;
};
int run_paper(const config::Environment& environment, const PaperRunOptions& options);

struct BacktestRunOptions {
  std::filesystem::path config;  // YAML
  std::string run_name;
  std::filesystem::path data_dir;
  std::filesystem::path csv;  // bars of this file instead of the database's; stores nothing
  bool json = false;          // the whole result as one JSON object on standard output
};
int run_backtest(const config::Environment& environment, const BacktestRunOptions& options);

struct IngestOptions {
  std::filesystem::path path;  // a file or a folder
  std::string symbol;          // for files without a symbol column
  std::string glob = "*.csv";
  std::string tz = "UTC";
  std::vector<std::string> columns;  // "close=Last Price"
  std::string interval;
  std::filesystem::path data_dir;
};
int run_ingest(const config::Environment& environment, const IngestOptions& options);

struct CollectorOptions {
  std::filesystem::path config;  // YAML; empty: the embedded profile
  int port_offset = 0;
  std::filesystem::path data_dir;
};
int run_collector(const config::Environment& environment, const CollectorOptions& options);

struct TraceOptions {
  std::string url;  // of a query server: ours or a Jaeger
  std::string id;
  std::string service;
  std::string operation;
  int limit = 20;
  bool all = false;           // tree: fold nothing
  bool no_durations = false;  // tree: only what does not depend on the clock
};
int run_trace_list(const TraceOptions& options);
int run_trace_get(const TraceOptions& options);
int run_trace_tree(const TraceOptions& options);

struct DoctorOptions {
  std::string query;    // query server where the test span must arrive; empty: the trace pages' URL
  std::string metrics;  // page with a service's counters; empty: the API's
  std::vector<std::string> reach;  // only whether these URLs answer: for health checks
  bool json = false;
  std::filesystem::path data_dir;
};
int run_doctor(const config::Environment& environment, const DoctorOptions& options);

int run_settings(const config::Environment& environment, bool markdown);

// "error: <message>" on standard error; 1.
int failed(std::string_view message);

}  // namespace alphaswarm::cli
