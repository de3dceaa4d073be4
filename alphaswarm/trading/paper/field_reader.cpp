#include "alphaswarm/trading/paper/field_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>

namespace alphaswarm::trading::paper {

namespace json = boost::json;

Error to_error(const std::vector<ConfigIssue>& issues) {
  std::string message;
  for (const ConfigIssue& issue : issues) {
    if (!message.empty()) message += "; ";
    message += fmt::format("{}: {}", fmt::join(issue.loc, "."), issue.msg);
  }
  return Error{ErrorCode::invalid_argument, std::move(message), false};
}

const json::value* FieldReader::take(std::string_view key) {
  known_.push_back(key);
  const json::value* found = object_.if_contains(key);
  return found == nullptr || found->is_null() ? nullptr : found;
}

bool FieldReader::has(std::string_view key) const {
  const json::value* found = object_.if_contains(key);
  return found != nullptr && !found->is_null();
}

void FieldReader::report(std::string_view key, std::string msg, std::string type) {
  ConfigIssue issue{loc_, std::move(msg), std::move(type), nullptr};
  if (!key.empty()) issue.loc.emplace_back(key);
  if (const json::value* found = object_.if_contains(key)) issue.input = *found;
  issues_.push_back(std::move(issue));
}

void FieldReader::wrong_type(std::string_view key, std::string_view wanted) {
  const json::value& given = object_.at(key);
  std::string shown = json::serialize(given);
  if (shown.size() > 60) shown = shown.substr(0, 57) + "...";
  report(key, fmt::format("must be {}, got {}", wanted, shown), "wrong_type");
}

bool FieldReader::check_range(std::string_view key, double value, const Range& range) {
  const bool above = range.low_open ? value > range.low : value >= range.low;
  if (above && value <= range.high) return true;
  report(key,
         fmt::format("must be {} {} and at most {}, got {}",
                     range.low_open ? "greater than" : "at least", range.low, range.high, value),
         "out_of_range");
  return false;
}

std::string FieldReader::text(std::string_view key, std::string fallback, std::size_t max_size) {
  const json::value* given = take(key);
  if (given == nullptr) return fallback;
  if (!given->is_string()) {
    wrong_type(key, "text");
    return fallback;
  }
  const json::string& value = given->get_string();
  if (value.empty() || value.size() > max_size) {
    report(key, fmt::format("must have 1 to {} characters, got {}", max_size, value.size()),
           "out_of_range");
    return fallback;
  }
  return std::string(value);
}

bool FieldReader::flag(std::string_view key, bool fallback) {
  const json::value* given = take(key);
  if (given == nullptr) return fallback;
  if (given->is_bool()) return given->get_bool();
  wrong_type(key, "true or false");
  return fallback;
}

double FieldReader::number(std::string_view key, double fallback, Range range) {
  const json::value* given = take(key);
  if (given == nullptr) return fallback;
  if (!given->is_number()) {
    wrong_type(key, "a number");
    return fallback;
  }
  const auto value = given->to_number<double>();
  return check_range(key, value, range) ? value : fallback;
}

std::optional<std::int64_t> FieldReader::optional_integer(std::string_view key, Range range) {
  const json::value* given = take(key);
  if (given == nullptr) return std::nullopt;
  boost::system::error_code not_exact;
  const auto value = given->is_number() ? given->to_number<std::int64_t>(not_exact) : 0;
  if (!given->is_number() || not_exact) {
    wrong_type(key, "a whole number");
    return std::nullopt;
  }
  if (!check_range(key, static_cast<double>(value), range)) return std::nullopt;
  return value;
}

std::int64_t FieldReader::integer(std::string_view key, std::int64_t fallback, Range range) {
  return optional_integer(key, range).value_or(fallback);
}

Decimal FieldReader::decimal(std::string_view key, Decimal fallback, Range range) {
  const json::value* given = take(key);
  if (given == nullptr) return fallback;
  Decimal value;
  if (given->is_number()) {
    value = Decimal::from_double(given->to_number<double>());
  } else if (given->is_string()) {
    const Result<Decimal> parsed = Decimal::parse(given->get_string());
    if (!parsed) {
      report(key, parsed.error().message);
      return fallback;
    }
    value = *parsed;
  } else {
    wrong_type(key, "a number");
    return fallback;
  }
  return check_range(key, value.to_double(), range) ? value : fallback;
}

std::optional<UnixNanos> FieldReader::optional_time(std::string_view key) {
  const json::value* given = take(key);
  if (given == nullptr) return std::nullopt;
  if (!given->is_string()) {
    wrong_type(key, "a date or an RFC 3339 time");
    return std::nullopt;
  }
  const Result<UnixNanos> time = from_rfc3339(given->get_string());
  if (time) return *time;
  report(key, time.error().message);
  return std::nullopt;
}

std::vector<std::string> FieldReader::texts(std::string_view key) {
  const json::value* given = take(key);
  if (given == nullptr) return {};
  if (!given->is_array()) {
    wrong_type(key, "a list of texts");
    return {};
  }
  std::vector<std::string> values;
  for (const json::value& item : given->get_array()) {
    if (!item.is_string()) {
      wrong_type(key, "a list of texts");
      return {};
    }
    values.emplace_back(item.get_string());
  }
  return values;
}

const json::object& FieldReader::object(std::string_view key) {
  static const json::object empty;
  const json::value* given = take(key);
  if (given == nullptr) return empty;
  if (given->is_object()) return given->get_object();
  wrong_type(key, "an object");
  return empty;
}

void FieldReader::finish() {
  for (const auto& entry : object_) {
    const std::string_view key = entry.key();
    if (std::ranges::find(known_, key) != known_.end()) continue;
    report(key, fmt::format("is not a known key; known are {}", fmt::join(known_, ", ")),
           "unknown_key");
  }
}

}  // namespace alphaswarm::trading::paper
