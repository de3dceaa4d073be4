#pragma once

// Reads a JSON object field by field and remembers everything that is wrong with it, so that a
// user sees all mistakes of a configuration at once, each with its place.

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/base/decimal.hpp"
#include "alphaswarm/base/error.hpp"
#include "alphaswarm/base/time.hpp"

namespace alphaswarm::trading::paper {

// One mistake. The shape is that of a 422 detail entry: loc, msg, type, input.
struct ConfigIssue {
  std::vector<std::string> loc;  // e.g. {"session", "max_bars"}
  std::string msg;               // what is allowed, and what was given
  std::string type;          // "missing", "wrong_type", "out_of_range", "unknown_key", "invalid"
  boost::json::value input;  // what was given; null if nothing
};

// "session.max_bars: must be at least 1, got 0; strategy.name: …" with code invalid_argument.
[[nodiscard]] Error to_error(const std::vector<ConfigIssue>& issues);

// Reads one object at `loc`. A missing field leaves the default; a wrong one adds an issue and
// leaves the default. After the last read, `finish()` reports keys that nobody asked for.
// Not thread-safe; `object` and `issues` must outlive the reader.
class FieldReader {
 public:
  FieldReader(const boost::json::object& object, std::vector<std::string> loc,
              std::vector<ConfigIssue>& issues)
      : object_(object), loc_(std::move(loc)), issues_(issues) {}

  struct Range {
    double low;
    double high;
    bool low_open = false;  // low itself is not allowed
  };

  [[nodiscard]] std::string text(std::string_view key, std::string fallback, std::size_t max_size);
  [[nodiscard]] bool flag(std::string_view key, bool fallback);
  [[nodiscard]] double number(std::string_view key, double fallback, Range range);
  [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t fallback, Range range);
  [[nodiscard]] std::optional<std::int64_t> optional_integer(std::string_view key, Range range);
  // A JSON number or a decimal string.
  [[nodiscard]] Decimal decimal(std::string_view key, Decimal fallback, Range range);
  [[nodiscard]] std::optional<UnixNanos> optional_time(std::string_view key);
  [[nodiscard]] std::vector<std::string> texts(std::string_view key);
  // The nested object, or an empty one; null counts as empty.
  [[nodiscard]] const boost::json::object& object(std::string_view key);
  [[nodiscard]] bool has(std::string_view key) const;  // present and not null

  void report(std::string_view key, std::string msg, std::string type = "invalid");
  void finish();

 private:
  const boost::json::value* take(std::string_view key);
  void wrong_type(std::string_view key, std::string_view wanted);
  bool check_range(std::string_view key, double value, const Range& range);

  const boost::json::object& object_;
  std::vector<std::string> loc_;
  std::vector<ConfigIssue>& issues_;
  std::vector<std::string_view> known_;
};

}  // namespace alphaswarm::trading::paper
