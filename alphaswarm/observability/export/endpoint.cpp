#include "alphaswarm/observability/export/endpoint.hpp"

#include <charconv>

namespace alphaswarm::observability {

std::string Endpoint::authority() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port) {
  const std::string shown(text.find('@') == std::string_view::npos ? text : "(with credentials)");
  const auto bad = [&](std::string_view why) {
    return fail(ErrorCode::invalid_argument,
                "the OTLP endpoint " + shown + " is not valid: " + std::string(why));
  };
  Endpoint endpoint;
  endpoint.port = default_port;
  if (const std::size_t scheme = text.find("://"); scheme != std::string_view::npos) {
    if (text.substr(0, scheme) == "https") {
      endpoint.tls = true;
    } else if (text.substr(0, scheme) != "http") {
      return bad("its scheme must be http or https");
    }
    text.remove_prefix(scheme + 3);
  }
  if (text.find_first_of("@?# ") != std::string_view::npos) {
    return bad("it must be host:port, with http:// or https:// in front and a path behind");
  }
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    endpoint.path = text.substr(slash);
    while (endpoint.path.ends_with('/')) endpoint.path.pop_back();
    text = text.substr(0, slash);
  }
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return bad("a bracket is missing");
    endpoint.host = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
    if (!text.empty() && text[0] != ':') return bad("a port must follow the bracket");
    if (!text.empty()) port = text.substr(1);
  } else {
    const std::size_t colon = text.find(':');
    endpoint.host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon + 1);
  }
  if (endpoint.host.empty()) return bad("the host is missing");
  if (!port.empty()) {
    const auto [stop, error] =
        std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
    if (error != std::errc{} || stop != port.data() + port.size() || endpoint.port == 0) {
      return bad("the port must be a number from 1 to 65535");
    }
  }
  return endpoint;
}

}  // namespace alphaswarm::observability
