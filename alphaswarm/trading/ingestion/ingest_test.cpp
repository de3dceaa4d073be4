#include "alphaswarm/trading/ingestion/ingest.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fstream>

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/persistence/bar_repository.hpp"
#include "alphaswarm/tasks/test_support.hpp"
#include "alphaswarm/trading/ingestion/ingestion_task.hpp"

namespace alphaswarm::trading {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// A folder that is gone after the test, and an empty database.
class Ingestion : public testing::Test {
 protected:
  Ingestion() : folder_(fs::temp_directory_path() / ("ingest-" + random_uuid())) {
    fs::create_directory(folder_);
    database_ = *persistence::Database::open("sqlite://:memory:");
    EXPECT_TRUE(persistence::migrate(*database_));
  }
  ~Ingestion() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, std::string_view text) {
    const fs::path path = folder_ / name;
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }
  IngestReport ingest(const std::string& path, const IngestOptions& options = {}) {
    Result<IngestReport> report = ingest_file(*database_, path, options);
    EXPECT_TRUE(report) << report.error().message;
    return report ? std::move(*report) : IngestReport{};
  }
  std::string bars(std::string_view symbol, std::string_view interval = "1d") {
    std::string text;
    const auto rows =
        persistence::BarRepository(*database_).load({.vt_symbol = symbol, .interval = interval});
    for (const persistence::BarRow& row : *rows) {
      text += to_rfc3339(row.timestamp).substr(0, 10) + " " + row.close.to_string() +
              (row.adjusted_close ? " adj " + row.adjusted_close->to_string() : "") + "\n";
    }
    return text;
  }

  fs::path folder_;
  std::shared_ptr<persistence::Database> database_;
};

constexpr std::string_view kThreeDays =
    "Date,Close,Adj Close\n2020-01-01,10,9\n2020-01-02,11,9.5\n2020-01-03,12,10\n";

TEST_F(Ingestion, TwiceChangesNothingACorrectionUpdatesWhatDiffers) {
  const std::string path = write("aapl.csv", kThreeDays);
  EXPECT_EQ(ingest(path).symbols[0].inserted, 3);
  EXPECT_EQ(bars("AAPL.LOCAL"),
            "2020-01-01 10 adj 9\n2020-01-02 11 adj 9.5\n2020-01-03 12 adj 10\n");
  const IngestReport again = ingest(path);
  EXPECT_EQ(again.symbols[0].unchanged, 3);
  EXPECT_EQ(again.rows_written, 0);
  write("aapl.csv", "Date,Close,Adj Close\n2020-01-02,11.5,9.5\n2020-01-03,12,10\n");
  const IngestReport corrected = ingest(path);
  EXPECT_EQ(corrected.symbols[0].updated, 1);
  EXPECT_EQ(corrected.symbols[0].unchanged, 1);
  EXPECT_EQ(corrected.rows_written, 1);
  EXPECT_EQ(bars("AAPL.LOCAL"),
            "2020-01-01 10 adj 9\n2020-01-02 11.5 adj 9.5\n2020-01-03 12 adj 10\n");
}

TEST_F(Ingestion, OverwriteMakesTheBarsThoseOfTheFile) {
  const std::string path = write("aapl.csv", kThreeDays);
  (void)ingest(path);
  write("aapl.csv", "Date,Close\n2020-01-02,11\n2020-01-09,5\n");
  const IngestReport report = ingest(path, {.overwrite = true});
  EXPECT_EQ(report.symbols[0].deleted, 2);
  EXPECT_EQ(bars("AAPL.LOCAL"), "2020-01-02 11\n2020-01-09 5\n");
}

TEST_F(Ingestion, ManyRowsAreWrittenInParts) {
  std::string text = "date,close\n";
  for (int i = 0; i < 12'001; ++i) text += std::to_string(1'500'000'000 + i * 60) + ",5\n";
  const IngestReport report = ingest(write("many.csv", text));
  EXPECT_EQ(report.symbols[0].inserted, 12'001);
  EXPECT_EQ(report.symbols[0].interval, Interval::minute);
  EXPECT_EQ(*persistence::BarRepository(*database_).count("MANY.LOCAL", "1m"), 12'001);
}

TEST_F(Ingestion, FilesOfAFolderByGlob) {
  for (const char* name : {"b.csv", "a.csv", "c.txt", ".hidden.csv"}) write(name, "date,close\n");
  fs::create_directory(folder_ / "d.csv");
  const auto files = files_to_ingest(folder_.string(), {});
  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 2U);
  EXPECT_TRUE((*files)[0].ends_with("a.csv"));
  EXPECT_EQ(files_to_ingest(folder_.string(), {.glob = "*.xls"}).error().message,
            "no file in " + folder_.string() + " matches *.xls");
  EXPECT_EQ(files_to_ingest(folder_.string(), {.max_files = 1}).error().code,
            ErrorCode::resource_exhausted);
  EXPECT_EQ(files_to_ingest("/nowhere", {}).error().code, ErrorCode::not_found);
  EXPECT_EQ(files_to_ingest((folder_ / "c.txt").string(), {})->size(), 1U);
}

// The task, as the API queues it, with every frame it sends.
class IngestionTask : public Ingestion {
 protected:
  IngestionTask() : worker_(system_.make_worker()) {
    register_ingestion_task(*worker_, *system_.database);
    worker_->start();
  }
  tasks::TaskResult run(json::object arguments) {
    const auto id = net::block_on(
        system_.runtime, system_.queue->apply_async(std::string(kIngestTask), {},
                                                    std::move(arguments), {.queue = "ingestion"}));
    EXPECT_TRUE(id);
    return system_.wait(*id);
  }

  tasks::test::System system_;
  std::unique_ptr<tasks::Worker> worker_;
};

TEST_F(IngestionTask, ReportsEveryFile) {
  write("aapl.csv", kThreeDays);
  write("bad.csv", "nothing,here\n");
  write("msft.csv", "Datum,Schluss\n2020-01-01,5\n2020-01-02,-1\n");
  const tasks::TaskResult result =
      run({{"source_dir", folder_.string()},
           {"column_map", json::object{{"date", "Datum"}, {"close", "Schluss"}}}});
  // aapl.csv lacks the mapped columns: it fails as bad.csv does, and the third goes on.
  ASSERT_EQ(result.status, tasks::kSuccess) << json::serialize(result.result);
  const json::object& report = result.result.as_object();
  EXPECT_EQ(report.at("files_count"), 3);
  EXPECT_EQ(report.at("files_failed"), 2);
  EXPECT_EQ(report.at("rows_read"), 2);
  EXPECT_EQ(report.at("rows_rejected"), 1);
  const json::object& last = report.at("files").as_array()[2].as_object();
  EXPECT_EQ(json::serialize(last.at("rejected")),
            R"([{"line":3,"reason":"close is -1, must be more than 0"}])");
}

TEST_F(IngestionTask, OneFileWithItsSymbol) {
  const std::string path = write("x.csv", kThreeDays);
  const tasks::TaskResult result =
      run({{"source_dir", path}, {"symbol", "AAPL.NASDAQ"}, {"interval", "1d"}});
  ASSERT_EQ(result.status, tasks::kSuccess);
  EXPECT_EQ(*persistence::BarRepository(*system_.database).count("AAPL.NASDAQ", "1d"), 3);
}

TEST_F(IngestionTask, BadArgumentsFailWithOneSentence) {
  const auto refusal = [&](json::object arguments) {
    const tasks::TaskResult result = run(std::move(arguments));
    EXPECT_EQ(result.status, tasks::kFailure);
    return result.error;
  };
  EXPECT_EQ(refusal({}), "load_local_directory: source_dir is missing: a folder or a file");
  EXPECT_EQ(refusal({{"source_dir", "/x"}, {"format", "parquet"}}),
            "load_local_directory: format is 'parquet', must be csv");
  EXPECT_EQ(refusal({{"source_dir", "/x"}, {"tz", "Mars"}}),
            "load_local_directory: time zone 'Mars' is not UTC or a fixed offset such as +02:00; "
            "named zones are not supported");
  EXPECT_EQ(refusal({{"source_dir", "/nowhere"}}), "there is no file or folder /nowhere");
  const std::string path = write("bad.csv", "nothing,here\n");
  EXPECT_EQ(refusal({{"source_dir", path}}),
            "bad.csv: the file has no date column (its columns are nothing, here); name it in "
            "column_map");
}

}  // namespace
}  // namespace alphaswarm::trading
