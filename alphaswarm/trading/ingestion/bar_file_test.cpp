#include "alphaswarm/trading/ingestion/bar_file.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "alphaswarm/base/random.hpp"

namespace alphaswarm::trading {
namespace {

BarFile parse(std::string_view text, const BarFileOptions& options = {},
              std::string_view name = "aapl.csv") {
  Result<BarFile> file = parse_bars(text, options, name);
  EXPECT_TRUE(file) << file.error().message;
  return file ? std::move(*file) : BarFile{};
}

std::string rejections(const BarFile& file) {
  std::string text;
  for (const RejectedRow& row : file.rejected) {
    text += std::to_string(row.line) + ": " + row.reason + "\n";
  }
  return text;
}

TEST(BarFiles, DailyBarsWithAdjustedClose) {
  const BarFile file = parse(
      "Date,Open,High,Low,Close,Adj Close,Volume\n"
      "2013-05-14,64.835716,65.028572,63.164288,63.408573,49.742329,111779500\n"
      "2013-05-13,64.501427,65.414284,64.500000,64.962860,50.961628,79237200\n");
  ASSERT_EQ(file.series.size(), 1U);
  const FileSeries& series = file.series[0];
  EXPECT_EQ(series.symbol.text(), "AAPL.LOCAL");
  EXPECT_EQ(series.interval, Interval::day);
  ASSERT_EQ(series.bars.size(), 2U);
  const FileBar& first = series.bars[0];  // in order of time, whatever the file's order
  EXPECT_EQ(to_rfc3339(first.bar.timestamp), "2013-05-13T00:00:00.000000000Z");
  EXPECT_EQ(first.bar.close.to_string(), "64.96286");
  EXPECT_EQ(first.adjusted_close->to_string(), "50.961628");
  EXPECT_EQ(first.bar.volume.to_string(), "79237200");
  EXPECT_EQ(first.line, 3U);
  EXPECT_EQ(file.rows_read, 2U);
}

TEST(BarFiles, AMissingAdjustedCloseSpoilsNoBar) {
  const BarFile file =
      parse("date,close,adj close\n2020-01-01,5,\n2020-01-02,5,-0.5\n2020-01-03,5,five\n");
  ASSERT_EQ(file.series[0].bars.size(), 2U);
  EXPECT_FALSE(file.series[0].bars[0].adjusted_close);
  EXPECT_EQ(file.series[0].bars[1].adjusted_close->to_string(), "-0.5");
  EXPECT_EQ(rejections(file), "4: adj_close is 'five', not a number in range\n");
}

TEST(BarFiles, ManySymbolsWithOnlyAPrice) {
  const BarFile file = parse(
      "symbol,date,price\nMSFT,Jan 1 2000,39.81\nMSFT,Feb 1 2000,36.35\nAAPL,Jan 1 2000,25.94\n"
      "AAPL,Feb 1 2000,28.66\n",
      {.exchange = "NASDAQ"});
  ASSERT_EQ(file.series.size(), 2U);
  EXPECT_EQ(file.series[0].symbol.text(), "AAPL.NASDAQ");
  EXPECT_EQ(file.series[1].interval, Interval::month);
  const Bar& bar = file.series[1].bars[0].bar;
  EXPECT_EQ(bar.open, Price::of(39.81));
  EXPECT_EQ(bar.high, bar.low);
  EXPECT_TRUE(bar.volume.is_zero());
  EXPECT_EQ(file.notes.size(), 2U);
}

TEST(BarFiles, EveryBadRowIsReportedWithLineAndReason) {
  const BarFile file = parse(
      "date,open,high,low,close,volume\n"
      "2020-01-01,10,12,9,11,100\n"
      "2020-01-02,10,8,9,11,100\n"
      "2020-01-03,,12,9,11,100\n"
      "2020-01-04,10,12,9,NaN,100\n"
      "2020-01-05,10,12,-9,11,100\n"
      "2020-01-06,10,12,9,11,-1\n"
      "soon,10,12,9,11,100\n"
      "2020-01-08,10,12,9\n"
      "2020-01-01,10,12,9,11.5,100\n"
      "2020-01-10,10,12,9,ten,100\n"
      ",10,12,9,11,100\n"
      "2020-01-12,10,12,9,11,100\n");
  EXPECT_EQ(file.rows_read, 12U);
  EXPECT_EQ(file.rows_rejected, 10U);
  EXPECT_EQ(file.series[0].bars.size(), 2U);
  EXPECT_EQ(rejections(file),
            "3: high 8 is below low 9\n"
            "4: open is missing\n"
            "5: close is missing\n"
            "6: low is -9, must be more than 0\n"
            "7: volume is -1, must not be negative\n"
            "8: 'soon' is not a date: no known form\n"
            "9: it has 4 fields, the header has 6\n"
            "10: AAPL.LOCAL has a bar of that time in line 2 already\n"
            "11: close is 'ten', not a number in range\n"
            "12: the date is missing\n");
  EXPECT_EQ(file.series[0].bars[0].bar.close, Price::of(11));  // the first of two stays
}

TEST(BarFiles, RejectionsAreBoundedButAllCounted) {
  std::string text = "date,close\n";
  for (int i = 0; i < 100; ++i) text += "never,1\n";
  BarFileOptions options;
  options.max_reported = 5;
  const BarFile file = parse(text, options);
  EXPECT_EQ(file.rows_rejected, 100U);
  ASSERT_EQ(file.rejected.size(), 5U);
  EXPECT_EQ(file.rejected[4].line, 6U);
}

TEST(BarFiles, ColumnsByAliasAndByMap) {
  const BarFile by_alias = parse("Ticker;DATETIME;Vol;last\nibm.nyse;2020-01-01;5;3\n", [] {
    BarFileOptions options;
    options.separator = ';';
    return options;
  }());
  EXPECT_EQ(by_alias.series[0].symbol.text(), "ibm.nyse");  // with an exchange: as it is written
  EXPECT_EQ(by_alias.series[0].bars[0].bar.volume, Quantity::of(5));
  BarFileOptions options;
  options.column_map = {{"date", "Datum"}, {"close", "Schluss"}};
  const BarFile by_map = parse("Datum,Schluss,close\n2020-01-01,3,4\n", options);
  EXPECT_EQ(by_map.series[0].bars[0].bar.close, Price::of(3));
  const BarFile two_columns = parse("date,time,close\n2020-01-01,09:30,3\n2020-01-01,09:31,4\n");
  EXPECT_EQ(two_columns.series[0].interval, Interval::minute);
  EXPECT_EQ(to_rfc3339(two_columns.series[0].bars[1].bar.timestamp),
            "2020-01-01T09:31:00.000000000Z");
}

std::string refusal(std::string_view text, const BarFileOptions& options = {}) {
  const Result<BarFile> file = parse_bars(text, options, "aapl.csv");
  return file ? "accepted" : file.error().message;
}

TEST(BarFiles, UnusableHeadersAreErrors) {
  EXPECT_EQ(refusal(""), "aapl.csv has no header line");
  EXPECT_EQ(refusal("open,close\n1,2\n"),
            "aapl.csv: the file has no date column (its columns are open, close); name it in "
            "column_map");
  EXPECT_EQ(refusal("date,open\n1,2\n"),
            "aapl.csv: the file has no close column (its columns are date, open); name it in "
            "column_map");
  EXPECT_EQ(refusal("date,close,Close\n"),
            "aapl.csv: two columns are called 'close'; name the right one in column_map");
  BarFileOptions options;
  options.column_map = {{"clos", "x"}};
  EXPECT_EQ(refusal("date,close\n", options),
            "aapl.csv: column_map: 'clos' is not a field: one of date, time, open, high, low, "
            "close, adj_close, volume, symbol");
  options.column_map = {{"close", "x"}};
  EXPECT_EQ(refusal("date,close\n", options), "aapl.csv: column_map: the file has no column 'x'");
}

TEST(BarFiles, FilesAreBoundedAndErrorsNameThem) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("bars-" + std::to_string(thread_random().next())))
          .string();
  EXPECT_EQ(read_bars(path, {}).error().code, ErrorCode::not_found);
  std::ofstream(path) << "date,close\n2020-01-01,5\n";
  BarFileOptions options;
  options.symbol = "X.Y";
  EXPECT_EQ(read_bars(path, options)->series[0].symbol.text(), "X.Y");
  options.max_file_bytes = 10;
  EXPECT_EQ(read_bars(path, options).error().message, path + " has 24 bytes, at most 10 are read");
  EXPECT_EQ(read_bars(std::filesystem::temp_directory_path().string(), {}).error().code,
            ErrorCode::invalid_argument);
  (void)std::remove(path.c_str());
}

TEST(Numbers, AsFilesWriteThem) {
  const auto shown = [](std::string_view text) {
    const std::optional<Decimal> number = parse_number(text);
    return number ? number->to_string() : "none";
  };
  EXPECT_EQ(shown("1,234.5"), "1234.5");
  EXPECT_EQ(shown("12,345,678"), "12345678");
  EXPECT_EQ(shown("1e3"), "1000");
  EXPECT_EQ(shown("64.9628600000000049"), "64.96286");
  EXPECT_EQ(shown("0.123456785"), "0.12345679");
  EXPECT_EQ(shown("-0.123456785"), "-0.12345679");
  for (const char* bad :
       {"", "nan", "1,23", "1,2345", ",123", "1.2.3", "12a", "1.123456789x", "99999999999999"}) {
    EXPECT_EQ(shown(bad), "none") << bad;
  }
}

// Whatever the bytes, every data row is a bar or a rejection.
TEST(BarFiles, NothingIsDroppedSilently) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Random random(seed);
    std::string text = "date,close,volume\n";
    for (int i = 0; i < 40; ++i) {
      text += "2020-01-" + std::to_string(1 + random.below(33)) + "," +
              std::to_string(random.below(20)) + ",5\n";
      if (random.below(3) == 0)
        text[random.below(text.size() - 18) + 18] = ",\"\n5-x"[random.below(6)];
    }
    const Result<BarFile> file = parse_bars(text, {}, "x.csv");
    ASSERT_TRUE(file);
    const std::size_t bars = file->series.empty() ? 0 : file->series[0].bars.size();
    ASSERT_EQ(file->rows_read, bars + file->rows_rejected) << "seed " << seed;
  }
}

}  // namespace
}  // namespace alphaswarm::trading
