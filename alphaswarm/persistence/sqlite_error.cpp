#include "alphaswarm/persistence/sqlite_error.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>

namespace alphaswarm::persistence::detail {
namespace {

// SQLSTATEs of PostgreSQL's appendix A, so that both databases report the same codes.
struct Mapping {
  ErrorCode code;
  std::string_view sqlstate;
  std::string_view sentence;  // {0} the database, {1} SQLite's own words
};

Mapping of_constraint(int extended) {
  switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return {ErrorCode::already_exists, "23505", "{0} already has such a row: {1}"};
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return {ErrorCode::invalid_argument, "23503",
              "{0} refuses a row that refers to one that does not exist: {1}"};
    case SQLITE_CONSTRAINT_NOTNULL:
      return {ErrorCode::invalid_argument, "23502", "{0} refuses a row with a value missing: {1}"};
    case SQLITE_CONSTRAINT_CHECK:
      return {ErrorCode::invalid_argument, "23514", "{0} refuses a value: {1}"};
    default:
      return {ErrorCode::invalid_argument, "23000", "{0} refuses a row: {1}"};
  }
}

Mapping mapping_of(int extended, int system_error) {
  constexpr Mapping kFull{ErrorCode::resource_exhausted, "53100",
                          "the disk of {0} is full; free space and try again: {1}"};
  constexpr Mapping kReadOnly{ErrorCode::permission_denied, "25006",
                              "{0} may not be written; check the permissions of the file and its "
                              "folder: {1}"};
  switch (extended & 0xff) {
    case SQLITE_CONSTRAINT:
      return of_constraint(extended);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::unavailable, "55P03",
              "{0} is locked by another writer; try again later: {1}"};
    case SQLITE_FULL:
      return kFull;
    case SQLITE_IOERR:
      if (system_error == ENOSPC || system_error == EFBIG || system_error == EDQUOT) return kFull;
      return {ErrorCode::internal, "58030", "reading or writing {0} failed: {1}"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorCode::data_loss, "XX001",
              "{0} is corrupt or not a database; restore it from a copy or move it away: {1}"};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return kReadOnly;
    case SQLITE_CANTOPEN:
      if (system_error == EACCES || system_error == EROFS) return kReadOnly;
      return {ErrorCode::unavailable, "08001",
              "{0} cannot be opened; check that its folder exists: {1}"};
    case SQLITE_NOMEM:
      return {ErrorCode::resource_exhausted, "53200", "no memory left for {0}: {1}"};
    case SQLITE_TOOBIG:
      return {ErrorCode::invalid_argument, "54000", "a value is too big for {0}: {1}"};
    case SQLITE_INTERRUPT:
      return {ErrorCode::cancelled, "57014", "a statement on {0} was interrupted: {1}"};
    case SQLITE_ERROR:
      return {ErrorCode::internal, "42000", "{0} does not understand a statement: {1}"};
    default:
      return {ErrorCode::internal, "XX000", "{0} failed: {1}"};
  }
}

}  // namespace

SqlError sqlite_error(sqlite3* connection, int code, std::string_view database) {
  // An extended code of the connection says more, as long as it is of this same failure.
  int extended = code;
  int system_error = 0;
  std::string words = ::sqlite3_errstr(code);
  if (connection != nullptr) {
    const int last = ::sqlite3_extended_errcode(connection);
    if ((last & 0xff) == (code & 0xff)) {
      extended = last;
      words = ::sqlite3_errmsg(connection);
    }
    system_error = ::sqlite3_system_errno(connection);
  }
  const Mapping mapping = mapping_of(extended, system_error);
  std::string message = fmt::format(fmt::runtime(mapping.sentence), database, words);
  message += fmt::format(" (SQLSTATE {})", mapping.sqlstate);
  const bool retryable = mapping.code == ErrorCode::unavailable && mapping.sqlstate == "55P03";
  return {Error{mapping.code, std::move(message),
                retryable || mapping.code == ErrorCode::resource_exhausted},
          std::string(mapping.sqlstate)};
}

}  // namespace alphaswarm::persistence::detail
