#include "alphaswarm/trading/ingestion/ingestion_task.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "alphaswarm/trading/ingestion/ingest.hpp"
#include "alphaswarm/trading/strategy/params.hpp"

namespace alphaswarm::trading {
namespace {

namespace json = boost::json;

// The arguments by name, whether they came by position or by keyword.
json::object arguments_of(const tasks::TaskContext& context) {
  constexpr std::string_view kNames[] = {"source_dir", "format", "glob",
                                         "column_map", "tz",     "overwrite"};
  json::object all = context.kwargs;
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    const json::value* const value = context.argument(kNames[i], i);
    if (value != nullptr) all[kNames[i]] = *value;
  }
  return all;
}

struct Request {
  std::string source;
  IngestOptions options;
};

Result<Request> parse(const json::object& arguments) {
  Params params("load_local_directory", arguments);
  Request request;
  BarFileOptions& file = request.options.file;
  request.source = params.text("source_dir", "");
  request.options.glob = params.text("glob", request.options.glob);
  request.options.overwrite = params.boolean("overwrite", false);
  file.symbol = params.text("symbol", "");
  file.exchange = params.text("exchange", file.exchange);
  if (request.source.empty()) params.problem("source_dir is missing: a folder or a file");
  const std::string format = params.text("format", "csv");
  if (format != "csv") params.problem(fmt::format("format is '{}', must be csv", format));
  const Result<ZoneOffset> zone = parse_zone(params.text("tz", "UTC"));
  if (!zone) params.problem(zone.error().message);
  const std::string interval = params.text("interval", "");
  const Result<Interval> parsed = parse_interval(interval.empty() ? "1d" : interval);
  if (!parsed) params.problem(parsed.error().message);
  params.ignore("column_map");
  if (const json::value* const map = arguments.if_contains("column_map");
      map != nullptr && !map->is_null()) {
    if (!map->is_object()) params.problem("column_map must be an object of column names");
    for (const auto& entry : map->is_object() ? map->get_object() : json::object()) {
      if (entry.value().is_string()) {
        file.column_map[std::string(entry.key())] = std::string(entry.value().get_string());
      } else {
        params.problem(fmt::format("column_map: {} must be the name of a column",
                                   std::string_view(entry.key()).substr(0, 64)));
      }
    }
  }
  if (const Result<void> valid = params.finish(); !valid) return std::unexpected(valid.error());
  file.zone = *zone;
  if (!interval.empty()) file.interval = *parsed;
  return request;
}

net::task<Result<json::value>> load_local_directory(persistence::Database& database,
                                                    tasks::TaskContext& context) {
  const Result<Request> request = parse(arguments_of(context));
  if (!request) co_return std::unexpected(request.error());
  const auto files = files_to_ingest(request->source, request->options);
  if (!files) co_return std::unexpected(files.error());
  std::vector<IngestReport> reports;
  Error first_error;
  std::size_t failed = 0;
  for (const std::string& path : *files) {
    if (context.stop.stop_requested()) {
      co_return fail(ErrorCode::cancelled, "ingestion was asked to stop; it can be run again");
    }
    Result<IngestReport> report = ingest_file(database, path, request->options);
    if (!report) {
      if (report.error().retryable) co_return std::unexpected(report.error());
      if (failed++ == 0) first_error = report.error();
      report = IngestReport{.path = path,
                            .error = report.error().message,
                            .symbols = {},
                            .rejected = {},
                            .notes = {}};
    }
    reports.push_back(std::move(*report));
    const IngestReport& last = reports.back();
    json::object extras{{"path", last.path},
                        {"done", reports.size()},
                        {"total", files->size()},
                        {"rows_read", last.rows_read},
                        {"rows_written", last.rows_written},
                        {"rows_rejected", last.rows_rejected}};
    std::string message = last.error.empty()
                              ? fmt::format("{}: {} rows read, {} written, {} rejected", last.path,
                                            last.rows_read, last.rows_written, last.rows_rejected)
                              : last.error;
    co_await context.progress.emit(context.id, "ingesting", std::move(message), std::move(extras));
  }
  if (failed == reports.size()) co_return std::unexpected(std::move(first_error));
  co_return json::value(to_json(reports));
}

}  // namespace

void register_ingestion_task(tasks::Worker& worker, persistence::Database& database) {
  worker.register_task(std::string(kIngestTask), [&database](tasks::TaskContext& context) {
    return load_local_directory(database, context);
  });
}

}  // namespace alphaswarm::trading
