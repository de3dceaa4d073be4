#pragma once

// Files of bars into the database.

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "alphaswarm/persistence/database.hpp"
#include "alphaswarm/trading/ingestion/bar_file.hpp"

namespace alphaswarm::trading {

struct IngestOptions {
  BarFileOptions file{};
  std::string glob = "*.csv";  // which files of a folder; * and ? as in a shell
  // True: a symbol's bars of that interval become exactly the file's. False: bars are added and
  // those that differ are updated, the others stay.
  bool overwrite = false;
  std::size_t max_files = 10'000;
};

struct IngestedSymbol {
  VtSymbol symbol;
  Interval interval = Interval::day;
  std::int64_t bars = 0;  // in the file
  std::int64_t inserted = 0, updated = 0, unchanged = 0, deleted = 0;
};

struct IngestReport {
  std::string path;
  std::string error;  // why the whole file could not be used; empty if it could
  std::vector<IngestedSymbol> symbols;
  std::int64_t rows_read = 0, rows_written = 0, rows_rejected = 0;  // written: inserted or updated
  std::vector<RejectedRow> rejected;                                // the first ones
  std::vector<std::string> notes;
};

// One file, within a span `ingest.file`. Rows are written some thousands at a time, so that others
// may write in between; a file that is interrupted can simply be ingested again: doing it twice
// changes nothing. Errors: those of read_bars and of the database.
[[nodiscard]] Result<IngestReport> ingest_file(persistence::Database& database,
                                               const std::string& path,
                                               const IngestOptions& options);

// The files of a folder that match the glob, sorted by name; for a file, it alone. Errors:
// not_found if there is none, resource_exhausted if there are more than `max_files`.
[[nodiscard]] Result<std::vector<std::string>> files_to_ingest(const std::string& path,
                                                               const IngestOptions& options);

// The counts of all files, and each one's report.
[[nodiscard]] boost::json::object to_json(const std::vector<IngestReport>& reports);

}  // namespace alphaswarm::trading
