#include "alphaswarm/persistence/sqlite_connection.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <utility>
#include <vector>

#include "alphaswarm/persistence/observation.hpp"

namespace alphaswarm::persistence::detail {
namespace {

constexpr std::size_t kMaxStatements = 256;  // kept prepared; then all are dropped and made anew
constexpr std::string_view kSystem = "sqlite";

class SqliteCells final : public CellReader {
 public:
  explicit SqliteCells(sqlite3_stmt* statement) noexcept : statement_(statement) {}
  [[nodiscard]] bool is_null(int column) const noexcept override {
    return ::sqlite3_column_type(statement_, column) == SQLITE_NULL;
  }
  [[nodiscard]] std::int64_t integer(int column) const noexcept override {
    return ::sqlite3_column_int64(statement_, column);
  }
  [[nodiscard]] double real(int column) const noexcept override {
    return ::sqlite3_column_double(statement_, column);
  }
  [[nodiscard]] std::string_view text(int column) const noexcept override {
    const unsigned char* text = ::sqlite3_column_text(statement_, column);
    if (text == nullptr) return {};
    return {reinterpret_cast<const char*>(text),
            static_cast<std::size_t>(::sqlite3_column_bytes(statement_, column))};
  }

 private:
  sqlite3_stmt* statement_;
};

int bind_one(sqlite3_stmt* statement, int index, const Param& param) {
  switch (param.kind()) {
    case Param::Kind::null:
      return ::sqlite3_bind_null(statement, index);
    case Param::Kind::integer:
      return ::sqlite3_bind_int64(statement, index, param.integer());
    case Param::Kind::real:
      return ::sqlite3_bind_double(statement, index, param.real());
    case Param::Kind::text: {
      // The text outlives the statement's run, so SQLite need not copy it. An empty view may have
      // a null pointer, which SQLite would take for NULL.
      const std::string_view text = param.text();
      const char* data = text.data() == nullptr ? "" : text.data();
      return ::sqlite3_bind_text64(statement, index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
    }
  }
  return SQLITE_MISUSE;
}

}  // namespace

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const ConnectionOptions& options) {
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(options));
  Observation observation(options.observer,
                          SqlStatementInfo{"", "connect", "", kSystem, connection->options_.name});
  const SqlResult<void> connected = connection->connect();
  observation.finish(connected ? nullptr : &connected.error());
  if (!connected) return std::unexpected(connected.error().error);
  return connection;
}

SqliteConnection::~SqliteConnection() {
  forget_statements();
  ::sqlite3_close(handle_);
}

SqlResult<void> SqliteConnection::connect() {
  const int access =
      options_.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  // Each connection is used by one thread at a time, so SQLite's own mutexes are not needed.
  const int code = ::sqlite3_open_v2(options_.path.c_str(), &handle_,
                                     access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  if (code != SQLITE_OK) return failed(code);
  ::sqlite3_busy_timeout(handle_, static_cast<int>(options_.busy_timeout.count()));
  // WAL: readers and the writer do not wait for one another. NORMAL: a power cut may take the
  // last commits but never damages the file; a killed process loses nothing committed.
  const char* setup = options_.read_only ? "PRAGMA foreign_keys=ON; PRAGMA cache_size=-4000;"
                                         : "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
                                           "PRAGMA foreign_keys=ON; PRAGMA cache_size=-16000; "
                                           "PRAGMA journal_size_limit=67108864;";
  const int prepared = ::sqlite3_exec(handle_, setup, nullptr, nullptr, nullptr);
  if (prepared != SQLITE_OK) return failed(prepared);
  return {};
}

std::unexpected<SqlError> SqliteConnection::failed(int code) const {
  return std::unexpected(sqlite_error(handle_, code, options_.name));
}

void SqliteConnection::forget_statements() noexcept {
  for (auto& [text, prepared] : statements_) ::sqlite3_finalize(prepared.statement);
  statements_.clear();
}

TransactionState SqliteConnection::state() const noexcept {
  return ::sqlite3_get_autocommit(handle_) == 0 ? TransactionState::open : TransactionState::none;
}

SqlResult<SqliteConnection::Statements::iterator> SqliteConnection::prepare(std::string_view sql) {
  if (const auto found = statements_.find(sql); found != statements_.end()) return found;
  sqlite3_stmt* statement = nullptr;
  const int code = ::sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return failed(code);
  Prepared prepared{statement, describe_statement(sql), 0, {}};
  prepared.parameters = ::sqlite3_bind_parameter_count(statement);
  // SQLite numbers $n by first appearance, PostgreSQL by n: hold the texts to where both agree.
  for (int i = 1; i <= prepared.parameters; ++i) {
    const char* name = ::sqlite3_bind_parameter_name(statement, i);
    if (name != nullptr && name == "$" + std::to_string(i)) continue;
    ::sqlite3_finalize(statement);
    return std::unexpected(SqlError{
        Error{ErrorCode::internal,
              fmt::format("placeholder {} of a statement is not ${}: {}", i, i, sql), false},
        "42P02"});
  }
  if (statements_.size() >= kMaxStatements) forget_statements();
  return statements_.emplace(std::string(sql), std::move(prepared)).first;
}

SqlResult<void> SqliteConnection::bind(const Prepared& prepared, std::span<const Param> params) {
  if (std::cmp_not_equal(params.size(), prepared.parameters)) {
    return std::unexpected(
        SqlError{Error{ErrorCode::internal,
                       fmt::format("a statement has {} placeholders but got {} values",
                                   prepared.parameters, params.size()),
                       false},
                 "07001"});
  }
  for (std::size_t i = 0; i < params.size(); ++i) {
    const int code = bind_one(prepared.statement, static_cast<int>(i) + 1, params[i]);
    if (code != SQLITE_OK) return failed(code);
  }
  return {};
}

SqlResult<std::int64_t> SqliteConnection::run(const Prepared& prepared,
                                              std::span<const Param> params, const ReadRow* each) {
  if (const auto bound = bind(prepared, params); !bound) return std::unexpected(bound.error());
  // Also when `each` throws: a statement left in the middle would hold its lock.
  struct Reset {
    sqlite3_stmt* statement;
    ~Reset() { ::sqlite3_reset(statement); }
  } reset{prepared.statement};
  const SqliteCells cells(prepared.statement);
  int code = ::sqlite3_step(prepared.statement);
  while (code == SQLITE_ROW) {
    if (each != nullptr && *each) (*each)(Row(cells));
    code = ::sqlite3_step(prepared.statement);
  }
  if (code != SQLITE_DONE) return failed(code);
  return ::sqlite3_stmt_readonly(prepared.statement) != 0 ? 0 : ::sqlite3_changes64(handle_);
}

template <class Body>
Result<std::int64_t> SqliteConnection::observed(std::string_view sql, Body&& body) {
  const auto prepared = prepare(sql);
  const StatementText unknown = prepared ? StatementText() : describe_statement(sql);
  const StatementText& text = prepared ? (*prepared)->second.text : unknown;
  SqlStatementInfo info{sql, text.operation, text.target, kSystem, options_.name};
  if (prepared) info.notes = &(*prepared)->second.observer_notes;
  Observation observation(options_.observer, info);
  const SqlResult<std::int64_t> done =
      prepared ? body((*prepared)->second)
               : SqlResult<std::int64_t>(std::unexpected(prepared.error()));
  observation.finish(done ? nullptr : &done.error());
  if (!done) return std::unexpected(done.error().error);
  return *done;
}

// IMMEDIATE takes the write lock now: a later upgrade could fail half way through.
Result<void> SqliteConnection::begin() {
  const auto begun = execute("BEGIN IMMEDIATE", {});
  if (!begun) return std::unexpected(begun.error());
  return {};
}

Result<void> SqliteConnection::begin_schema_change() {
  const auto begun = execute_silently("BEGIN IMMEDIATE");
  if (!begun) return std::unexpected(begun.error());
  return {};
}

Result<std::int64_t> SqliteConnection::execute(std::string_view sql,
                                               std::span<const Param> params) {
  return observed(sql, [&](const Prepared& prepared) { return run(prepared, params, nullptr); });
}

Result<std::int64_t> SqliteConnection::execute_silently(std::string_view sql,
                                                        std::span<const Param> params) {
  const auto prepared = prepare(sql);
  const auto done = prepared ? run((*prepared)->second, params, nullptr)
                             : SqlResult<std::int64_t>(std::unexpected(prepared.error()));
  if (!done) return std::unexpected(done.error().error);
  return *done;
}

Result<void> SqliteConnection::query_silently(std::string_view sql, const ReadRow& each) {
  const auto prepared = prepare(sql);
  const auto done = prepared ? run((*prepared)->second, {}, &each)
                             : SqlResult<std::int64_t>(std::unexpected(prepared.error()));
  if (!done) return std::unexpected(done.error().error);
  return {};
}

Result<void> SqliteConnection::query(std::string_view sql, std::span<const Param> params,
                                     const ReadRow& each) {
  const auto done =
      observed(sql, [&](const Prepared& prepared) { return run(prepared, params, &each); });
  if (!done) return std::unexpected(done.error());
  return {};
}

Result<std::int64_t> SqliteConnection::execute_each(std::string_view sql, std::size_t count,
                                                    std::size_t width, const BindRow& bind_row,
                                                    const RowChanged& changed) {
  return observed(sql, [&](const Prepared& prepared) -> SqlResult<std::int64_t> {
    std::vector<Param> params(width, Param(nullptr));
    std::int64_t total = 0;
    for (std::size_t i = 0; i < count; ++i) {
      bind_row(i, params);
      const auto rows = run(prepared, params, nullptr);
      if (!rows) return std::unexpected(rows.error());
      total += *rows;
      if (changed) changed(i, *rows);
    }
    return total;
  });
}

Result<std::int64_t> SqliteConnection::append(std::string_view table,
                                              std::span<const std::string_view> columns,
                                              std::size_t count, const BindRow& bind_row) {
  std::string names;
  std::string values;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    names.append(i == 0 ? "" : ", ").append(columns[i]);
    values.append(i == 0 ? "$" : ", $").append(std::to_string(i + 1));
  }
  const std::string text = fmt::format("INSERT INTO {} ({}) VALUES ({})", table, names, values);
  return execute_each(text, count, columns.size(), bind_row, {});
}

}  // namespace alphaswarm::persistence::detail
