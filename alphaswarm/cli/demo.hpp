#pragma once

// The main job of `alphaswarm up`: ingest → backtest → paper session on real market data, through
// the service's own HTTP API, as any client would.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/net/runtime.hpp"

namespace alphaswarm::cli {

struct DemoConfig {
  std::string api_url;                // "http://127.0.0.1:8000"
  std::filesystem::path market_data;  // absolute
};

// What became of one job.
struct DemoRun {
  std::string title;     // "ingest", "backtest", "paper"
  std::string trace_id;  // 32 hex digits, empty if not traced
  std::int64_t duration_ns = 0;
  std::string result;  // "completed: …"
  bool ok = false;
};

// Runs the jobs one after the other and shows the progress of each on standard output. Stops early,
// with what is done so far, when one fails or the calling task is asked to stop.
net::task<std::vector<DemoRun>> run_demo(net::Runtime& runtime, DemoConfig config);

}  // namespace alphaswarm::cli
