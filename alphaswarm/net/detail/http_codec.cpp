#include "alphaswarm/net/detail/http_codec.hpp"

#include <algorithm>
#include <array>
#include <ctime>

namespace alphaswarm::net::detail {
namespace {

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// RFC 9110 §5.6.2.
bool is_token_char(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-.^_`|~").contains(c);
}

bool describes_framing(std::string_view name) noexcept {
  return equal_ignoring_case(name, "Content-Length") ||
         equal_ignoring_case(name, "Transfer-Encoding") || equal_ignoring_case(name, "Connection");
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7), made once a second for each thread.
std::string_view http_date() {
  thread_local std::time_t made_at = -1;
  thread_local std::array<char, 40> text{};
  thread_local std::size_t size = 0;
  const std::time_t now = std::time(nullptr);
  if (now != made_at) {
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    made_at = now;
  }
  return {text.data(), size};
}

}  // namespace

bool has_token(std::string_view value, std::string_view token) noexcept {
  while (!value.empty()) {
    const std::size_t end = std::min(value.find(','), value.size());
    if (equal_ignoring_case(trimmed(value.substr(0, end)), token)) return true;
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  return false;
}

bool is_valid_field(const Header& field) noexcept {
  const auto control = [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
  };
  return !field.name.empty() && std::ranges::all_of(field.name, is_token_char) &&
         std::ranges::none_of(field.value, control);
}

void append_response_head(std::string& out, const HttpResponse& response,
                          ResponseHeadOptions options) {
  out += options.version == 10 ? "HTTP/1.0 " : "HTTP/1.1 ";
  out += std::to_string(response.status);
  out += ' ';
  out += reason_phrase(response.status);
  out += "\r\n";
  append_field(out, "Date", http_date());
  for (const Header& field : response.headers) {
    if (!describes_framing(field.name) && is_valid_field(field)) {
      append_field(out, field.name, field.value);
    }
  }
  if (options.with_length) {
    append_field(out, "Content-Length", std::to_string(response.body.size()));
  }
  if (response.status == 101) {
    append_field(out, "Connection", "Upgrade");
  } else if (!options.keep_alive) {
    append_field(out, "Connection", "close");
  } else if (options.version == 10) {
    append_field(out, "Connection", "keep-alive");
  }
  out += options.more_fields;
  out += "\r\n";
}

void append_request_head(std::string& out, const RequestHeadParts& parts, const Headers& headers) {
  out += parts.method;
  out += ' ';
  out += parts.target;
  out += " HTTP/1.1\r\n";
  if (!headers.contains("Host")) append_field(out, "Host", parts.host);
  const bool upgrading = headers.contains("Upgrade");
  for (const Header& field : headers) {
    if (!describes_framing(field.name)) append_field(out, field.name, field.value);
  }
  if (upgrading) append_field(out, "Connection", "Upgrade");
  const bool bodiless = parts.method == "GET" || parts.method == "HEAD";
  if (parts.body_bytes > 0 || !bodiless) {
    append_field(out, "Content-Length", std::to_string(parts.body_bytes));
  }
  out += "\r\n";
}

}  // namespace alphaswarm::net::detail
