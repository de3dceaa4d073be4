#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alphaswarm/base/error.hpp"

namespace alphaswarm::net {

// An absolute http, https, ws or wss URL, taken apart (RFC 3986, by Boost.URL).
struct Url {
  std::string scheme;      // lower case
  std::string user_info;   // percent-encoding kept; a secret
  std::string host;        // lower case; IPv6 without brackets
  std::uint16_t port = 0;  // explicit, or the scheme's default
  std::string path;        // at least "/"
  std::string query;       // without "?"
  bool has_query = false;

  [[nodiscard]] bool secure() const noexcept { return scheme == "https" || scheme == "wss"; }
  [[nodiscard]] std::string target() const;     // what goes into the request line
  [[nodiscard]] std::string authority() const;  // host, and the port unless it is the default
};

// invalid_argument, without the URL's secrets in the message.
[[nodiscard]] Result<Url> parse_url(std::string_view text);

// Decodes %XX; nullopt if malformed. `plus_is_blank` for queries and forms.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text,
                                                        bool plus_is_blank = false);
// Encodes everything but RFC 3986's unreserved characters.
[[nodiscard]] std::string percent_encode(std::string_view text);

// name and value of each "&"-separated part, decoded; malformed escapes stay as they are.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query);

}  // namespace alphaswarm::net
