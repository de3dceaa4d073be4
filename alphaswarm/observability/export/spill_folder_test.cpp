// Batches on disk: whole or not there, bounded, and sent by one at a time.

#include "alphaswarm/observability/export/spill_folder.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "alphaswarm/observability/export/spill_fixture_test.hpp"

#if ALPHASWARM_OTEL

namespace alphaswarm::observability {
namespace {

namespace fs = std::filesystem;
using testing::kNobody;
using testing::SpillTest;

class SpillFolderTest : public SpillTest {};

TEST_F(SpillFolderTest, WhatIsKeptComesBackByteForByte) {
  SpillAccount account;
  SpillFolder first = folder();
  const std::string requests[] = {"first", std::string(300'000, 'x'), std::string("\0\xff", 2)};
  for (std::uint32_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(first.store({requests[i], i + 7}, account).has_value());
  }
  EXPECT_EQ(fs::status(folder_).permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(files()[0]).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  const SpillFolder second = folder();
  const auto names = second.names();
  ASSERT_EQ(names.size(), 3U);
  for (std::uint32_t i = 0; i < 3; ++i) {
    const auto kept = second.take(names[i], account);
    ASSERT_TRUE(kept.has_value());
    EXPECT_EQ(kept->batch().request.joined(), requests[i]);
    EXPECT_EQ(kept->batch().span_count, i + 7);
    EXPECT_FALSE(first.take(names[i], account).has_value()) << "taken twice at a time";
    kept->remove();
  }
  EXPECT_TRUE(first.names().empty());
  EXPECT_EQ(account.set_aside.load(), 0U);
}

// As du(1) counts: the list of names, and all files.
std::uint64_t on_disk(const fs::path& folder) {
  struct stat found{};
  EXPECT_EQ(::stat(folder.c_str(), &found), 0);
  auto bytes = static_cast<std::uint64_t>(found.st_blocks) * 512;
  for (const auto& each : fs::directory_iterator(folder)) {
    EXPECT_EQ(::stat(each.path().c_str(), &found), 0);
    bytes += static_cast<std::uint64_t>(found.st_blocks) * 512;
  }
  return bytes;
}

TEST_F(SpillFolderTest, TheBoundCountsBlocksOfTheDisk) {
  SpillAccount account;
  constexpr std::uint64_t kMost = 100'000;
  SpillFolder bounded = folder(kMost);
  for (int i = 0; i < 200; ++i) {  // in bytes, all of them would fit
    ASSERT_TRUE(bounded.store({"small", 1}, account).has_value());
  }
  EXPECT_LE(on_disk(folder_), kMost);
  EXPECT_GT(on_disk(folder_), kMost - 3 * 4'096);
  EXPECT_EQ(account.overwritten.load(), 200 - bounded.names().size());
  // A size that ends just behind a block.
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(bounded.store({std::string(4'090, 'x'), 1}, account).has_value());
  }
  EXPECT_LE(on_disk(folder_), kMost);
}

TEST_F(SpillFolderTest, IsBoundedAndTheOldestGo) {
  SpillAccount account;
  static_cast<void>(folder());
  SpillFolder bounded = folder(on_disk(folder_) + 3 * 4'096 + 100);
  const std::string request(3'000, 'x');
  for (std::uint32_t i = 1; i <= 6; ++i) {
    ASSERT_TRUE(bounded.store({request, i}, account).has_value());
  }
  const auto names = bounded.names();
  ASSERT_EQ(names.size(), 3U);
  EXPECT_EQ(account.overwritten.load(), 1U + 2U + 3U);
  EXPECT_EQ(bounded.take(names[0], account)->batch().span_count, 4U);
  EXPECT_FALSE(bounded.store({std::string(20'000, 'x'), 1}, account).has_value());
  // One that is being sent stays.
  const auto sending = bounded.take(names[0], account);
  ASSERT_TRUE(bounded.store({std::string(6'000, 'x'), 9}, account).has_value());
  EXPECT_EQ(bounded.names().front(), names[0]);
  EXPECT_EQ(account.overwritten.load(), 6U + 5U + 6U);
}

TEST_F(SpillFolderTest, DamagedAndForeignFilesAreSetAside) {
  SpillAccount account;
  SpillFolder spill = folder(200'000);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(spill.store({std::string(1'000, 'a'), 1}, account).has_value());
  }
  const auto kept = files();
  fs::resize_file(kept[0], 500);  // torn
  {
    std::fstream flipped(kept[1], std::ios::in | std::ios::out | std::ios::binary);
    flipped.seekp(600);
    flipped.put('b');
  }
  std::ofstream(kept[2], std::ios::trunc) << "something else";
  std::ofstream(folder_ / "notes.txt") << "not ours";  // stays as it is
  ASSERT_EQ(::mkfifo((folder_ / "00000000000000000001-0000000000000000-1-9.spill").c_str(), 0600),
            0);
  int good = 0;
  for (const std::string& name : spill.names()) {
    if (const auto one = spill.take(name, account)) {
      ++good;
      EXPECT_EQ(one->batch().request.joined(), std::string(1'000, 'a'));
    }
  }
  EXPECT_EQ(good, 1);
  EXPECT_EQ(account.set_aside.load(), 4U);
  EXPECT_EQ(files(".bad").size(), 4U);
  EXPECT_EQ(spill.names().size(), 1U);
  EXPECT_TRUE(fs::exists(folder_ / "notes.txt"));
  // They make room for new ones first.
  ASSERT_TRUE(spill.store({std::string(180'000, 'c'), 1}, account).has_value());
  EXPECT_EQ(spill.names().size(), 2U);
  EXPECT_LT(files(".bad").size(), 4U);
  EXPECT_EQ(account.overwritten.load(), 0U);
}

TEST_F(SpillFolderTest, AHalfWrittenFileOfADeadWriterGoes) {
  static_cast<void>(folder());
  const fs::path old = folder_ / "00000000000000000001-0000000000000000-1-99.spill.tmp";
  const fs::path held = folder_ / "00000000000000000002-0000000000000000-1-99.spill.tmp";
  const fs::path young = folder_ / "00000000000000000003-0000000000000000-1-99.spill.tmp";
  for (const fs::path& each : {old, held, young}) std::ofstream(each) << "half";
  for (const fs::path& each : {old, held}) {
    fs::last_write_time(each, fs::file_time_type::clock::now() - std::chrono::minutes(5));
  }
  const int writer = ::open(held.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(::flock(writer, LOCK_EX), 0);
  EXPECT_TRUE(folder().names().empty());
  ::close(writer);
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(held));
  EXPECT_TRUE(fs::exists(young));
}

TEST_F(SpillFolderTest, ABoundWithoutRoomForTwoBatchesIsAnError) {
  Config small = config(kNobody);
  small.max_batch_bytes = 100'000;
  small.spill_max_bytes = small.least_spill_bytes() - 1;
  const auto refused = TracerProvider::create(small);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(
      refused.error().message,
      "spill_max_bytes must be at least 331072, room for two batches of max_batch_bytes and a "
      "span each");
  small.spill_max_bytes = small.least_spill_bytes();
  EXPECT_TRUE(TracerProvider::create(small).has_value());
}

TEST_F(SpillFolderTest, AFolderThatCannotBeMadeIsAnError) {
  std::ofstream(folder_) << "a file";
  const auto made = TracerProvider::create(config(kNobody));
  ASSERT_FALSE(made.has_value());
  EXPECT_NE(made.error().message.find(folder_.string()), std::string::npos);
}

}  // namespace
}  // namespace alphaswarm::observability

#endif
