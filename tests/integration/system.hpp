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

// `alphaswarm up --no-demo` in a folder and on ports of its own; ready when constructed.
class System {
 public:
  explicit System(const Variables& environment = {},
                  std::vector<std::string> more_arguments = {"--no-demo"});

  [[nodiscard]] std::string api_url() const { return url(8000); }
  [[nodiscard]] std::string trace_url() const { return url(16686); }
  [[nodiscard]] std::string url(int port) const;
  [[nodiscard]] Http& api() noexcept { return api_; }
  [[nodiscard]] Http& traces() noexcept { return traces_; }
  [[nodiscard]] Process& process() noexcept { return *process_; }
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_.path(); }

  // Writes `bars` made-up daily bars of TEST.LOCAL and ingests them. The same every time.
  void ingest(int bars);
  // Starts a paper session over them and waits for its end; the row of GET /paper/runs/{id}.
  boost::json::object run_paper(const std::string& run_name);
  // POST /paper/start; the reply's body, with "trace_id".
  boost::json::object start_paper(const std::string& run_name, const boost::json::object& feed);

 private:
  TemporaryFolder folder_;
  int offset_;
  std::unique_ptr<Process> process_;
  Http api_;
  Http traces_;
};

// `alphaswarm collector`, in a folder and on ports of its own; ready when constructed.
class CollectorProcess {
 public:
  CollectorProcess();
  [[nodiscard]] std::string url(int port) const;
  // Spans in its store; waits for `expected`, which its batch processor may still hold.
  [[nodiscard]] std::uint64_t spans(std::uint64_t expected);
  [[nodiscard]] Http& traces() noexcept { return traces_; }

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

// `alphaswarm trace tree <id> --no-durations` against a query server, once the trace holds still.
[[nodiscard]] std::string settled_tree(const std::string& query_url, const std::string& trace_id);

// The lines "tracing: <service> started=… exported=… dropped=… open=…" of a process that ended.
struct TracingTotals {
  std::uint64_t started = 0;
  std::uint64_t exported = 0;
  std::uint64_t dropped = 0;
  std::uint64_t open = 0;
  int services = 0;
};
[[nodiscard]] TracingTotals tracing_totals(const std::string& output);

}  // namespace alphaswarm::testing
