#include "alphaswarm/api/routes/start_task.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <utility>

#include "alphaswarm/api/config_issue.hpp"
#include "alphaswarm/api/input.hpp"
#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/tasks/queue.hpp"
#include "alphaswarm/trading/backtest/backtest_task.hpp"
#include "alphaswarm/trading/backtest/config.hpp"
#include "alphaswarm/trading/ingestion/ingestion_task.hpp"
#include "alphaswarm/trading/ingestion/timestamp.hpp"
#include "alphaswarm/trading/paper/paper_tasks.hpp"
#include "alphaswarm/trading/paper/session_config.hpp"

namespace alphaswarm::api {

namespace json = boost::json;
namespace otel = alphaswarm::observability;

namespace {

constexpr std::size_t kLongestName = 200;
constexpr std::size_t kLongestPath = 4096;

net::task<net::HttpResponse> queue_task(const ApiDependencies& service, std::string_view name,
                                        json::object arguments, std::string queue) {
  tasks::ApplyOptions options;
  options.queue = std::move(queue);
  Result<std::string> id = co_await service.queue.apply_async(
      std::string(name), json::array(), std::move(arguments), std::move(options));
  if (!id) co_return error_reply(id.error());
  otel::set_on_current("alphaswarm.task_id", *id);
  co_return task_accepted(*id);
}

using Check = std::vector<Issue> (*)(const json::object& config);

std::vector<Issue> check_backtest(const json::object& config) {
  const auto parsed = trading::parse_backtest_config(config);
  if (parsed) return {};
  return {locate_issue(parsed.error(), config)};
}

std::vector<Issue> check_session(const json::object& config) {
  const auto parsed = trading::paper::parse_session_config(config);
  if (parsed) return {};
  return locate_issues(parsed.error(), config);
}

// {config, run_name?} as the task's arguments cfg and run_name.
std::expected<json::object, net::HttpResponse> read_start(const net::HttpRequest& request,
                                                          Check check) {
  BodyReader body(request);
  body.require("config");
  const json::object& config = body.object("config");
  const std::string run_name = body.text("run_name", "", kLongestName);
  if (body.has("config")) body.add_issues("config", check(config));
  if (auto invalid = body.finish()) return std::unexpected(std::move(*invalid));
  json::object arguments{{"cfg", config}, {"run_name", nullptr}};
  if (!run_name.empty()) arguments["run_name"] = run_name;
  return arguments;
}

void check_ingest(BodyReader& body, const json::object& arguments) {
  if (arguments.at("format").as_string() != "csv") {
    body.report("format", "must be csv", "invalid");
  }
  const Result<trading::ZoneOffset> zone =
      trading::parse_zone(std::string_view(arguments.at("tz").as_string()));
  if (!zone) body.report("tz", zone.error().message, "invalid");
  if (const json::value* interval = arguments.if_contains("interval")) {
    const Result<trading::Interval> parsed = trading::parse_interval(interval->as_string());
    if (!parsed) body.report("interval", parsed.error().message, "invalid");
  }
  for (const json::key_value_pair& entry : arguments.at("column_map").as_object()) {
    if (entry.value().is_string()) continue;
    body.report("column_map", "must give a column's name for " + std::string(entry.key()),
                "wrong_type");
  }
}

std::expected<json::object, net::HttpResponse> read_ingest(const net::HttpRequest& request) {
  BodyReader body(request);
  body.require("path");
  json::object arguments{{"source_dir", body.text("path", "", kLongestPath)},
                         {"format", body.text("format", "csv", 16)}};
  arguments["glob"] = body.text("glob", "*.csv", 256);
  arguments["column_map"] = body.object("column_map");
  arguments["tz"] = body.text("tz", "UTC", 64);
  arguments["overwrite"] = body.flag("overwrite", false);
  for (const char* key : {"symbol", "exchange", "interval"}) {
    const std::string given = body.text(key, "", 64);
    if (!given.empty()) arguments[key] = given;
  }
  check_ingest(body, arguments);
  if (auto invalid = body.finish()) return std::unexpected(std::move(*invalid));
  return arguments;
}

}  // namespace

net::task<net::HttpResponse> start_backtest(const ApiDependencies& service,
                                            const net::HttpRequest& request) {
  std::expected<json::object, net::HttpResponse> arguments = read_start(request, check_backtest);
  if (!arguments) co_return std::move(arguments.error());
  co_return co_await queue_task(service, trading::kBacktestTask, std::move(*arguments), "backtest");
}

net::task<net::HttpResponse> start_paper(const ApiDependencies& service,
                                         const net::HttpRequest& request) {
  std::expected<json::object, net::HttpResponse> arguments = read_start(request, check_session);
  if (!arguments) co_return std::move(arguments.error());
  co_return co_await queue_task(service, trading::paper::kRunPaperTask, std::move(*arguments),
                                "paper");
}

net::task<net::HttpResponse> ingest(const ApiDependencies& service,
                                    const net::HttpRequest& request) {
  std::expected<json::object, net::HttpResponse> arguments = read_ingest(request);
  if (!arguments) co_return std::move(arguments.error());
  co_return co_await queue_task(service, trading::kIngestTask, std::move(*arguments), "ingestion");
}

}  // namespace alphaswarm::api
