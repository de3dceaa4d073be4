#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "alphaswarm/persistence/database.hpp"
#include "alphaswarm/persistence/sqlite_error.hpp"
#include "alphaswarm/persistence/statement_text.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace alphaswarm::persistence::detail {

template <class T>
using SqlResult = std::expected<T, SqlError>;

struct ConnectionOptions {
  std::string path;  // ":memory:" allowed
  std::string name;  // for messages and observers
  bool read_only = false;
  std::chrono::milliseconds busy_timeout{5000};
  SqlObserver* observer = nullptr;
};

// One SQLite connection with its prepared statements. Used by one thread at a time.
class SqliteConnection {
 public:
  // Reported to the observer as `connect`.
  [[nodiscard]] static Result<std::unique_ptr<SqliteConnection>> open(
      const ConnectionOptions& options);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  [[nodiscard]] Result<std::int64_t> execute(std::string_view sql, std::span<const Param> params);
  // The two that are not told to the observer: for savepoints and migrations.
  [[nodiscard]] Result<void> query_silently(std::string_view sql, const ReadRow& each);
  [[nodiscard]] Result<std::int64_t> execute_silently(std::string_view sql,
                                                      std::span<const Param> params = {});
  [[nodiscard]] Result<void> query(std::string_view sql, std::span<const Param> params,
                                   const ReadRow& each);
  // Without a transaction of its own.
  [[nodiscard]] Result<std::int64_t> execute_each(std::string_view sql, std::size_t count,
                                                  std::size_t width, const BindRow& bind,
                                                  const RowChanged& changed);
  // SQLite ends a transaction by itself after some errors (a full disk, say).
  [[nodiscard]] bool in_transaction() const noexcept;
  [[nodiscard]] const std::string& name() const noexcept { return options_.name; }

 private:
  struct Prepared {
    sqlite3_stmt* statement = nullptr;
    StatementText text;
    int parameters = 0;
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
