#include "alphaswarm/tracestore/batch_log.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <vector>

#include "tests/support/process.hpp"

namespace alphaswarm::tracestore {
namespace {

namespace fs = std::filesystem;
using Records = std::vector<std::string>;

class Log : public ::testing::Test {
 protected:
  std::unique_ptr<BatchLog> open(Records* replayed = nullptr) {
    auto log = BatchLog::open(config_(), [&](std::string payload) {
      if (replayed != nullptr) replayed->push_back(std::move(payload));
    });
    EXPECT_TRUE(log) << log.error().message;
    return log ? std::move(*log) : nullptr;
  }
  Records replayed() {
    Records records;
    (void)open(&records);
    return records;
  }
  std::vector<fs::path> segments() {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(directory_)) {
      if (entry.path().extension() == ".log") found.push_back(entry.path());
    }
    std::ranges::sort(found);
    return found;
  }
  BatchLogConfig config_() const {
    return {.directory = directory_, .max_bytes = max_bytes_, .segment_bytes = segment_bytes_};
  }

  testing::TemporaryFolder folder_;
  const std::string directory_ = folder_.path().string();
  std::size_t max_bytes_ = 1'000'000;
  std::size_t segment_bytes_ = 100'000;
};

TEST_F(Log, GivesBackWhatWasAppended) {
  const std::string big(300'000, 'b');
  {
    auto log = open();
    EXPECT_TRUE(log->append("one"));
    EXPECT_TRUE(log->append(""));
    EXPECT_TRUE(log->append(big));
    EXPECT_TRUE(log->append("two"));
  }
  EXPECT_EQ(replayed(), (Records{"one", "", big, "two"}));
  (void)open()->append("three");
  EXPECT_EQ(replayed().size(), 5U);
}

TEST_F(Log, KeepsWithinItsBoundByDeletingTheOldestSegments) {
  for (int run = 0; run < 3; ++run) {
    auto log = open();
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(log->append(std::to_string(run * 100 + i) + std::string(20'000, 'x')));
      EXPECT_LE(log->stats().bytes, max_bytes_);
    }
  }
  std::uintmax_t size = 0;
  for (const fs::path& path : segments()) size += fs::file_size(path);
  EXPECT_LE(size, max_bytes_);
  const Records records = replayed();
  EXPECT_GT(records.size(), 30U);
  EXPECT_TRUE(records.back().starts_with("299x"));
}

TEST_F(Log, ATornTailIsSkipped) {
  {
    auto log = open();
    (void)log->append("whole");
    (void)log->append("cut off in the middle");
  }
  for (std::uintmax_t cut = 1; cut < 30; cut += 5) {
    fs::resize_file(segments().front(), fs::file_size(segments().front()) - 5);
    EXPECT_EQ(replayed(), Records{"whole"}) << cut;
  }
}

TEST_F(Log, ADamagedRecordEndsItsSegmentOnly) {
  segment_bytes_ = 1;  // a segment each
  {
    auto log = open();
    for (const char* text : {"first", "second", "third"}) (void)log->append(text);
  }
  ASSERT_EQ(segments().size(), 3U);
  std::fstream file(segments()[1], std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(-1, std::ios::end);
  file.put('?');
  file.close();
  Records records;
  auto log = open(&records);
  EXPECT_EQ(records, (Records{"first", "third"}));
  EXPECT_GT(log->stats().damaged_bytes, 0U);
  EXPECT_EQ(segments().size(), 2U);  // nothing was left in it
}

TEST_F(Log, GarbageFilesAreNoRecords) {
  std::ofstream(directory_ + "/batches-0000000000000001.log") << "not ours at all";
  std::ofstream(directory_ + "/batches-0000000000000002.log");
  std::ofstream(directory_ + "/readme.txt") << "hello";
  EXPECT_TRUE(replayed().empty());
}

TEST_F(Log, OneProcessAtATime) {
  auto log = open();
  const auto second = BatchLog::open(config_(), [](const std::string&) {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::conflict);
  EXPECT_NE(second.error().message.find(directory_), std::string::npos);
  const auto nowhere = BatchLog::open({.directory = "/proc/nowhere"}, [](const std::string&) {});
  EXPECT_FALSE(nowhere);
}

// A disk that is full, by way of the process's limit on file sizes.
TEST_F(Log, AFullDiskCostsOnlyWhatDoesNotFit) {
  std::signal(SIGXFSZ, SIG_IGN);
  ::rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  auto log = open();
  ASSERT_TRUE(log->append("before"));
  ::rlimit tight = before;
  tight.rlim_cur = 1'000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  const bool fitted = log->append(std::string(5'000, 'x'));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_FALSE(fitted);
  EXPECT_TRUE(log->append("after"));
  EXPECT_EQ(log->stats().failed_records, 1U);
  log.reset();
  EXPECT_EQ(replayed(), (Records{"before", "after"}));
}

}  // namespace
}  // namespace alphaswarm::tracestore
