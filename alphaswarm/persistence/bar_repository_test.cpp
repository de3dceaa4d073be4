#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "alphaswarm/persistence/test_support.hpp"

namespace alphaswarm::persistence {
namespace {

using test::bar;
using test::decimal;
using ::testing::ElementsAre;

class BarRepositoryTest : public test::EachDatabase {
 protected:
  test::NotingObserver observer_;
  std::shared_ptr<Database> database_ = test::open_migrated(fresh_url(), &observer_);
};

INSTANTIATE_TEST_SUITE_P(Each, BarRepositoryTest, test::kEachDatabase, test::name_of_kind);

TEST_P(BarRepositoryTest, BarsAreInsertedUpdatedOrLeftAlone) {
  BarRepository bars(*database_);
  std::vector<BarRow> rows;
  for (int day = 0; day < 10; ++day) rows.push_back(bar(day, "101"));
  auto counts = bars.upsert(rows);
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->inserted, 10);
  EXPECT_EQ(counts->updated + counts->unchanged, 0);

  counts = bars.upsert(rows);
  EXPECT_EQ(counts->unchanged, 10);
  EXPECT_EQ(counts->inserted + counts->updated, 0);

  rows[3].close = decimal("101.00000001");
  rows[4].adjusted_close = decimal("99");  // from absent to a value
  rows.push_back(bar(10, "102"));
  rows.push_back(bar(10, "103"));  // the same key again: the last one wins
  counts = bars.upsert(rows);
  EXPECT_EQ(counts->inserted, 1);
  EXPECT_EQ(counts->updated, 3);
  EXPECT_EQ(counts->unchanged, 8);

  const auto loaded = bars.load({.vt_symbol = "AAPL.NASDAQ"});
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->size(), 11U);
  rows.erase(rows.begin() + 10);
  EXPECT_EQ(*loaded, rows);
  EXPECT_EQ(*bars.count("AAPL.NASDAQ", "1d"), 11);
}

TEST_P(BarRepositoryTest, BarsAreLoadedByRangeAndLimit) {
  BarRepository bars(*database_);
  std::vector<BarRow> rows;
  for (int day = 0; day < 10; ++day) rows.push_back(bar(day, "101"));
  rows.push_back(bar(5, "7"));
  rows.back().interval = "1m";
  ASSERT_TRUE(bars.upsert(rows));
  const auto days = [&](BarQuery query) {
    query.vt_symbol = "AAPL.NASDAQ";
    const auto loaded = bars.load(query);
    std::vector<std::int64_t> result;
    for (const BarRow& row : *loaded) result.push_back(row.timestamp.value / 86'400'000'000'000);
    return result;
  };
  const UnixNanos third = rows[3].timestamp;
  const UnixNanos sixth = rows[6].timestamp;
  EXPECT_THAT(days({.vt_symbol = {}, .start = third, .end = sixth}), ElementsAre(3, 4, 5));
  EXPECT_THAT(days({.vt_symbol = {}, .start = third, .limit = 2}), ElementsAre(3, 4));
  EXPECT_THAT(days({.vt_symbol = {}, .limit = 2, .latest = true}), ElementsAre(8, 9));
  EXPECT_THAT(days({.vt_symbol = {}, .interval = "1m"}), ElementsAre(5));
  const auto symbols = bars.symbols();
  ASSERT_TRUE(symbols);
  ASSERT_EQ(symbols->size(), 2U);
  EXPECT_EQ((*symbols)[0].interval, "1d");
  EXPECT_EQ((*symbols)[0].bars, 10);
  EXPECT_EQ((*symbols)[0].last, rows[9].timestamp);
  EXPECT_EQ(*bars.usual_interval("AAPL.NASDAQ"), "1d");
  EXPECT_EQ(*bars.usual_interval("MSFT.NASDAQ"), std::nullopt);
  BarRow minute = bar(3, "100");
  minute.vt_symbol = "MSFT.NASDAQ";
  minute.interval = "1m";
  ASSERT_TRUE(bars.upsert(std::span(&minute, 1)));
  EXPECT_EQ(*bars.usual_interval("MSFT.NASDAQ"), "1m");
}

TEST_P(BarRepositoryTest, ManyBarsAreMergedLikeFew) {
  BarRepository bars(*database_);
  std::vector<BarRow> rows;
  for (int day = 1'500; day >= 0; --day) rows.push_back(bar(day, "101"));
  auto counts = bars.upsert(rows);
  ASSERT_TRUE(counts) << counts.error().message;
  EXPECT_EQ(counts->inserted, 1'501);
  EXPECT_EQ(counts->updated + counts->unchanged, 0);

  rows[3].close = decimal("101.00000001");
  rows[4].adjusted_close = decimal("99");
  rows.push_back(bar(2'000, "102"));
  rows.push_back(bar(2'000, "103"));  // the same key again: the last one wins
  rows.push_back(bar(7, "101"));      // and the same once more
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto transaction = database_->begin();
    ASSERT_TRUE(transaction);
    counts = BarRepository(*transaction).upsert(rows);
    ASSERT_TRUE(counts) << counts.error().message;
    EXPECT_EQ(counts->inserted, 1);
    EXPECT_EQ(counts->updated, 3);
    EXPECT_EQ(counts->unchanged, 1'500);
    if (attempt == 1) ASSERT_TRUE(transaction->commit());
  }
  const auto last = bars.load({.vt_symbol = "AAPL.NASDAQ", .limit = 1, .latest = true});
  ASSERT_TRUE(last);
  EXPECT_EQ(last->front().close, decimal("103"));
  EXPECT_EQ(*bars.count("AAPL.NASDAQ", "1d"), 1'502);
}

TEST_P(BarRepositoryTest, BarsThatAreThereAreLeftAloneIfAskedTo) {
  BarRepository bars(*database_);
  BarRow ingested = bar(1, "101");
  ingested.adjusted_close = decimal("99");
  ASSERT_TRUE(bars.upsert(std::span(&ingested, 1)));
  const std::vector<BarRow> live = {bar(1, "105"), bar(2, "106"), bar(2, "107")};
  const auto inserted = bars.insert_absent(live);
  ASSERT_TRUE(inserted) << inserted.error().message;
  EXPECT_EQ(*inserted, 1);
  EXPECT_THAT(*bars.load({.vt_symbol = "AAPL.NASDAQ"}), ElementsAre(ingested, live[1]));
  EXPECT_EQ(*bars.insert_absent(live), 0);
  EXPECT_EQ(*bars.insert_absent({}), 0);
}

TEST_P(BarRepositoryTest, BarsAreAppendedUnlessOneIsThere) {
  BarRepository bars(*database_);
  std::vector<BarRow> rows;
  for (int day = 0; day < 1'000; ++day) rows.push_back(bar(day, "101"));
  rows[5].adjusted_close = decimal("99");
  ASSERT_TRUE(bars.append(rows));
  EXPECT_EQ(*bars.load({.vt_symbol = "AAPL.NASDAQ"}), rows);
  rows.push_back(bar(5'000, "1"));
  const auto again = bars.append(rows);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::already_exists);
  EXPECT_EQ(*bars.count("AAPL.NASDAQ", "1d"), 1'000);
}

TEST_P(BarRepositoryTest, AnUpsertOfBarsIsTwoStatementsAtMost) {
  BarRepository bars(*database_);
  std::vector<BarRow> rows;
  for (int day = 0; day < 100; ++day) rows.push_back(bar(day, "101"));
  observer_.take();
  ASSERT_TRUE(bars.upsert(rows));
  EXPECT_THAT(observer_.take(), ElementsAre("BEGIN", "INSERT bars", "COMMIT"));
  ASSERT_TRUE(bars.upsert(rows));
  EXPECT_THAT(observer_.take(), ElementsAre("BEGIN", "INSERT bars", "UPDATE bars", "COMMIT"));
  ASSERT_TRUE(bars.upsert({}));
  EXPECT_THAT(observer_.take(), ElementsAre());
}

}  // namespace
}  // namespace alphaswarm::persistence
