#include "alphaswarm/instrumentation/redact.hpp"

#include <algorithm>
#include <array>

#include "alphaswarm/net/url.hpp"

namespace alphaswarm::instrumentation {
namespace {

constexpr std::string_view kRedacted = "REDACTED";

// Anywhere in a name, once separators are gone and letters are lower case.
constexpr std::array<std::string_view, 13> kParts = {
    "apikey",    "accesskey",  "privatekey",    "secret", "token",     "password", "passwd",
    "signature", "credential", "authorization", "jwt",    "sessionid", "otp"};
// The whole name.
constexpr std::array<std::string_view, 6> kNames = {"sig", "pwd", "pass", "auth", "key", "pin"};

std::string plain_name(std::string_view name) {
  std::string out;
  for (const char c : net::percent_decode(name, true).value_or(std::string(name))) {
    if (c >= 'A' && c <= 'Z') {
      out += static_cast<char>(c + ('a' - 'A'));
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      out += c;
    }
  }
  return out;
}

}  // namespace

bool is_sensitive_key(std::string_view name) {
  const std::string plain = plain_name(name);
  return std::ranges::any_of(kParts, [&](std::string_view part) { return plain.contains(part); }) ||
         std::ranges::find(kNames, plain) != kNames.end();
}

std::string redact_query(std::string_view query) {
  std::string out;
  out.reserve(query.size());
  for (bool first = true; first || !query.empty(); first = false) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view part = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (!first) out += '&';
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || !is_sensitive_key(part.substr(0, equals))) {
      out += part;
    } else {
      out += part.substr(0, equals + 1);
      out += kRedacted;
    }
  }
  return out;
}

std::string redact_url(std::string_view url) {
  url = url.substr(0, url.find('#'));
  const std::size_t mark = url.find('?');
  std::string_view front = url.substr(0, mark);
  std::string out;
  if (const std::size_t scheme = front.find("://"); scheme != std::string_view::npos) {
    const std::size_t authority = scheme + 3;
    const std::size_t path = std::min(front.find('/', authority), front.size());
    const std::size_t at = front.substr(0, path).rfind('@');
    out += front.substr(0, authority);
    if (at != std::string_view::npos && at >= authority) {
      out += kRedacted;
      out += ':';
      out += kRedacted;
      front.remove_prefix(at);
    } else {
      front.remove_prefix(authority);
    }
  }
  out += front;
  if (mark != std::string_view::npos) out += "?" + redact_query(url.substr(mark + 1));
  return out;
}

}  // namespace alphaswarm::instrumentation
