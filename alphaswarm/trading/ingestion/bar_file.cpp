#include "alphaswarm/trading/ingestion/bar_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <utility>

#include "alphaswarm/trading/ingestion/columns.hpp"
#include "alphaswarm/trading/ingestion/csv.hpp"

namespace alphaswarm::trading {
namespace {

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - ('a' - 'A'));
  }
  return result;
}

bool is_missing(std::string_view text) noexcept {
  constexpr std::array<std::string_view, 8> kWords{"",    "-",    "nan", "NaN",
                                                   "NAN", "null", "N/A", "NA"};
  return std::ranges::find(kWords, text) != kWords.end();
}

// Turns records into bars, keeping the reason of the last rejection.
class Parser {
 public:
  Parser(const Columns& columns, const BarFileOptions& options, VtSymbol file_symbol)
      : columns_(columns), options_(options), file_symbol_(std::move(file_symbol)) {}

  // False: see reason().
  bool parse(const CsvRecord& record, FileBar& out, VtSymbol& symbol) {
    record_ = &record;
    out.line = record.line;
    if (!record.problem.empty()) return reject(std::string(record.problem));
    if (record.fields.size() != columns_.count()) {
      return reject(fmt::format("it has {} fields, the header has {}", record.fields.size(),
                                columns_.count()));
    }
    return parse_symbol(symbol) && parse_time(out.bar.timestamp) && parse_prices(out);
  }
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

 private:
  bool reject(std::string reason) {
    reason_ = std::move(reason);
    return false;
  }

  [[nodiscard]] std::string_view text(Field field) const {
    return record_->fields[*columns_.index(field)];
  }

  bool parse_symbol(VtSymbol& symbol) {
    if (!columns_.has(Field::symbol)) {
      symbol = file_symbol_;
      return true;
    }
    const std::string_view name = text(Field::symbol);
    if (name.empty()) return reject("the symbol is missing");
    if (name == last_name_) {  // files group their symbols: most rows repeat the one before
      symbol = last_symbol_;
      return true;
    }
    Result<VtSymbol> parsed = VtSymbol::parse(
        name.contains('.') ? std::string(name) : upper(name) + "." + options_.exchange);
    if (!parsed) return reject(parsed.error().message);
    last_name_ = name;
    symbol = last_symbol_ = std::move(*parsed);
    return true;
  }

  bool parse_time(UnixNanos& time) {
    std::string_view date = text(Field::date);
    if (is_missing(date)) return reject("the date is missing");
    std::string joined;
    if (columns_.has(Field::time)) {
      joined = fmt::format("{} {}", date, text(Field::time));
      date = joined;
    }
    const Result<UnixNanos> parsed = parse_timestamp(date, options_.zone);
    if (!parsed) return reject(parsed.error().message);
    time = *parsed;
    return true;
  }

  bool parse_number_of(Field field, Decimal& number) {
    const std::string_view shown = text(field);
    if (is_missing(shown)) return reject(fmt::format("{} is missing", to_string(field)));
    const std::optional<Decimal> parsed = parse_number(shown);
    if (!parsed) {
      return reject(
          fmt::format("{} is '{}', not a number in range", to_string(field), shown.substr(0, 32)));
    }
    number = *parsed;
    return true;
  }

  bool parse_price(Field field, Price& price) {
    Decimal number;
    if (!parse_number_of(field, number)) return false;
    price = Price(number);
    if (price.is_positive()) return true;
    return reject(
        fmt::format("{} is {}, must be more than 0", to_string(field), price.to_string()));
  }

  bool parse_prices(FileBar& out) {
    Bar& bar = out.bar;
    if (!parse_price(Field::close, bar.close)) return false;
    for (const auto& [field, price] :
         {std::pair{Field::open, &bar.open}, std::pair{Field::high, &bar.high},
          std::pair{Field::low, &bar.low}}) {
      *price = bar.close;
      if (columns_.has(field) && !parse_price(field, *price)) return false;
    }
    // A file may lack some of the four: the range then covers what it has.
    if (!columns_.has(Field::high)) bar.high = std::max({bar.open, bar.close, bar.low});
    if (!columns_.has(Field::low)) bar.low = std::min({bar.open, bar.close, bar.high});
    if (bar.high < bar.low) {
      return reject(
          fmt::format("high {} is below low {}", bar.high.to_string(), bar.low.to_string()));
    }
    out.adjusted_close.reset();
    // It decides nothing, so its absence spoils no bar; long adjustments may even make it negative.
    if (columns_.has(Field::adj_close) && !is_missing(text(Field::adj_close))) {
      Decimal adjusted;
      if (!parse_number_of(Field::adj_close, adjusted)) return false;
      out.adjusted_close = Price(adjusted);
    }
    bar.volume = Quantity();
    if (!columns_.has(Field::volume)) return true;
    Decimal volume;
    if (!parse_number_of(Field::volume, volume)) return false;
    bar.volume = Quantity(volume);
    return !bar.volume.is_negative() ||
           reject(fmt::format("volume is {}, must not be negative", volume.to_string()));
  }

  const Columns& columns_;         // NOLINT: all live in parse_bars
  const BarFileOptions& options_;  // NOLINT
  VtSymbol file_symbol_;
  const CsvRecord* record_ = nullptr;
  std::string last_name_;
  VtSymbol last_symbol_;
  std::string reason_;
};

Result<VtSymbol> symbol_of_file(const BarFileOptions& options, std::string_view file_name) {
  std::string name = options.symbol;
  if (name.empty()) name = upper(std::filesystem::path(file_name).stem().string());
  if (!name.contains('.')) name += "." + options.exchange;
  Result<VtSymbol> symbol = VtSymbol::parse(name);
  if (symbol) return symbol;
  return fail(ErrorCode::invalid_argument,
              "the file has no symbol column, and " + symbol.error().message);
}

// By the median distance of neighbours, which holidays and gaps do not move.
Interval usual_interval(const std::vector<FileBar>& bars) {
  if (bars.size() < 2) return Interval::day;
  std::vector<std::int64_t> gaps;
  for (std::size_t i = 1; i < bars.size(); ++i) {
    gaps.push_back(bars[i].bar.timestamp.value - bars[i - 1].bar.timestamp.value);
  }
  const auto middle = gaps.begin() + static_cast<std::ptrdiff_t>(gaps.size() / 2);
  std::ranges::nth_element(gaps, middle);
  constexpr std::int64_t kMinute = 60'000'000'000;
  if (*middle < 30 * kMinute) return Interval::minute;
  if (*middle < 12 * 60 * kMinute) return Interval::hour;
  if (*middle < 5 * 1440 * kMinute) return Interval::day;
  // A few days of a correction may well lie a week apart: weekly bars show by their number.
  if (*middle < 20 * 1440 * kMinute) return bars.size() < 5 ? Interval::day : Interval::week;
  return Interval::month;
}

class Collector {
 public:
  explicit Collector(const BarFileOptions& options) : options_(options) {}

  void add(const VtSymbol& symbol, FileBar&& bar) { series_[symbol].push_back(std::move(bar)); }
  void reject(std::size_t line, std::string reason) {
    ++file_.rows_rejected;
    file_.rejected.push_back({.line = line, .reason = std::move(reason)});
    // Duplicates are found last, in order of symbol: keep twice the bound until they are sorted in.
    if (file_.rejected.size() > 2 * options_.max_reported) file_.rejected.pop_back();
  }
  void row() { ++file_.rows_read; }
  void note(std::string text) { file_.notes.push_back(std::move(text)); }

  BarFile finish() {
    for (auto& [symbol, bars] : series_) {
      std::ranges::sort(bars, [](const FileBar& a, const FileBar& b) {
        return std::pair(a.bar.timestamp, a.line) < std::pair(b.bar.timestamp, b.line);
      });
      drop_repeats(symbol, bars);
      const Interval interval = options_.interval ? *options_.interval : usual_interval(bars);
      file_.series.push_back({.symbol = symbol, .interval = interval, .bars = std::move(bars)});
    }
    std::ranges::sort(file_.rejected, {}, &RejectedRow::line);
    if (file_.rejected.size() > options_.max_reported) file_.rejected.resize(options_.max_reported);
    return std::move(file_);
  }

 private:
  void drop_repeats(const VtSymbol& symbol, std::vector<FileBar>& bars) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < bars.size(); ++i) {
      if (kept > 0 && bars[kept - 1].bar.timestamp == bars[i].bar.timestamp) {
        reject(bars[i].line, fmt::format("{} has a bar of that time in line {} already",
                                         symbol.text(), bars[kept - 1].line));
      } else {
        bars[kept++] = bars[i];
      }
    }
    bars.resize(kept);
  }

  const BarFileOptions& options_;  // NOLINT: lives in parse_bars
  std::map<VtSymbol, std::vector<FileBar>> series_;
  BarFile file_;
};

}  // namespace

std::optional<Decimal> parse_number(std::string_view text) {
  std::string plain;
  if (text.contains(',')) {  // thousands: groups of three after the first
    std::size_t group = 0;
    bool first = true;
    for (const char c : text.substr(0, text.find('.'))) {
      if (c == ',') {
        if (first ? group == 0 || group > 3 : group != 3) return std::nullopt;
        first = false;
        group = 0;
      } else if (c >= '0' && c <= '9') {
        ++group;
      }
    }
    if (group != 3) return std::nullopt;
    plain = text;
    std::erase(plain, ',');
    text = plain;
  }
  if (const Result<Decimal> exact = Decimal::parse(text)) return *exact;
  // More than eight decimals: the exact digits up to the ninth decide.
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos || text.size() < point + 10) return std::nullopt;
  const std::string_view decimals = text.substr(point + 1);
  if (decimals.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  const Result<Decimal> cut = Decimal::parse(text.substr(0, point + 9));
  if (!cut) return std::nullopt;
  const Decimal up = Decimal::from_units(decimals[8] >= '5' ? 1 : 0);
  return text.starts_with('-') ? *cut - up : *cut + up;
}

Result<BarFile> parse_bars(std::string_view text, const BarFileOptions& options,
                           std::string_view file_name) {
  CsvReader reader(text, options.separator, options.max_line_bytes);
  CsvRecord record;
  if (!reader.next(record) || !record.problem.empty()) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("{} has no header line", std::string(file_name)));
  }
  const auto in_file = [&](const Error& error) {
    return fail(error.code, fmt::format("{}: {}", std::string(file_name), error.message));
  };
  const Result<Columns> columns = Columns::from_header(record.fields, options.column_map);
  if (!columns) return in_file(columns.error());
  VtSymbol file_symbol;
  if (!columns->has(Field::symbol)) {
    Result<VtSymbol> symbol = symbol_of_file(options, file_name);
    if (!symbol) return in_file(symbol.error());
    file_symbol = std::move(*symbol);
  }
  Collector collector(options);
  if (!columns->has(Field::open)) collector.note("no open column: open is the close");
  if (!columns->has(Field::volume)) collector.note("no volume column: volume is 0");
  Parser parser(*columns, options, std::move(file_symbol));
  FileBar bar;
  VtSymbol symbol;
  while (reader.next(record)) {
    collector.row();
    if (parser.parse(record, bar, symbol)) {
      collector.add(symbol, std::move(bar));
    } else {
      collector.reject(record.line, parser.reason());
    }
  }
  return collector.finish();
}

Result<BarFile> read_bars(const std::string& path, const BarFileOptions& options) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    return fail(ErrorCode::not_found, "there is no file " + path);
  }
  if (!std::filesystem::is_regular_file(status)) {
    return fail(ErrorCode::invalid_argument, path + " is not a file");
  }
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error || size > options.max_file_bytes) {
    return fail(ErrorCode::resource_exhausted, fmt::format("{} has {} bytes, at most {} are read",
                                                           path, size, options.max_file_bytes));
  }
  std::ifstream file(path, std::ios::binary);
  std::string text(size, '\0');
  if (!file || !file.read(text.data(), static_cast<std::streamsize>(size))) {
    return fail(ErrorCode::permission_denied, path + " cannot be read");
  }
  return parse_bars(text, options, std::filesystem::path(path).filename().string());
}

}  // namespace alphaswarm::trading
