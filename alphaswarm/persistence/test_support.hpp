#pragma once

// For this module's tests.

#include <gtest/gtest.h>

#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/base/decimal.hpp"
#include "alphaswarm/persistence/bar_repository.hpp"
#include "alphaswarm/persistence/database.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/process.hpp"

namespace alphaswarm::persistence::test {

// A folder that goes with the test.
class TemporaryFolder : public alphaswarm::testing::TemporaryFolder {
 public:
  [[nodiscard]] std::string file(const std::string& name) const { return (path() / name).string(); }
  [[nodiscard]] std::string url() const { return "sqlite:///" + file("test.db"); }
};

// Notes "operation target" of each statement, and "!sqlstate" behind those that fail.
class NotingObserver final : public SqlObserver {
 public:
  ObserverToken started(const SqlStatementInfo& statement) noexcept override {
    const std::scoped_lock lock(mutex_);
    std::string name(statement.operation);
    if (!statement.target.empty()) name.append(" ").append(statement.target);
    notes_.push_back(name);
    texts_.emplace_back(statement.text);
    database_ = statement.database;
    ++open_;
    return reinterpret_cast<ObserverToken>(notes_.size());
  }
  void finished(ObserverToken token, const Error* error,
                std::string_view sqlstate) noexcept override {
    const std::scoped_lock lock(mutex_);
    --open_;
    if (error != nullptr)
      notes_[reinterpret_cast<std::size_t>(token) - 1] += "!" + std::string(sqlstate);
  }
  std::vector<std::string> take() {
    const std::scoped_lock lock(mutex_);
    EXPECT_EQ(open_, 0);
    texts_.clear();
    return std::exchange(notes_, {});
  }
  std::vector<std::string> texts() {
    const std::scoped_lock lock(mutex_);
    return texts_;
  }
  std::string database() {
    const std::scoped_lock lock(mutex_);
    return database_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> notes_;
  std::vector<std::string> texts_;
  std::string database_;
  int open_ = 0;
};

// One server for all tests of this binary.
inline alphaswarm::testing::Postgres& postgres() {
  static alphaswarm::testing::Postgres server({.settings = {{"max_connections", "60"}}});
  return server;
}

// The databases a test of the common kit runs on.
struct Kind {
  std::string_view system;
  friend void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.system; }
};
inline const auto kEachDatabase = ::testing::Values(Kind{"sqlite"}, Kind{"postgresql"});
inline std::string name_of_kind(const ::testing::TestParamInfo<Kind>& tested) {
  return std::string(tested.param.system);
}

// A test that gets the URL of an empty database of either kind, and another each time it asks.
class EachDatabase : public ::testing::TestWithParam<Kind> {
 protected:
  [[nodiscard]] bool is_postgres() const { return GetParam().system == "postgresql"; }
  [[nodiscard]] std::string fresh_url() {
    if (is_postgres()) return postgres().create_database();
    folders_.emplace_back();
    return folders_.back().url();
  }

 private:
  std::list<TemporaryFolder> folders_;
};

inline std::shared_ptr<Database> open_migrated(const std::string& url,
                                               SqlObserver* observer = nullptr) {
  auto database = Database::open(url, observer);
  EXPECT_TRUE(database) << database.error().message;
  const auto done = migrate(**database);
  EXPECT_TRUE(done) << done.error().message;
  return *database;
}

inline Decimal decimal(std::string_view text) { return *Decimal::parse(text); }

// Of AAPL.NASDAQ, on that day of 1970 and after.
inline BarRow bar(std::int64_t day, std::string_view close) {
  BarRow row;
  row.vt_symbol = "AAPL.NASDAQ";
  row.interval = "1d";
  row.timestamp = {day * 86'400'000'000'000};
  row.open = decimal("100.12345678");
  row.high = decimal("110");
  row.low = decimal("90.5");
  row.close = decimal(close);
  row.volume = decimal("1234567890");
  return row;
}

}  // namespace alphaswarm::persistence::test
