#include "alphaswarm/net/http.hpp"

#include <algorithm>
#include <array>

#include "alphaswarm/net/detail/utf8.hpp"
#include "alphaswarm/net/url.hpp"

namespace alphaswarm::net {
namespace {

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// Characters that stand for themselves in a JSON string.
constexpr auto kPlain = [] {
  std::array<bool, 256> plain{};
  for (unsigned c = 0x20; c < 0x80; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

// How many of them `text` begins with.
std::size_t plain_run(std::string_view text) noexcept {
  std::size_t run = 0;
  while (run < text.size() && kPlain[static_cast<unsigned char>(text[run])]) ++run;
  return run;
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  const auto code = static_cast<unsigned char>(c);
  out += "\\u00";
  out += kHex[code >> 4];
  out += kHex[code & 15];
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string_view> Headers::get(std::string_view name) const noexcept {
  for (const Header& field : fields_) {
    if (field.name.size() == name.size() && equal_ignoring_case(field.name, name)) {
      return field.value;
    }
  }
  return std::nullopt;
}

void Headers::set(std::string_view name, std::string&& value) {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (!equal_ignoring_case(fields_[i].name, name)) continue;
    fields_[i].value = std::move(value);
    const auto rest = fields_.begin() + static_cast<std::ptrdiff_t>(i) + 1;
    fields_.erase(
        std::remove_if(rest, fields_.end(),
                       [&](const Header& field) { return equal_ignoring_case(field.name, name); }),
        fields_.end());
    return;
  }
  append(std::string(name), std::move(value));
}

void Headers::add(std::string_view name, std::string_view value) {
  append(std::string(name), std::string(value));
}

void Headers::append(std::string&& name, std::string&& value) {
  if (fields_.capacity() == 0) fields_.reserve(kUsualFields);
  fields_.push_back(Header{std::move(name), std::move(value)});
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_,
                [&](const Header& field) { return equal_ignoring_case(field.name, name); });
}

std::optional<std::string_view> HttpRequest::path_param(std::string_view name) const noexcept {
  for (const auto& [key, value] : path_params) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::optional<std::string> HttpRequest::query_param(std::string_view name) const {
  std::vector<std::string> values = query_params(name);
  if (values.empty()) return std::nullopt;
  return std::move(values.front());
}

std::vector<std::string> HttpRequest::query_params(std::string_view name) const {
  std::vector<std::string> values;
  for (auto& [key, value] : parse_query(query)) {
    if (key == name) values.push_back(std::move(value));
  }
  return values;
}

HttpResponse HttpResponse::json(int status, std::string body) {
  return text(status, std::move(body), "application/json");
}

HttpResponse HttpResponse::text(int status, std::string body, std::string_view content_type) {
  HttpResponse response;
  response.status = status;
  response.headers.add("Content-Type", content_type);
  response.body = std::move(body);
  return response;
}

HttpResponse HttpResponse::detail(int status, std::string_view message) {
  return json(status, "{\"detail\":" + json_quoted(message) + "}");
}

void append_json_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t i = 0;;) {
    const std::size_t run = plain_run(text.substr(i));
    out += text.substr(i, run);
    i += run;
    if (i == text.size()) break;
    if (static_cast<unsigned char>(text[i]) < 0x80) {
      append_escaped(out, text[i++]);
      continue;
    }
    const std::size_t length = detail::utf8_length(text, i);
    out += length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(i, length);
    i += length == 0 ? 1 : length;
  }
  out += '"';
}

std::string json_quoted(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  append_json_quoted(out, text);
  return out;
}

std::string_view reason_phrase(int status) noexcept {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 207:
      return "Multi-Status";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 423:
      return "Locked";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

}  // namespace alphaswarm::net
