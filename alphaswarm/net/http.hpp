#pragma once

// HTTP messages as values, the same for server and client.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace alphaswarm::net {

struct Header {
  std::string name;
  std::string value;
};

// Fields in the order they came. Names compare without case.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<Header> fields) : fields_(fields) {}

  // The first of that name.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const noexcept;
  [[nodiscard]] bool contains(std::string_view name) const noexcept {
    return get(name).has_value();
  }
  // Replaces every field of that name by one.
  void set(std::string_view name, std::string&& value);
  void set(std::string_view name, std::string_view value) { set(name, std::string(value)); }
  void set(std::string_view name, const char* value) { set(name, std::string(value)); }
  void add(std::string_view name, std::string_view value);
  void remove(std::string_view name);
  void clear() noexcept { fields_.clear(); }

  [[nodiscard]] bool empty() const noexcept { return fields_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return fields_.size(); }
  [[nodiscard]] auto begin() const noexcept { return fields_.begin(); }
  [[nodiscard]] auto end() const noexcept { return fields_.end(); }

 private:
  static constexpr std::size_t kUsualFields = 6;  // one allocation for most messages
  void append(std::string&& name, std::string&& value);
  std::vector<Header> fields_;
};

// ASCII, without case: what HTTP calls equal.
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

// A request as the server received it.
struct HttpRequest {
  std::string method;  // as sent; case counts
  std::string target;  // path and query as sent, e.g. "/bars/AAPL.NASDAQ?limit=5"
  std::string path;    // of the target, percent-encoding kept
  std::string query;   // without "?", percent-encoding kept; empty if there is none
  std::string body{};
  Headers headers{};
  std::string peer_address;
  std::uint16_t peer_port = 0;
  std::string server_address;
  std::uint16_t server_port = 0;
  unsigned http_version = 11;  // 10 or 11

  // The template of the route that matched, e.g. "/paper/runs/{id}"; empty if none did. Lives as
  // long as the server.
  std::string_view route;
  std::vector<std::pair<std::string_view, std::string>> path_params;  // decoded values

  [[nodiscard]] std::optional<std::string_view> path_param(std::string_view name) const noexcept;
  // The first value of that name, decoded ("+" is a blank); "name" without "=" gives "".
  [[nodiscard]] std::optional<std::string> query_param(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> query_params(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  Headers headers{};
  std::string body{};

  // `body` is complete JSON.
  [[nodiscard]] static HttpResponse json(int status, std::string body);
  [[nodiscard]] static HttpResponse text(int status, std::string body,
                                         std::string_view content_type =
                                             "text/plain; "
                                             "charset=utf-8");
  // {"detail": "…"}: how our services report an error.
  [[nodiscard]] static HttpResponse detail(int status, std::string_view message);
};

// "Not Found" for 404; "Unknown" for what is not registered.
[[nodiscard]] std::string_view reason_phrase(int status) noexcept;
// `text` as a JSON string, with quotes; invalid UTF-8 is replaced by U+FFFD. The first adds it to
// `out`.
void append_json_quoted(std::string& out, std::string_view text);
[[nodiscard]] std::string json_quoted(std::string_view text);

}  // namespace alphaswarm::net
