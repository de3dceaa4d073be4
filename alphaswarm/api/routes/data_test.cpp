#include "alphaswarm/api/routes/data.hpp"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "alphaswarm/api/testing/service.hpp"
#include "alphaswarm/persistence/bar_repository.hpp"
#include "alphaswarm/trading/ingestion/ingestion_task.hpp"

namespace alphaswarm::api {
namespace {

using testing::Service;

constexpr std::int64_t kDay = 86'400'000'000'000;

void store_bars(Service& service, std::string_view symbol, std::string_view interval, int count) {
  std::vector<persistence::BarRow> rows;
  for (int i = 0; i < count; ++i) {
    persistence::BarRow row;
    row.vt_symbol = symbol;
    row.interval = interval;
    row.timestamp = UnixNanos{i * kDay};
    row.open = row.low = Decimal::from_integer(10 + i);
    row.high = row.close = *Decimal::parse("12.12345678") + Decimal::from_integer(i);
    row.volume = Decimal::from_integer(1000);
    rows.push_back(row);
  }
  ASSERT_TRUE(persistence::BarRepository(service.database()).upsert(rows).has_value());
}

TEST(DataRoutes, ListSymbolsWithCountsAndRange) {
  Service service;
  EXPECT_TRUE(service.get_json("/data", "SymbolSummary[]").as_array().empty());
  store_bars(service, "AAPL.NASDAQ", "1d", 3);
  const auto list = service.get_json("/data", "SymbolSummary[]");
  ASSERT_EQ(list.as_array().size(), 1U);
  EXPECT_EQ(list.at(0).at("count").as_int64(), 3);
  EXPECT_EQ(list.at(0).at("last").as_string(), "1970-01-03T00:00:00.000000000Z");
}

TEST(DataRoutes, GiveBarsInOrderOfTimeTheLatestIfThereAreTooMany) {
  Service service;
  store_bars(service, "AAPL.NASDAQ", "1d", 5);
  const auto all = service.get_json("/data/AAPL.NASDAQ/bars", "Bars");
  EXPECT_EQ(all.at("count").as_int64(), 5);
  EXPECT_EQ(all.at("bars").at(0).at("timestamp").as_string(), "1970-01-01T00:00:00.000000000Z");
  EXPECT_NE(service.get("/data/AAPL.NASDAQ/bars").body.find(R"("close":12.12345678,)"),
            std::string::npos);
  const auto latest = service.get_json("/data/AAPL.NASDAQ/bars?limit=2", "Bars");
  ASSERT_EQ(latest.at("count").as_int64(), 2);
  EXPECT_EQ(latest.at("bars").at(0).at("open").to_number<double>(), 13);
  const auto range = service.get_json(
      "/data/AAPL.NASDAQ/bars?start=1970-01-02&end=1970-01-04T00:00:00Z&interval=1d", "Bars");
  ASSERT_EQ(range.at("count").as_int64(), 2);
  EXPECT_EQ(range.at("bars").at(0).at("open").to_number<double>(), 11);
}

TEST(DataRoutes, ShowTheOnlyIntervalThereIs) {
  Service service;
  store_bars(service, "IBM.NYSE", "1mo", 2);
  EXPECT_EQ(service.get_json("/data/IBM.NYSE/bars", "Bars").at("count").as_int64(), 2);
  const auto none = service.get_json("/data/IBM.NYSE/bars?interval=1d", "Bars");
  EXPECT_EQ(none.at("count").as_int64(), 0);
}

TEST(DataRoutes, SayWhatIsWrongWithAQuestion) {
  Service service;
  EXPECT_EQ(service.refusal("GET", "/data/NONE.X/bars", "", 404),
            "There is no symbol with bars 'NONE.X'.");
  const auto wrong = service.call("GET", "/data/NONE.X/bars?start=soon&interval=7x&limit=-1", "",
                                  422, "ValidationErrors");
  EXPECT_EQ(wrong.at("detail").as_array().size(), 3U);
}

TEST(DataRoutes, IngestQueuesTheTaskWithItsArguments) {
  Service service;
  service.start_worker(trading::kIngestTask,
                       [](tasks::TaskContext& context) -> net::task<Result<boost::json::value>> {
                         boost::json::value echo = context.kwargs;
                         co_return echo;
                       });
  const auto accepted =
      service.call("POST", "/data/ingest",
                   R"({"path":"/data/aapl.csv","column_map":{"Price":"close"},"overwrite":true})",
                   202, "TaskAccepted");
  const tasks::TaskResult result =
      service.wait_for(std::string(accepted.at("task_id").as_string()));
  EXPECT_EQ(result.result.at("source_dir").as_string(), "/data/aapl.csv");
  EXPECT_EQ(result.result.at("column_map").at("Price").as_string(), "close");
  EXPECT_TRUE(result.result.at("overwrite").as_bool());
}

TEST(DataRoutes, IngestNamesWhatIsMissingOrUnknown) {
  Service service;
  const auto wrong =
      service.call("POST", "/data/ingest", R"({"folder":"/x","tz":"Mars","interval":"7x"})", 422,
                   "ValidationErrors");
  EXPECT_EQ(wrong.at("detail").as_array().size(), 4U);
}

}  // namespace
}  // namespace alphaswarm::api
