#pragma once

#include <string_view>

#include "alphaswarm/persistence/postgres_target.hpp"
#include "alphaswarm/persistence/sql_error.hpp"

namespace alphaswarm::persistence::detail {

// One sentence for an error the server reported. `words`: its primary message, left out where it
// would quote a value.
[[nodiscard]] SqlError postgres_error(std::string_view database, std::string_view sqlstate,
                                      std::string_view words);

// For failures the server did not report itself. `sqlstate`: 08001 no connection was made, 08006
// it was lost and what ran is undone, 08007 it was lost and nobody knows.
[[nodiscard]] SqlError lost_connection(std::string_view database, std::string_view sqlstate,
                                       std::string_view words);

// `text` in one line without the target's password.
[[nodiscard]] std::string without_password(std::string_view text, const PostgresTarget& target);

}  // namespace alphaswarm::persistence::detail
