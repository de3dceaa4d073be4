#include "alphaswarm/persistence/postgres_connection.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include "alphaswarm/persistence/postgres_error.hpp"

namespace alphaswarm::persistence::detail {
namespace {

constexpr std::size_t kMaxStatements = 256;  // kept prepared; then all are dropped and made anew
constexpr std::string_view kSystem = "postgresql";
// The server ends a statement that takes too long; only if it does not even say so do we hang up.
constexpr std::chrono::milliseconds kGrace{2000};
// pg_advisory_xact_lock of "alphaswarm schema"; any number that others do not use.
constexpr std::string_view kLockSchema = "SELECT pg_advisory_xact_lock(7311145521984501537)";

class PostgresCells final : public CellReader {
 public:
  PostgresCells(const PGresult* result, int row) noexcept : result_(result), row_(row) {}
  [[nodiscard]] bool is_null(int column) const noexcept override {
    return ::PQgetisnull(result_, row_, column) != 0;
  }
  [[nodiscard]] std::int64_t integer(int column) const noexcept override {
    const std::string_view value = text(column);
    std::int64_t number = 0;
    std::from_chars(value.data(), value.data() + value.size(), number);
    return value == "t" ? 1 : number;
  }
  [[nodiscard]] double real(int column) const noexcept override {
    const std::string_view value = text(column);
    double number = 0;
    std::from_chars(value.data(), value.data() + value.size(), number);
    return number;
  }
  [[nodiscard]] std::string_view text(int column) const noexcept override {
    return {::PQgetvalue(result_, row_, column),
            static_cast<std::size_t>(::PQgetlength(result_, row_, column))};
  }

 private:
  const PGresult* result_;
  int row_;
};

std::int64_t rows_changed(PGresult* result) {
  if (std::string_view(::PQcmdStatus(result)).starts_with("SELECT")) return 0;
  const std::string_view count = ::PQcmdTuples(result);
  std::int64_t number = 0;
  std::from_chars(count.data(), count.data() + count.size(), number);
  return number;
}

SqlError of_caller(std::string_view sqlstate, ErrorCode code, const std::string& what) {
  return {Error{code, fmt::format("{} (SQLSTATE {})", what, sqlstate), false},
          std::string(sqlstate)};
}

}  // namespace

void PostgresConnection::ResultDeleter::operator()(pg_result* result) const noexcept {
  ::PQclear(result);
}

bool PostgresConnection::Values::set(std::span<const Param> params) {
  bytes_.clear();
  offsets_.clear();
  for (const Param& param : params) {
    offsets_.push_back(param.kind() == Param::Kind::null ? std::string::npos : bytes_.size());
    switch (param.kind()) {
      case Param::Kind::null:
        continue;
      case Param::Kind::integer:
        fmt::format_to(std::back_inserter(bytes_), "{}", param.integer());
        break;
      case Param::Kind::real:
        fmt::format_to(std::back_inserter(bytes_), "{}", param.real());
        break;
      case Param::Kind::text:
        if (param.text().contains('\0')) return false;
        bytes_ += param.text();
        break;
    }
    bytes_ += '\0';
  }
  pointers_.clear();
  for (const std::size_t offset : offsets_) {
    pointers_.push_back(offset == std::string::npos ? nullptr : bytes_.data() + offset);
  }
  return true;
}

PostgresConnection::Clock::time_point PostgresConnection::deadline() const {
  return Clock::now() + options_.statement_timeout + kGrace;
}

bool PostgresConnection::wait(short events, Clock::time_point until) const {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    pollfd wanted{.fd = ::PQsocket(handle_), .events = events, .revents = 0};
    const int ready = ::poll(&wanted, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (ready > 0) return true;
    if (ready == 0) return false;
    if (errno != EINTR) return true;  // libpq will say what is wrong
  }
}

std::unexpected<SqlError> PostgresConnection::lost(std::string_view words) {
  broken_ = true;
  return std::unexpected(
      lost_connection(target_.database, "08006", without_password(words, target_)));
}

std::unexpected<SqlError> PostgresConnection::lost() { return lost(::PQerrorMessage(handle_)); }

std::unexpected<SqlError> PostgresConnection::too_late() {
  broken_ = true;
  return std::unexpected(
      postgres_error(target_.database, "57014",
                     fmt::format("no answer within {} ms; the connection is given up",
                                 (options_.statement_timeout + kGrace).count())));
}

std::unexpected<SqlError> PostgresConnection::refused(const pg_result* result) {
  const char* sqlstate = ::PQresultErrorField(result, PG_DIAG_SQLSTATE);
  if (sqlstate == nullptr) return lost(::PQresultErrorMessage(result));
  if (::PQstatus(handle_) == CONNECTION_BAD || std::string_view(sqlstate).starts_with("57P")) {
    broken_ = true;
  }
  const char* words = ::PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  return std::unexpected(postgres_error(target_.database, sqlstate, words == nullptr ? "" : words));
}

SqlResult<void> PostgresConnection::flush(Clock::time_point until) {
  for (;;) {
    const int left = ::PQflush(handle_);
    if (left == 0) return {};
    if (left < 0) return lost();
    // Reading as well: a server whose answers nobody takes stops reading.
    if (!wait(POLLIN | POLLOUT, until)) return too_late();
    if (::PQconsumeInput(handle_) == 0) return lost();
  }
}

SqlResult<PostgresConnection::ResultPtr> PostgresConnection::next_result(Clock::time_point until) {
  while (::PQisBusy(handle_) != 0) {
    if (!wait(POLLIN, until)) return too_late();
    if (::PQconsumeInput(handle_) == 0) return lost();
  }
  return ResultPtr(::PQgetResult(handle_));
}

SqlResult<PostgresConnection::ResultPtr> PostgresConnection::outcome(Clock::time_point until) {
  if (auto sent = flush(until); !sent) return std::unexpected(sent.error());
  SqlResult<ResultPtr> last = ResultPtr();
  for (;;) {
    auto result = next_result(until);
    if (!result) return last ? std::move(result) : std::move(last);
    if (*result == nullptr) return last;
    const ExecStatusType status = ::PQresultStatus(result->get());
    if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
      if (last) last = refused(result->get());
      if (broken_) return last;
    } else if (last) {
      last = std::move(result);
    }
    if (status == PGRES_COPY_IN) return last;
  }
}

TransactionState PostgresConnection::state() const noexcept {
  if (broken_) return TransactionState::none;
  switch (::PQtransactionStatus(handle_)) {
    case PQTRANS_INTRANS:
      return TransactionState::open;
    case PQTRANS_INERROR:
      return TransactionState::failed;
    default:
      return TransactionState::none;
  }
}

bool PostgresConnection::stands() noexcept {
  if (broken_ || ::PQtransactionStatus(handle_) != PQTRANS_IDLE) return false;
  // Something to read on an idle connection is a notice, or the end.
  if (wait(POLLIN, Clock::now()) && ::PQconsumeInput(handle_) == 0) broken_ = true;
  if (::PQstatus(handle_) != CONNECTION_OK) broken_ = true;
  return !broken_;
}

SqlStatementInfo PostgresConnection::info(std::string_view sql, const StatementText& text) const {
  return {sql, text.operation, text.target, kSystem, target_.database, target_.host, target_.port};
}

SqlResult<const PostgresConnection::Prepared*> PostgresConnection::prepare(std::string_view sql) {
  if (const auto found = statements_.find(sql); found != statements_.end()) return &found->second;
  const auto placeholders = count_placeholders(sql);
  if (!placeholders) {
    return std::unexpected(of_caller(
        "42P02", ErrorCode::internal,
        fmt::format("the placeholders of a statement are not $1, $2, … in order: {}", sql)));
  }
  if (statements_.size() >= kMaxStatements) {
    statements_.clear();
    if (::PQsendQueryParams(handle_, "DEALLOCATE ALL", 0, nullptr, nullptr, nullptr, nullptr, 0) ==
        0) {
      return lost();
    }
    if (auto done = outcome(deadline()); !done) return std::unexpected(done.error());
  }
  Prepared prepared{fmt::format("s{}", next_statement_++), describe_statement(sql), *placeholders};
  const std::string text(sql);
  if (::PQsendPrepare(handle_, prepared.name.c_str(), text.c_str(), 0, nullptr) == 0) return lost();
  if (auto done = outcome(deadline()); !done) return std::unexpected(done.error());
  return &statements_.emplace(text, std::move(prepared)).first->second;
}

SqlResult<PostgresConnection::ResultPtr> PostgresConnection::run(const Prepared& prepared,
                                                                 std::string_view sql,
                                                                 std::span<const Param> params,
                                                                 std::string_view comment) {
  if (params.size() != prepared.parameters) {
    return std::unexpected(
        of_caller("07001", ErrorCode::internal,
                  fmt::format("a statement has {} placeholders but got {} values",
                              prepared.parameters, params.size())));
  }
  if (!values_.set(params)) {
    return std::unexpected(postgres_error(target_.database, "22021", ""));
  }
  int sent = 0;
  if (comment.empty()) {
    sent = ::PQsendQueryPrepared(handle_, prepared.name.c_str(), values_.size(), values_.data(),
                                 nullptr, nullptr, 0);
  } else {
    const std::string text = fmt::format("{} {}", sql, comment);
    sent = ::PQsendQueryParams(handle_, text.c_str(), values_.size(), nullptr, values_.data(),
                               nullptr, nullptr, 0);
  }
  if (sent == 0) return lost();
  return outcome(deadline());
}

SqlError PostgresConnection::in_the_dark(SqlError error, std::string_view sql,
                                         TransactionState before) const {
  const bool gone = broken_ && (error.sqlstate == "08006" || error.sqlstate.starts_with("57P"));
  if (!gone || (before != TransactionState::none && sql != "COMMIT")) return error;
  return lost_connection(target_.database, "08007",
                         "look before it is done again, unless doing it twice is harmless");
}

Result<void> PostgresConnection::begin() {
  const auto begun = execute("BEGIN", {});
  if (!begun) return std::unexpected(begun.error());
  return {};
}

Result<void> PostgresConnection::begin_schema_change() {
  if (const auto begun = execute_silently("BEGIN"); !begun) return std::unexpected(begun.error());
  return query_silently(kLockSchema, {});
}

Result<std::int64_t> PostgresConnection::execute(std::string_view sql,
                                                 std::span<const Param> params) {
  const TransactionState before = state();
  const bool control = sql == "BEGIN" || sql == "COMMIT" || sql == "ROLLBACK";
  return observed(sql, [&](const Prepared& prepared, const Observation& observation) {
    const std::string comment = control ? std::string() : observation.comment();
    const auto result = run(prepared, sql, params, comment);
    return result ? SqlResult<std::int64_t>(rows_changed(result->get()))
                  : std::unexpected(sql == "BEGIN" ? result.error()
                                                   : in_the_dark(result.error(), sql, before));
  });
}

Result<std::int64_t> PostgresConnection::execute_silently(std::string_view sql,
                                                          std::span<const Param> params) {
  if (broken_) return std::unexpected(lost("it was lost before").error().error);
  const auto prepared = prepare(sql);
  if (!prepared) return std::unexpected(prepared.error().error);
  const auto result = run(**prepared, sql, params, {});
  if (!result) return std::unexpected(result.error().error);
  return rows_changed(result->get());
}

Result<void> PostgresConnection::query_silently(std::string_view sql, const ReadRow& each) {
  if (broken_) return std::unexpected(lost("it was lost before").error().error);
  const auto prepared = prepare(sql);
  if (!prepared) return std::unexpected(prepared.error().error);
  const auto result = run(**prepared, sql, {}, {});
  if (!result) return std::unexpected(result.error().error);
  const int rows = ::PQntuples(result->get());
  for (int row = 0; each && row < rows; ++row) each(Row(PostgresCells(result->get(), row)));
  return {};
}

Result<void> PostgresConnection::query(std::string_view sql, std::span<const Param> params,
                                       const ReadRow& each) {
  ResultPtr rows;
  const auto done = observed(
      sql,
      [&](const Prepared& prepared, const Observation& observation) -> SqlResult<std::int64_t> {
        auto result = run(prepared, sql, params, observation.comment());
        if (!result) return std::unexpected(result.error());
        rows = std::move(*result);
        return 0;
      });
  if (!done) return std::unexpected(done.error());
  const int count = ::PQntuples(rows.get());
  for (int row = 0; each && row < count; ++row) each(Row(PostgresCells(rows.get(), row)));
  return {};
}

}  // namespace alphaswarm::persistence::detail
