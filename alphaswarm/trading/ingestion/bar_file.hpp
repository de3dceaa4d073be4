#pragma once

// Reads bars from the text of a CSV file. Nothing is dropped silently: every row becomes a bar or a
// rejection with its line number and reason.

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/trading/ingestion/timestamp.hpp"
#include "alphaswarm/trading/market/types.hpp"

namespace alphaswarm::trading {

struct BarFileOptions {
  // For files without a symbol column: "AAPL.NASDAQ" or "AAPL". Empty: the file's name without its
  // ending, in capitals.
  std::string symbol{};
  std::string exchange = "LOCAL";      // for symbols that name none
  std::optional<Interval> interval{};  // unset: by the usual distance of a symbol's bars
  // Our name of a column (date, time, open, high, low, close, adj_close, volume, symbol) → the
  // file's; others are found by their usual names, see bar_file.cpp.
  std::map<std::string, std::string> column_map{};
  ZoneOffset zone{};  // of times that name none
  char separator = ',';
  std::size_t max_file_bytes = std::size_t{1} << 30;
  std::size_t max_line_bytes = std::size_t{64} << 10;
  std::size_t max_reported = 1000;  // rejections kept with their reason; all are counted
};

struct FileBar {
  Bar bar;
  std::optional<Price> adjusted_close;  // for dividends and splits; never used as the close, may
                                        // be absent
  std::size_t line = 0;
};

struct FileSeries {
  VtSymbol symbol;
  Interval interval = Interval::day;
  std::vector<FileBar> bars;  // in order of time, no timestamp twice
};

struct RejectedRow {
  std::size_t line = 0;  // from 1, the header included
  std::string reason;
};

struct BarFile {
  std::vector<FileSeries> series;  // sorted by symbol
  std::size_t rows_read = 0;       // bars and rejections
  std::size_t rows_rejected = 0;
  std::vector<RejectedRow> rejected;  // by line, the first `max_reported`
  std::vector<std::string> notes;     // what was assumed, e.g. that there is no volume
};

// A row is rejected if a field is missing or not a number, a date is none, a price is not positive,
// the volume is negative, high < low, its symbol is none, or symbol and time repeat an earlier
// line (which stays). Files with only a price have open = high = low = close; without a volume it
// is 0. Errors: invalid_argument if there is no header or it lacks a date or close column.
[[nodiscard]] Result<BarFile> parse_bars(std::string_view text, const BarFileOptions& options,
                                         std::string_view file_name);

// The same from a file. Errors besides: not_found, permission_denied, resource_exhausted if it is
// larger than `max_file_bytes`.
[[nodiscard]] Result<BarFile> read_bars(const std::string& path, const BarFileOptions& options);

// A price or volume as files write it: "1234.5", "1,234.5", "1e3"; more than eight decimals are
// rounded half away from zero. nullopt if it is none (NaN included) or out of range.
[[nodiscard]] std::optional<Decimal> parse_number(std::string_view text);

}  // namespace alphaswarm::trading
