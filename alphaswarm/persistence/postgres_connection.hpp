#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "alphaswarm/persistence/connection.hpp"
#include "alphaswarm/persistence/observation.hpp"
#include "alphaswarm/persistence/postgres_target.hpp"
#include "alphaswarm/persistence/sql_error.hpp"
#include "alphaswarm/persistence/statement_text.hpp"

struct pg_conn;
struct pg_result;

namespace alphaswarm::persistence::detail {

// One PostgreSQL connection with its prepared statements, over libpq's asynchronous half: every
// wait has an end. A connection that is lost or did not answer in time stays broken.
class PostgresConnection final : public Connection {
 public:
  // Reported to the observer as `connect`. `target` must outlive the connection.
  [[nodiscard]] static Result<std::unique_ptr<PostgresConnection>> open(
      const PostgresTarget& target, const DatabaseOptions& options);
  ~PostgresConnection() override;

  [[nodiscard]] Result<void> begin() override;
  [[nodiscard]] Result<void> begin_schema_change() override;
  [[nodiscard]] Result<std::int64_t> execute(std::string_view sql,
                                             std::span<const Param> params) override;
  // Rows are given once all of them are here.
  [[nodiscard]] Result<void> query(std::string_view sql, std::span<const Param> params,
                                   const ReadRow& each) override;
  // In pipeline mode: one round trip for hundreds of rows. MUST run inside a transaction.
  [[nodiscard]] Result<std::int64_t> execute_each(std::string_view sql, std::size_t count,
                                                  std::size_t width, const BindRow& bind,
                                                  const RowChanged& changed) override;
  // COPY … FROM STDIN in the binary format (PostgreSQL documentation, "COPY", file formats).
  [[nodiscard]] Result<std::int64_t> append(std::string_view table,
                                            std::span<const std::string_view> columns,
                                            std::size_t count, const BindRow& bind) override;
  [[nodiscard]] Result<std::int64_t> execute_silently(std::string_view sql,
                                                      std::span<const Param> params = {}) override;
  [[nodiscard]] Result<void> query_silently(std::string_view sql, const ReadRow& each) override;
  [[nodiscard]] TransactionState state() const noexcept override;
  [[nodiscard]] const std::string& name() const noexcept override { return target_.database; }
  [[nodiscard]] const Dialect& dialect() const noexcept override { return kPostgresDialect; }

  // Whether an idle connection still stands, as far as can be seen without asking the server.
  [[nodiscard]] bool stands() noexcept;

 private:
  using Clock = std::chrono::steady_clock;
  struct ResultDeleter {
    void operator()(pg_result* result) const noexcept;
  };
  using ResultPtr = std::unique_ptr<pg_result, ResultDeleter>;
  struct Prepared {
    std::string name;  // empty: sent as text each time
    StatementText text;
    std::size_t parameters = 0;
    std::shared_ptr<void> observer_notes{};
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  // Values in libpq's text form. Keeps its memory from row to row.
  class Values {
   public:
    [[nodiscard]] bool set(std::span<const Param> params);  // false: a text has a zero byte
    [[nodiscard]] const char* const* data() const noexcept { return pointers_.data(); }
    [[nodiscard]] int size() const noexcept { return static_cast<int>(pointers_.size()); }

   private:
    std::string bytes_;
    std::vector<std::size_t> offsets_;
    std::vector<const char*> pointers_;
  };

  PostgresConnection(const PostgresTarget& target, const DatabaseOptions& options)
      : target_(target), options_(options) {}

  [[nodiscard]] SqlResult<void> connect();
  [[nodiscard]] SqlResult<void> start_connecting(const std::string& addresses);
  [[nodiscard]] Clock::time_point deadline() const;
  // False at the deadline.
  [[nodiscard]] bool wait(short events, Clock::time_point until) const;
  [[nodiscard]] SqlResult<void> flush(Clock::time_point until);
  // Null when the statement has given all it had.
  [[nodiscard]] SqlResult<ResultPtr> next_result(Clock::time_point until);
  // The last result of what was sent, or its first error; reads to the end in any case.
  [[nodiscard]] SqlResult<ResultPtr> outcome(Clock::time_point until);
  [[nodiscard]] SqlResult<const Prepared*> prepare(std::string_view sql);
  [[nodiscard]] SqlResult<ResultPtr> run(const Prepared& prepared, std::string_view sql,
                                         std::span<const Param> params, std::string_view comment);
  template <class Body>
  [[nodiscard]] Result<std::int64_t> observed(std::string_view sql, Body&& body);
  [[nodiscard]] SqlStatementInfo info(std::string_view sql, const StatementText& text) const;
  // A loss while a statement of its own, or COMMIT, was at the server leaves in the dark whether
  // it was done.
  [[nodiscard]] SqlError in_the_dark(SqlError error, std::string_view sql,
                                     TransactionState before) const;

  [[nodiscard]] SqlResult<void> send_batch(const Prepared& prepared, std::size_t first,
                                           std::size_t last, std::vector<Param>& params,
                                           const BindRow& bind);
  [[nodiscard]] SqlResult<std::int64_t> read_batch(std::size_t first, std::size_t last,
                                                   const RowChanged& changed);
  [[nodiscard]] SqlResult<std::int64_t> copy_rows(std::string_view sql, std::size_t width,
                                                  std::size_t count, const BindRow& bind);
  [[nodiscard]] SqlResult<void> put_copy(std::string_view bytes);

  [[nodiscard]] std::unexpected<SqlError> lost(std::string_view words);
  [[nodiscard]] std::unexpected<SqlError> lost();  // in libpq's words
  [[nodiscard]] std::unexpected<SqlError> too_late();
  [[nodiscard]] std::unexpected<SqlError> refused(const pg_result* result);

  const PostgresTarget& target_;
  const DatabaseOptions options_;
  pg_conn* handle_ = nullptr;
  bool broken_ = false;
  Values values_;
  std::uint64_t next_statement_ = 0;
  std::unordered_map<std::string, Prepared, TextHash, std::equal_to<>> statements_;
};

template <class Body>
Result<std::int64_t> PostgresConnection::observed(std::string_view sql, Body&& body) {
  // Before it is known whether it can be prepared, since preparing may be what fails.
  const auto known = statements_.find(sql);
  const StatementText text =
      known == statements_.end() ? describe_statement(sql) : known->second.text;
  SqlStatementInfo about = info(sql, text);
  if (known != statements_.end()) about.notes = &known->second.observer_notes;
  Observation observation(options_.observer, about);
  const SqlResult<std::int64_t> done = [&]() -> SqlResult<std::int64_t> {
    if (broken_) return lost("it was lost before");
    const auto prepared = prepare(sql);
    if (!prepared) return std::unexpected(prepared.error());
    return body(**prepared, observation);
  }();
  observation.finish(done ? nullptr : &done.error());
  if (!done) return std::unexpected(done.error().error);
  return *done;
}

}  // namespace alphaswarm::persistence::detail
