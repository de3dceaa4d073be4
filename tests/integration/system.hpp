#pragma once

// A running `alphaswarm up` (or collector, exchange) of a test, and what tests do with it.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/support/http.hpp"
#include "tests/support/process.hpp"

namespace alphaswarm::testing {

using Variables = std::map<std::string, std::string>;

// `alphaswarm <arguments>`, to its end; what it printed and its exit code.
struct Outcome {
  int exit_code = -1;
  std::string output;
};
[[nodiscard]] Outcome run_alphaswarm(std::vector<std::string> arguments,
                                     const std::filesystem::path& cwd,
                                     const Variables& environment = {});

// `bars` made-up daily bars as a CSV file, the same every time: a wave with a trend, which a mean
// reversion strategy trades.
void write_bars(const std::filesystem::path& path, int bars);

// What tests do over the HTTP API, wherever its parts run.
class TradingApi {
 public:
  explicit TradingApi(std::string url) : api_url_(std::move(url)), api_(api_url_) {}

  [[nodiscard]] const std::string& api_url() const noexcept { return api_url_; }
  [[nodiscard]] Http& api() noexcept { return api_; }
  // Ingests `bars` bars of write_bars as TEST.LOCAL.
  void ingest(int bars);
  // POST /paper/start; the reply's body, with "trace_id".
  boost::json::object start_paper(const std::string& run_name, const boost::json::object& feed);
  // Waits for the end of a started session; the row of GET /paper/runs/{id}.
  boost::json::object finish_paper(const boost::json::object& accepted);
  // Both, at full speed.
  boost::json::object run_paper(const std::string& run_name) {
    return finish_paper(start_paper(run_name, {{"kind", "replay"}}));
  }
  // Waits until the session has seen `bars` bars; its row then.
  boost::json::object wait_for_bars(const boost::json::object& accepted, int bars);

 private:
  TemporaryFolder files_;
  std::string api_url_;
  Http api_;
};

// `alphaswarm up --no-demo` in a folder and on ports of its own; ready when constructed.
class System : public TradingApi {
 public:
  explicit System(const Variables& environment = {},
                  std::vector<std::string> more_arguments = {"--no-demo"});

  [[nodiscard]] std::string trace_url() const { return url(16686); }
  [[nodiscard]] std::string url(int port) const;
  [[nodiscard]] Http& traces() noexcept { return traces_; }
  [[nodiscard]] Process& process() noexcept { return *process_; }
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_.path(); }

 private:
  System(int offset, const Variables& environment, std::vector<std::string> more_arguments);
  TemporaryFolder folder_;
  int offset_;
  std::unique_ptr<Process> process_;
  Http traces_;
};

// `alphaswarm collector`, in a folder and on ports of its own; ready when constructed.
class CollectorProcess {
 public:
  explicit CollectorProcess(const Variables& environment = {});
  [[nodiscard]] std::string url(int port) const;
  // Spans in its store; waits for `expected`, which its batch processor may still hold.
  [[nodiscard]] std::uint64_t spans(std::uint64_t expected);
  [[nodiscard]] Process& process() noexcept { return process_; }
  [[nodiscard]] Http& traces() noexcept { return traces_; }
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_.path(); }

 private:
  TemporaryFolder folder_;
  int offset_;
  Process process_;
  Http traces_;
};

// `alphaswarm exchange`, likewise.
class ExchangeProcess {
 public:
  explicit ExchangeProcess(const Variables& environment);
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] Process& process() noexcept { return process_; }

 private:
  TemporaryFolder folder_;
  int port_;
  Process process_;
};

// The lines "tracing: <service> started=… exported=… dropped=… open=…" of a process that ended.
struct TracingTotals {
  std::uint64_t started = 0;
  std::uint64_t exported = 0;
  std::uint64_t dropped = 0;
  std::uint64_t open = 0;
  std::uint64_t spilled = 0;  // not said where there is no spill folder
  int services = 0;
};
[[nodiscard]] TracingTotals tracing_totals(const std::string& output);

}  // namespace alphaswarm::testing
