#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "alphaswarm/base/error.hpp"

namespace alphaswarm::observability {

struct Endpoint {
  bool tls = false;
  std::string host;  // without the brackets of an IPv6 address
  std::uint16_t port = 0;
  std::string path;  // "" or "/…", without a trailing slash

  [[nodiscard]] std::string authority() const;  // "host:port", IPv6 in brackets
};

// "host", "host:port", "http://…" or "https://…"; without a scheme it is clear text. User info, a
// query and a fragment are refused.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port);

}  // namespace alphaswarm::observability
