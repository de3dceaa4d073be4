#pragma once

// For this module's tests.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "alphaswarm/persistence/database.hpp"

namespace alphaswarm::persistence::test {

// A folder that goes with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "store-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }
  [[nodiscard]] std::string url() const { return "sqlite:///" + file("test.db"); }

 private:
  std::filesystem::path path_;
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

inline std::shared_ptr<Database> open_migrated(const std::string& url,
                                               SqlObserver* observer = nullptr) {
  auto database = Database::open(url, observer);
  EXPECT_TRUE(database) << database.error().message;
  const auto done = migrate(**database);
  EXPECT_TRUE(done) << done.error().message;
  return *database;
}

}  // namespace alphaswarm::persistence::test
