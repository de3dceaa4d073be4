#include "alphaswarm/cli/demo.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <utility>

#include "alphaswarm/base/time.hpp"
#include "alphaswarm/cli/terminal.hpp"
#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/net/websocket_client.hpp"
#include "alphaswarm/query/tree.hpp"

namespace alphaswarm::cli {
namespace {

namespace json = boost::json;

struct Job {
  std::string title;
  std::string path;
  json::object body;
};

// One document for backtest and paper session, so that the same bars give the same fills.
json::object session_config() {
  return {{"session", {{"universe", {"AAPL.LOCAL"}}, {"initial_cash", 100000}}},
          {"strategy",
           {{"name", "mean_reversion"}, {"params", {{"lookback", 20}, {"z_threshold", 2.0}}}}},
          {"brokerage", {{"venue", "sim"}}},
          {"feed", {{"kind", "replay"}}}};
}

std::vector<Job> jobs_of(const DemoConfig& config) {
  std::vector<Job> jobs;
  jobs.push_back({"ingest",
                  "/data/ingest",
                  {{"path", config.market_data.string()}, {"format", "csv"}, {"glob", "*.csv"}}});
  jobs.push_back({"backtest",
                  "/backtest/run",
                  {{"config", session_config()}, {"run_name", "aapl-meanrev-backtest"}}});
  jobs.push_back(
      {"paper", "/paper/start", {{"config", session_config()}, {"run_name", "aapl-meanrev"}}});
  return jobs;
}

std::uint64_t count_in(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return 0;
  return value->to_number<std::uint64_t>();
}

std::string text_in(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

json::object parse_object(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  return !error && value.is_object() ? std::move(value.as_object()) : json::object();
}

double number_in(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_number() ? value->to_number<double>() : 0;
}

// One line of what a task's result says.
std::string summary_of(const json::object& result) {
  if (result.contains("files_count")) {
    return fmt::format("{} files, {} rows read, {} written, {} rejected",
                       count_in(result, "files_count"), count_in(result, "rows_read"),
                       count_in(result, "rows_written"), count_in(result, "rows_rejected"));
  }
  const json::value* metrics = result.if_contains("metrics");
  const double gain = number_in(metrics != nullptr ? metrics->as_object() : result, "total_return");
  const std::string_view bars = result.contains("bars_seen") ? "bars_seen" : "bars_count";
  return fmt::format("{} bars, {} orders, {} fills, {:+.2f} %", count_in(result, bars),
                     count_in(result, "orders"), count_in(result, "fills"), gain * 100);
}

// Follows a task until its terminal frame. False with the reason in `result` on an error frame.
net::task<bool> follow(net::WebSocket socket, ProgressLine& line, std::string& result) {
  for (;;) {
    auto message = co_await socket.receive();
    if (!message) {
      result = "lost its progress stream: " + message.error().message;
      co_return false;
    }
    if (!*message) {
      result = "its progress stream ended early";
      co_return false;
    }
    const json::object frame = parse_object(**message);
    const std::string stage = text_in(frame, "stage");
    result = text_in(frame, "message");
    if (stage == "done" || stage == "error") {
      const json::value* value = frame.if_contains("result");
      if (value != nullptr && value->is_object()) result = summary_of(value->as_object());
      co_await socket.close();
      co_return stage == "done";
    }
    const bool session = frame.contains("bars_total");
    const std::uint64_t total = count_in(frame, session ? "bars_total" : "total");
    if (total != 0) line.update(count_in(frame, session ? "bars_done" : "done"), total, result);
  }
}

net::task<DemoRun> run_job(net::Runtime& runtime, const DemoConfig& config, Job job) {
  DemoRun run;
  run.title = job.title;
  ProgressLine line(job.title);
  net::HttpClient client(runtime);
  net::ClientRequest request;
  request.method = "POST";
  request.url = config.api_url + job.path;
  request.headers.set("content-type", "application/json");
  request.body = json::serialize(job.body);
  const std::int64_t started = monotonic_ns();
  auto response = co_await client.send(std::move(request));
  if (!response) {
    run.result = response.error().message;
  } else if (response->status != 202) {
    run.result = fmt::format("{} {}", response->status, response->body);
  } else {
    run.trace_id = response->headers.get("x-trace-id").value_or("");
    const std::string path = text_in(parse_object(response->body), "stream_url");
    auto socket = co_await net::connect_websocket("ws" + config.api_url.substr(4) + path);
    if (!socket) {
      run.result = socket.error().message;
    } else {
      run.ok = co_await follow(std::move(*socket), line, run.result);
    }
  }
  run.duration_ns = monotonic_ns() - started;
  line.finish(fmt::format("{}  {}  {}", run.ok ? "done  " : "FAILED",
                          query::short_duration(static_cast<std::uint64_t>(run.duration_ns)),
                          run.result));
  co_return run;
}

}  // namespace

net::task<std::vector<DemoRun>> run_demo(net::Runtime& runtime, DemoConfig config) {
  std::vector<DemoRun> runs;
  for (Job& job : jobs_of(config)) {
    runs.push_back(co_await run_job(runtime, config, std::move(job)));
    if (!runs.back().ok || net::this_task_stop_token().stop_requested()) break;
  }
  co_return runs;
}

}  // namespace alphaswarm::cli
