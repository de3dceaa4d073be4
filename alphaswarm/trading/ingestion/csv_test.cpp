#include "alphaswarm/trading/ingestion/csv.hpp"

#include <gtest/gtest.h>

#include "alphaswarm/base/random.hpp"

namespace alphaswarm::trading {
namespace {

// Records as "line:field|field", problems as "line!problem".
std::string read(std::string_view text, std::size_t limit = 1000) {
  CsvReader reader(text, ',', limit);
  CsvRecord record;
  std::string shown;
  while (reader.next(record)) {
    shown += std::to_string(record.line);
    if (!record.problem.empty()) {
      shown += "!" + std::string(record.problem) + "\n";
      continue;
    }
    char separator = ':';
    for (const std::string_view field : record.fields) {
      shown += separator + std::string(field);
      separator = '|';
    }
    shown += "\n";
  }
  return shown;
}

TEST(CsvReaders, PlainRecords) {
  EXPECT_EQ(read("a,b\n1, 2 \n"), "1:a|b\n2:1|2\n");
  EXPECT_EQ(read("a,b\r\n1,\r\n"), "1:a|b\n2:1|\n");
  EXPECT_EQ(read("a\n\n  \nb"), "1:a\n4:b\n");
  EXPECT_EQ(read("\xef\xbb\xbf"
                 "a,b\n"),
            "1:a|b\n");
  EXPECT_EQ(read(""), "");
  EXPECT_EQ(read("\n\n"), "");
}

TEST(CsvReaders, QuotedFields) {
  EXPECT_EQ(read("\"Jan 1, 2000\",\"say \"\"hi\"\"\",x\n"), "1:Jan 1, 2000|say \"hi\"|x\n");
  EXPECT_EQ(read("\"two\nlines\",b\nc,d\n"), "1:two\nlines|b\n3:c|d\n");
  EXPECT_EQ(read("\"\",\"\"\r\n"), "1:|\n");
}

TEST(CsvReaders, AQuoteThatIsNeverClosedCostsOneLine) {
  EXPECT_EQ(read("a\n\"b,c\nd,e\n", 5), "1:a\n2!a quote is never closed\n3:d|e\n");
  EXPECT_EQ(read("a\n\"b,c", 5), "1:a\n2!a quote is never closed\n");
}

TEST(CsvReaders, LongLinesAreBounded) {
  EXPECT_EQ(read("a\n" + std::string(11, 'x') + "\nb\n", 10), "1:a\n2!the line is too long\n3:b\n");
  EXPECT_EQ(read("a\n\"" + std::string(11, 'x') + "\"\nb\n", 10),
            "1:a\n2!the line is too long\n3:b\n");
}

// Whatever the bytes, the reader ends, and lines never go back.
TEST(CsvReaders, SurviveAnything) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Random random(seed);
    std::string text;
    for (int i = 0; i < 200; ++i) text += "a,\"\n\r \t1"[random.below(9)];
    CsvReader reader(text, ',', 20);
    CsvRecord record;
    std::size_t last = 0;
    while (reader.next(record)) {
      ASSERT_GT(record.line, last) << "seed " << seed;
      last = record.line;
    }
  }
}

}  // namespace
}  // namespace alphaswarm::trading
