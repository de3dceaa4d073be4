#include "alphaswarm/trading/ingestion/ingest.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <span>
#include <utility>

#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/persistence/bar_repository.hpp"

namespace alphaswarm::trading {
namespace {

namespace json = boost::json;
namespace otel = alphaswarm::observability;

constexpr std::size_t kRowsAtOnce = 5'000;  // about 30 ms of the one writer

persistence::BarRow to_row(const FileSeries& series, const FileBar& one) {
  persistence::BarRow row{.vt_symbol = series.symbol.text(),
                          .interval = std::string(to_string(series.interval)),
                          .timestamp = one.bar.timestamp,
                          .open = one.bar.open.value(),
                          .high = one.bar.high.value(),
                          .low = one.bar.low.value(),
                          .close = one.bar.close.value(),
                          .volume = one.bar.volume.value(),
                          .adjusted_close = std::nullopt};
  if (one.adjusted_close) row.adjusted_close = one.adjusted_close->value();
  return row;
}

Result<void> write_bars(persistence::Database& database, const FileSeries& series,
                        IngestedSymbol& counts) {
  persistence::BarRepository repository(database);
  std::vector<persistence::BarRow> rows;
  for (std::size_t at = 0; at < series.bars.size(); at += rows.size()) {
    const std::size_t count = std::min(kRowsAtOnce, series.bars.size() - at);
    rows.clear();
    for (const FileBar& bar : std::span(series.bars).subspan(at, count)) {
      rows.push_back(to_row(series, bar));
    }
    const Result<persistence::UpsertCounts> done = repository.upsert(rows);
    if (!done) return std::unexpected(done.error());
    counts.inserted += done->inserted;
    counts.updated += done->updated;
    counts.unchanged += done->unchanged;
  }
  return {};
}

// Bars in the database that the file does not have.
Result<void> delete_others(persistence::Database& database, const FileSeries& series,
                           IngestedSymbol& counts) {
  const std::string_view interval = to_string(series.interval);
  const auto present = persistence::BarRepository(database).load(
      {.vt_symbol = series.symbol.text(), .interval = interval});
  if (!present) return std::unexpected(present.error());
  std::vector<UnixNanos> others;
  for (const persistence::BarRow& row : *present) {
    const auto at = std::ranges::lower_bound(series.bars, row.timestamp, {},
                                             [](const FileBar& one) { return one.bar.timestamp; });
    if (at == series.bars.end() || at->bar.timestamp != row.timestamp) {
      others.push_back(row.timestamp);
    }
  }
  if (others.empty()) return {};
  const auto deleted = database.execute_each(
      "DELETE FROM bars WHERE vt_symbol = $1 AND interval = $2 AND timestamp = $3", others.size(),
      3,
      [&](std::size_t i, std::span<persistence::Param> params) {
        params[0] = series.symbol.text();
        params[1] = interval;
        params[2] = others[i];
      },
      {});
  if (!deleted) return std::unexpected(deleted.error());
  counts.deleted = *deleted;
  return {};
}

Result<IngestReport> ingest_within_span(persistence::Database& database, const std::string& path,
                                        const IngestOptions& options) {
  Result<BarFile> file = read_bars(path, options.file);
  if (!file) return std::unexpected(file.error());
  IngestReport report{.path = path,
                      .error = {},
                      .symbols = {},
                      .rows_read = static_cast<std::int64_t>(file->rows_read),
                      .rows_rejected = static_cast<std::int64_t>(file->rows_rejected),
                      .rejected = std::move(file->rejected),
                      .notes = std::move(file->notes)};
  for (const FileSeries& series : file->series) {
    IngestedSymbol counts{.symbol = series.symbol,
                          .interval = series.interval,
                          .bars = static_cast<std::int64_t>(series.bars.size())};
    if (const Result<void> done = write_bars(database, series, counts); !done) {
      return std::unexpected(done.error());
    }
    if (options.overwrite) {
      if (const Result<void> done = delete_others(database, series, counts); !done) {
        return std::unexpected(done.error());
      }
    }
    report.rows_written += counts.inserted + counts.updated;
    report.symbols.push_back(std::move(counts));
  }
  return report;
}

json::object to_json(const IngestReport& report) {
  json::array symbols;
  for (const IngestedSymbol& one : report.symbols) {
    symbols.push_back(json::object{{"symbol", one.symbol.text()},
                                   {"interval", to_string(one.interval)},
                                   {"bars", one.bars},
                                   {"inserted", one.inserted},
                                   {"updated", one.updated},
                                   {"unchanged", one.unchanged},
                                   {"deleted", one.deleted}});
  }
  json::array rejected;
  for (const RejectedRow& row : report.rejected) {
    rejected.push_back(json::object{{"line", row.line}, {"reason", row.reason}});
  }
  json::object out{{"path", report.path},
                   {"rows_read", report.rows_read},
                   {"rows_written", report.rows_written},
                   {"rows_rejected", report.rows_rejected},
                   {"symbols", std::move(symbols)},
                   {"rejected", std::move(rejected)},
                   {"notes", json::array(report.notes.begin(), report.notes.end())}};
  if (!report.error.empty()) out["error"] = report.error;
  return out;
}

}  // namespace

Result<IngestReport> ingest_file(persistence::Database& database, const std::string& path,
                                 const IngestOptions& options) {
  otel::Span span = otel::span("ingest.file", {{"ingest.path", path}});
  Result<IngestReport> report = ingest_within_span(database, path, options);
  if (!report) {
    span.error(report.error().message);
    return report;
  }
  span.set("ingest.rows_read", report->rows_read);
  span.set("ingest.rows_written", report->rows_written);
  span.set("ingest.rows_rejected", report->rows_rejected);
  return report;
}

Result<std::vector<std::string>> files_to_ingest(const std::string& path,
                                                 const IngestOptions& options) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) {
    return fail(ErrorCode::not_found, "there is no file or folder " + path);
  }
  if (!fs::is_directory(status)) return std::vector{path};
  std::vector<std::string> files;
  fs::directory_iterator at(path, error);
  if (error) {
    return fail(ErrorCode::permission_denied,
                fmt::format("the folder {} cannot be read: {}", path, error.message()));
  }
  for (; at != fs::directory_iterator(); at.increment(error)) {
    if (error) break;
    const std::string name = at->path().filename().string();
    if (fnmatch(options.glob.c_str(), name.c_str(), FNM_PERIOD) != 0) continue;
    if (!at->is_regular_file(error)) continue;
    if (files.size() == options.max_files) {
      return fail(
          ErrorCode::resource_exhausted,
          fmt::format("more than {} files in {} match {}", options.max_files, path, options.glob));
    }
    files.push_back(at->path().string());
  }
  if (files.empty()) {
    return fail(ErrorCode::not_found, fmt::format("no file in {} matches {}", path, options.glob));
  }
  std::ranges::sort(files);
  return files;
}

json::object to_json(const std::vector<IngestReport>& reports) {
  std::int64_t read = 0;
  std::int64_t written = 0;
  std::int64_t rejected = 0;
  std::int64_t failed = 0;
  json::array files;
  for (const IngestReport& report : reports) {
    read += report.rows_read;
    written += report.rows_written;
    rejected += report.rows_rejected;
    failed += report.error.empty() ? 0 : 1;
    files.push_back(to_json(report));
  }
  return {
      {"files_count", reports.size()}, {"files_failed", failed},    {"rows_read", read},
      {"rows_written", written},       {"rows_rejected", rejected}, {"files", std::move(files)}};
}

}  // namespace alphaswarm::trading
