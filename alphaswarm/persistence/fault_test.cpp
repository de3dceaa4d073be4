// What happens when the disk, the file or the process fails.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "alphaswarm/persistence/ledger_repository.hpp"
#include "alphaswarm/persistence/test_support.hpp"

namespace alphaswarm::persistence {
namespace {

using test::open_migrated;
using test::TemporaryFolder;
using ::testing::HasSubstr;

LedgerRow line(std::size_t payload_bytes) {
  LedgerRow row;
  row.entry_type = "META";
  row.payload_json = std::string(payload_bytes, 'x');
  return row;
}

// Runs `body` in a process of its own; the exit code it gives.
template <class Body>
int in_child(Body&& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

TEST(Faults, AFullDiskIsOneClearErrorAndKeepsWhatWasCommitted) {
  const TemporaryFolder folder;
  const int code = in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    auto database = open_migrated(folder.url());
    if (!LedgerRepository(*database).append(line(10))) return 2;
    // Every file of this process ends at a megabyte, as on a disk that is full.
    const rlimit limit{1'000'000, 1'000'000};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 3;
    auto transaction = database->begin();
    if (!transaction) return 4;
    Result<void> written;
    for (int i = 0; i < 1000 && written; ++i) {
      written = LedgerRepository(*transaction).append(line(100'000));
    }
    if (written) written = transaction->commit();
    if (written) return 5;
    if (written.error().code != ErrorCode::resource_exhausted) return 6;
    if (!written.error().retryable) return 7;
    if (written.error().message.find("is full") == std::string::npos) return 8;
    if (written.error().message.find("53100") == std::string::npos) return 9;
    transaction->rollback();
    // Reading goes on.
    return *LedgerRepository(*database).count_for_run("") == 1 ? 0 : 10;
  });
  EXPECT_EQ(code, 0);
  auto database = open_migrated(folder.url());
  EXPECT_EQ(*LedgerRepository(*database).count_for_run(""), 1);
  EXPECT_TRUE(LedgerRepository(*database).append(line(10)));
}

TEST(Faults, AKilledProcessLosesOnlyWhatItHadNotCommitted) {
  const TemporaryFolder folder;
  const int code = in_child([&] {
    auto database = open_migrated(folder.url());
    for (int i = 0; i < 5; ++i) {
      if (!LedgerRepository(*database).append(line(1000))) return 2;
    }
    auto transaction = database->begin();
    // More than the page cache holds, so that some of it is in the file already.
    for (int i = 0; i < 300; ++i) {
      if (!LedgerRepository(*transaction).append(line(100'000))) return 3;
    }
    ::kill(::getpid(), SIGKILL);
    return 4;
  });
  EXPECT_EQ(code, 1000 + SIGKILL);
  auto database = open_migrated(folder.url());
  EXPECT_EQ(*LedgerRepository(*database).count_for_run(""), 5);
  std::string verdict;
  ASSERT_TRUE(database->query("PRAGMA integrity_check", {},
                              [&](const Row& row) { verdict = row.text(0); }));
  EXPECT_EQ(verdict, "ok");
  EXPECT_TRUE(LedgerRepository(*database).append(line(10)));
}

TEST(Faults, ACorruptFileSaysSo) {
  const TemporaryFolder folder;
  std::ofstream(folder.file("test.db")) << std::string(8192, '?');
  const auto rubbish = Database::open(folder.url());
  ASSERT_FALSE(rubbish);
  EXPECT_EQ(rubbish.error().code, ErrorCode::data_loss);
  EXPECT_THAT(rubbish.error().message, HasSubstr("test.db is corrupt"));
  EXPECT_THAT(rubbish.error().message, HasSubstr("XX001"));
}

TEST(Faults, ADamagedPageIsFoundWhenItIsRead) {
  const TemporaryFolder folder;
  {
    auto database = open_migrated(folder.url());
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(LedgerRepository(*database).append(line(3000)));
  }
  {
    std::fstream file(folder.file("test.db"), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(0, std::ios::end);
    const std::streamoff size = file.tellg();
    for (std::streamoff at = size / 2; at < size; ++at) {
      file.seekp(at);
      file.put('\x5a');
    }
  }
  auto database = Database::open(folder.url());
  ASSERT_TRUE(database) << database.error().message;
  const auto rows = LedgerRepository(**database).list(100);
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code, ErrorCode::data_loss);
}

TEST(Faults, AMissingFolderSaysSo) {
  const auto database = Database::open("sqlite:////no/such/folder/test.db");
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().code, ErrorCode::unavailable);
  EXPECT_THAT(database.error().message, HasSubstr("check that its folder exists"));
  EXPECT_FALSE(database.error().retryable);
}

TEST(Faults, AReadOnlyFileSaysSo) {
  const TemporaryFolder folder;
  open_migrated(folder.url());
  const int code = in_child([&] {
    // Root may write everything, so become somebody else where that is possible.
    ::chmod(folder.file("test.db").c_str(), 0444);
    ::chmod(folder.file("").c_str(), 0555);
    if (::geteuid() == 0 && ::seteuid(65534) != 0) return 77;
    auto database = Database::open(folder.url());
    Result<void> written;
    if (!database) {
      written = std::unexpected(database.error());
    } else {
      written = LedgerRepository(**database).append(line(10));
    }
    if (written) return 2;
    if (written.error().code != ErrorCode::permission_denied) return 3;
    return written.error().message.find("may not be written") == std::string::npos ? 4 : 0;
  });
  ::chmod(folder.file("").c_str(), 0755);
  if (code == 77) GTEST_SKIP() << "cannot give up root's rights here";
  EXPECT_EQ(code, 0);
}

}  // namespace
}  // namespace alphaswarm::persistence
