#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "alphaswarm/persistence/connection.hpp"
#include "alphaswarm/persistence/sqlite_error.hpp"
#include "alphaswarm/persistence/statement_text.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace alphaswarm::persistence::detail {

struct ConnectionOptions {
  std::string path;  // ":memory:" allowed
  std::string name;  // for messages and observers
  bool read_only = false;
  std::chrono::milliseconds busy_timeout{5000};
  SqlObserver* observer = nullptr;
};

// One SQLite connection with its prepared statements. Used by one thread at a time.
class SqliteConnection final : public Connection {
 public:
  // Reported to the observer as `connect`.
  [[nodiscard]] static Result<std::unique_ptr<SqliteConnection>> open(
      const ConnectionOptions& options);
  ~SqliteConnection() override;

  [[nodiscard]] Result<void> begin() override;
  [[nodiscard]] Result<void> begin_schema_change() override;
  [[nodiscard]] Result<std::int64_t> execute(std::string_view sql,
                                             std::span<const Param> params) override;
  [[nodiscard]] Result<void> query(std::string_view sql, std::span<const Param> params,
                                   const ReadRow& each) override;
  [[nodiscard]] Result<std::int64_t> execute_each(std::string_view sql, std::size_t count,
                                                  std::size_t width, const BindRow& bind,
                                                  const RowChanged& changed) override;
  // A batch of INSERTs.
  [[nodiscard]] Result<std::int64_t> append(std::string_view table,
                                            std::span<const std::string_view> columns,
                                            std::size_t count, const BindRow& bind) override;
  [[nodiscard]] Result<std::int64_t> execute_silently(std::string_view sql,
                                                      std::span<const Param> params = {}) override;
  [[nodiscard]] Result<void> query_silently(std::string_view sql, const ReadRow& each) override;
  [[nodiscard]] TransactionState state() const noexcept override;
  [[nodiscard]] const std::string& name() const noexcept override { return options_.name; }
  [[nodiscard]] const Dialect& dialect() const noexcept override { return kSqliteDialect; }

 private:
  struct Prepared {
    sqlite3_stmt* statement = nullptr;
    StatementText text;
    int parameters = 0;
    std::shared_ptr<void> observer_notes{};
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  using Statements = std::unordered_map<std::string, Prepared, TextHash, std::equal_to<>>;

  explicit SqliteConnection(ConnectionOptions options) : options_(std::move(options)) {}
  [[nodiscard]] SqlResult<void> connect();
  [[nodiscard]] SqlResult<Statements::iterator> prepare(std::string_view sql);
  [[nodiscard]] SqlResult<void> bind(const Prepared& prepared, std::span<const Param> params);
  // Steps to the end; `each` may be null.
  [[nodiscard]] SqlResult<std::int64_t> run(const Prepared& prepared, std::span<const Param> params,
                                            const ReadRow* each);
  // Prepares, tells the observer, runs `body`.
  template <class Body>
  [[nodiscard]] Result<std::int64_t> observed(std::string_view sql, Body&& body);
  [[nodiscard]] std::unexpected<SqlError> failed(int code) const;
  void forget_statements() noexcept;

  ConnectionOptions options_;
  sqlite3* handle_ = nullptr;
  Statements statements_;
};

}  // namespace alphaswarm::persistence::detail
