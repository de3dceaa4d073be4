#pragma once

#include <string>
#include <string_view>

#include "alphaswarm/base/error.hpp"

struct sqlite3;

namespace alphaswarm::persistence::detail {

// An error together with the SQLSTATE an observer is told.
struct SqlError {
  Error error;
  std::string_view sqlstate;  // static text
};

// The sentence for the last failure on `connection` (may be null when even opening failed), whose
// SQLite result is `code`. `database` names the file.
[[nodiscard]] SqlError sqlite_error(sqlite3* connection, int code, std::string_view database);

}  // namespace alphaswarm::persistence::detail
