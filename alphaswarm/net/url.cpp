#include "alphaswarm/net/url.hpp"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>

namespace alphaswarm::net {
namespace {

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return out;
}

std::uint16_t default_port(std::string_view scheme) noexcept {
  return scheme == "https" || scheme == "wss" ? 443 : 80;
}

std::string text_of(boost::core::string_view view) { return {view.data(), view.size()}; }

}  // namespace

std::string Url::target() const { return has_query ? path + "?" + query : path; }

std::string Url::authority() const {
  std::string out = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != default_port(scheme)) out += ":" + std::to_string(port);
  return out;
}

Result<Url> parse_url(std::string_view text) {
  const auto bad = [](std::string_view why) {
    return fail(ErrorCode::invalid_argument, "bad URL: " + std::string(why));
  };
  const auto parsed = boost::urls::parse_uri({text.data(), text.size()});
  if (!parsed) return bad("not an absolute URL of RFC 3986");
  const boost::urls::url_view& view = *parsed;
  Url url;
  url.scheme = lower_case(text_of(view.scheme()));
  if (url.scheme != "http" && url.scheme != "https" && url.scheme != "ws" && url.scheme != "wss") {
    return bad("the scheme must be http, https, ws or wss");
  }
  url.host = lower_case(view.host_type() == boost::urls::host_type::ipv6
                            ? view.host_ipv6_address().to_string()
                            : view.host());
  if (url.host.empty()) return bad("there is no host");
  url.port = default_port(url.scheme);
  if (view.has_port() && !view.port().empty()) {
    const std::string port = text_of(view.port());
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (error != std::errc() || url.port == 0) return bad("the port must be 1 to 65535");
  }
  url.user_info = text_of(view.encoded_userinfo());
  url.path = text_of(view.encoded_path());
  if (url.path.empty()) url.path = "/";
  // Boost.URL 1.81 takes "http://host:bad" for a port "" and a path "bad".
  if (url.path.front() != '/') return bad("the port must be 1 to 65535");
  url.has_query = view.has_query();
  url.query = text_of(view.encoded_query());
  return url;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += plus_is_blank && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    const auto code = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[code >> 4];
    out += kHex[code & 15];
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query) {
  const auto decoded = [](std::string_view part) {
    return percent_decode(part, true).value_or(std::string(part));
  };
  std::vector<std::pair<std::string, std::string>> out;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view part = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (part.empty()) continue;
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::string_view value = part.substr(std::min(equals + 1, part.size()));
    out.emplace_back(decoded(part.substr(0, equals)), decoded(value));
  }
  return out;
}

}  // namespace alphaswarm::net
