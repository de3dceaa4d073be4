#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alphaswarm/base/error.hpp"

namespace alphaswarm::persistence::detail {

// What a postgresql:// URL says, in libpq's keywords.
struct PostgresTarget {
  std::vector<std::pair<std::string, std::string>> keywords;
  std::string host;  // "localhost" if none is given; several with commas between
  int port = 5432;
  std::string database;
  std::string password;  // to keep it out of messages
};

// Errors never repeat the URL, since it may hold a password.
[[nodiscard]] Result<PostgresTarget> parse_postgres_url(std::string_view url);

// The numeric addresses of `host`, comma between, within `limit`; empty where libpq needs none: it
// is one already, or a list, or a socket's folder. libpq itself would wait for name servers for as
// long as they please.
[[nodiscard]] Result<std::string> resolve_within(const std::string& host,
                                                 std::chrono::nanoseconds limit);

}  // namespace alphaswarm::persistence::detail
