#pragma once

#include <string_view>

#include "alphaswarm/persistence/sql_error.hpp"

struct sqlite3;

namespace alphaswarm::persistence::detail {

// The sentence for the last failure on `connection` (may be null when even opening failed), whose
// SQLite result is `code`. `database` names the file.
[[nodiscard]] SqlError sqlite_error(sqlite3* connection, int code, std::string_view database);

}  // namespace alphaswarm::persistence::detail
