#include "tests/integration/system.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <fstream>
#include <stdexcept>

namespace alphaswarm::testing {
namespace {

namespace json = boost::json;

std::vector<std::string> command_line(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), ALPHASWARM_BINARY);
  return arguments;
}

std::vector<std::string> up_arguments(int offset, std::vector<std::string> more) {
  std::vector<std::string> arguments = {"up", "--data-dir", "data", "--port-offset",
                                        std::to_string(offset)};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return command_line(std::move(arguments));
}

std::uint64_t number_after(const std::string& line, const std::string& key) {
  const std::size_t at = line.find(key);
  return at == std::string::npos ? 0 : std::stoull(line.substr(at + key.size()));
}

}  // namespace

void write_bars(const std::filesystem::path& path, int bars) {
  std::ofstream file(path);
  file << "date,open,high,low,close,volume\n";
  double last = 100;
  for (int day = 0; day < bars; ++day) {
    const double close = 100 + 0.02 * day + 6 * std::sin(day / 9.0) + 2 * std::sin(day / 2.3);
    const double high = std::max(last, close) + 0.5;
    const double low = std::min(last, close) - 0.5;
    char date[16];
    std::snprintf(date, sizeof date, "%04d-%02d-%02d", 2000 + day / 336, day / 28 % 12 + 1,
                  day % 28 + 1);
    file << date << ',' << last << ',' << high << ',' << low << ',' << close << ",1000\n";
    last = close;
  }
}

Outcome run_alphaswarm(std::vector<std::string> arguments, const std::filesystem::path& cwd,
                       const Variables& environment) {
  Process process(command_line(std::move(arguments)), cwd, environment);
  const auto code = process.wait();
  return {code.value_or(-1), process.output()};
}

System::System(const Variables& environment, std::vector<std::string> more_arguments)
    : System(free_port_offset(), environment, std::move(more_arguments)) {}

System::System(int offset, const Variables& environment, std::vector<std::string> more_arguments)
    : TradingApi("http://127.0.0.1:" + std::to_string(8000 + offset)),
      offset_(offset),
      process_(std::make_unique<Process>(up_arguments(offset_, std::move(more_arguments)),
                                         folder_.path(), environment)),
      traces_(trace_url()) {
  if (!process_->wait_for_output("ready")) {
    throw std::runtime_error("alphaswarm up did not get ready:\n" + process_->output());
  }
}

std::string System::url(int port) const {
  return "http://127.0.0.1:" + std::to_string(port + offset_);
}

void TradingApi::ingest(int bars) {
  const std::filesystem::path file = files_.path() / "test.csv";
  write_bars(file, bars);
  const json::object accepted =
      api_.post("/data/ingest", {{"path", file.string()}, {"format", "csv"}}).json().as_object();
  const auto reply = api_.poll("/data/TEST.LOCAL/bars?limit=50000", [&](const Http::Reply& one) {
    return one.status == 200 && one.json().at("count").to_number<int>() == bars;
  });
  ASSERT_EQ(reply.status, 200) << reply.body;
}

json::object TradingApi::start_paper(const std::string& run_name, const json::object& feed) {
  const json::object config = {
      {"session", {{"universe", {"TEST.LOCAL"}}, {"initial_cash", 100000}}},
      {"strategy",
       {{"name", "mean_reversion"}, {"params", {{"lookback", 20}, {"z_threshold", 1.5}}}}},
      {"brokerage", {{"venue", "sim"}}},
      {"feed", feed}};
  const auto reply = api_.post("/paper/start", {{"config", config}, {"run_name", run_name}});
  EXPECT_EQ(reply.status, 202) << reply.body;
  json::object accepted = reply.json().as_object();
  accepted["trace_id"] = reply.headers.get("x-trace-id").value_or("");
  return accepted;
}

namespace {

std::string run_path(const json::object& accepted) {
  return "/paper/runs/" + std::string(accepted.at("task_id").as_string());
}

}  // namespace

json::object TradingApi::finish_paper(const json::object& accepted) {
  const auto reply = api_.poll(run_path(accepted), [](const Http::Reply& one) {
    return one.status == 200 && one.json().at("status").as_string() == "completed";
  });
  EXPECT_EQ(reply.status, 200) << reply.body;
  json::object row = reply.json().as_object();
  EXPECT_EQ(row.at("status").as_string(), "completed") << reply.body;
  return row;
}

json::object TradingApi::wait_for_bars(const json::object& accepted, int bars) {
  const auto reply = api_.poll(run_path(accepted), [&](const Http::Reply& one) {
    return one.status == 200 && one.json().at("bars_seen").to_number<int>() >= bars;
  });
  EXPECT_EQ(reply.status, 200) << reply.body;
  json::object row = reply.json().as_object();
  EXPECT_GE(row.at("bars_seen").to_number<int>(), bars) << reply.body;
  return row;
}

CollectorProcess::CollectorProcess(const Variables& environment)
    : offset_(free_port_offset()),
      process_(command_line(
                   {"collector", "--port-offset", std::to_string(offset_), "--data-dir", "data"}),
               folder_.path(), environment),
      traces_(url(16686)) {
  if (!process_.wait_for_output("ready")) {
    throw std::runtime_error("alphaswarm collector did not get ready:\n" + process_.output());
  }
}

std::string CollectorProcess::url(int port) const {
  return "http://127.0.0.1:" + std::to_string(port + offset_);
}

std::uint64_t CollectorProcess::spans(std::uint64_t expected) {
  const auto total = [](const Http::Reply& reply) {
    std::uint64_t sum = 0;
    for (const json::value& service : reply.json().at("services").as_array()) {
      sum += service.at("spans").to_number<std::uint64_t>();
    }
    return sum;
  };
  return total(traces_.poll("/api/alphaswarm/v1/services", [&](const Http::Reply& reply) {
    return reply.status == 200 && total(reply) >= expected;
  }));
}

ExchangeProcess::ExchangeProcess(const Variables& environment)
    : port_(free_port()),
      process_(command_line({"exchange", "--port", std::to_string(port_), "--data-dir", "data"}),
               folder_.path(), environment) {
  if (!process_.wait_for_output("ready")) {
    throw std::runtime_error("alphaswarm exchange did not get ready:\n" + process_.output());
  }
}

TracingTotals tracing_totals(const std::string& output) {
  TracingTotals totals;
  for (std::size_t at = output.find("tracing: "); at != std::string::npos;
       at = output.find("tracing: ", at + 1)) {
    const std::string line = output.substr(at, output.find('\n', at) - at);
    if (line.find(" started=") == std::string::npos) continue;
    totals.started += number_after(line, " started=");
    totals.exported += number_after(line, " exported=");
    totals.dropped += number_after(line, " dropped=");
    totals.open += number_after(line, " open=");
    totals.spilled += number_after(line, " spilled=");
    ++totals.services;
  }
  return totals;
}

}  // namespace alphaswarm::testing
