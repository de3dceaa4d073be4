#pragma once

// Reading requests. Everything that is wrong with one is collected and told at once, as
// 422 {"detail":[{"loc":["body","config","session","max_bars"],"msg","type","input"}]}.

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/base/decimal.hpp"
#include "alphaswarm/base/time.hpp"
#include "alphaswarm/net/http.hpp"

namespace alphaswarm::api {

// One mistake.
struct Issue {
  std::vector<std::string> loc;  // where, e.g. {"body", "config", "session", "max_bars"}
  std::string msg;
  std::string type;  // missing, wrong_type, out_of_range, unknown_key, json_invalid, invalid
  boost::json::value input;  // what was given; null if nothing
};

[[nodiscard]] net::HttpResponse invalid_reply(const std::vector<Issue>& issues);

// The JSON object in a request's body. Read the fields, report what else is wrong, then ask
// `finish()`: it names unknown fields too and gives the 422, or nothing if all is well. A field
// that is absent or null leaves the fallback; a wrong one does too, and is reported. After a body
// that is no JSON object every field reads as absent and only that is reported. Lives in one
// handler; not thread-safe.
class BodyReader {
 public:
  explicit BodyReader(const net::HttpRequest& request);

  // Reports `key` as missing if it is absent, null or an empty text.
  void require(std::string_view key);
  [[nodiscard]] bool has(std::string_view key) const;

  // At most `most` bytes; an empty one counts as absent.
  [[nodiscard]] std::string text(std::string_view key, std::string fallback, std::size_t most);
  [[nodiscard]] bool flag(std::string_view key, bool fallback);
  // A JSON number or a decimal as text, above 0.
  [[nodiscard]] Decimal positive_decimal(std::string_view key);
  // Empty if absent. Lives as long as this reader.
  [[nodiscard]] const boost::json::object& object(std::string_view key);
  [[nodiscard]] std::vector<std::string> texts(std::string_view key);

  // A mistake at body.<key>; at the body itself if `key` is empty.
  void report(std::string_view key, std::string msg, std::string type);
  // What a configuration's own checks found: their places are below body.<key>.
  void add_issues(std::string_view key, std::vector<Issue> found);
  [[nodiscard]] std::optional<net::HttpResponse> finish();

 private:
  const boost::json::value* take(std::string_view key);
  void wrong_type(std::string_view key, std::string_view wanted);

  bool readable_ = false;
  boost::json::object object_;
  std::vector<Issue> issues_;
  std::vector<std::string> known_;
};

// The parameters behind the question mark. Unknown ones are ignored, as browsers and proxies add
// their own.
class QueryReader {
 public:
  explicit QueryReader(const net::HttpRequest& request) : request_(request) {}

  // 1 to `most`; `fallback` if absent.
  [[nodiscard]] std::int64_t count(std::string_view name, std::int64_t fallback, std::int64_t most);
  [[nodiscard]] std::int64_t limit(std::int64_t fallback, std::int64_t most) {
    return count("limit", fallback, most);
  }
  [[nodiscard]] std::string text(std::string_view name) const;  // empty if absent
  // A date or an RFC 3339 time.
  [[nodiscard]] std::optional<UnixNanos> time(std::string_view name);
  void report(std::string_view name, std::string msg, std::string type);
  [[nodiscard]] std::optional<net::HttpResponse> finish() const;

 private:
  const net::HttpRequest& request_;
  std::vector<Issue> issues_;
};

}  // namespace alphaswarm::api
