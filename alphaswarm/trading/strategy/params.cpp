#include "alphaswarm/trading/strategy/params.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cmath>

namespace alphaswarm::trading {
namespace {

std::string shown(const boost::json::value& value) {
  // Boost writes 2.5 as 2.5E0.
  std::string text =
      value.is_double() ? fmt::format("{}", value.get_double()) : boost::json::serialize(value);
  if (text.size() > 64) text = text.substr(0, 61) + "...";
  return text;
}

std::optional<double> as_number(const boost::json::value& value) {
  if (!value.is_number()) return std::nullopt;
  return value.to_number<double>();
}

bool in_range(double value, const NumberRange& range) {
  return std::isfinite(value) && value <= range.high &&
         (range.above_low ? value > range.low : value >= range.low);
}

std::string words(const NumberRange& range) {
  return range.above_low ? fmt::format("a number above {} up to {}", range.low, range.high)
                         : fmt::format("a number from {} to {}", range.low, range.high);
}

}  // namespace

const boost::json::value* Params::take(std::string_view name) {
  known_.emplace_back(name);
  const boost::json::value* const value = values_.if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

void Params::problem(std::string_view message) {
  if (!first_problem_) first_problem_ = fmt::format("{}: {}", where_, message);
}

std::int64_t Params::integer(std::string_view name, std::int64_t fallback, IntegerRange range) {
  const boost::json::value* const value = take(name);
  if (value == nullptr) return fallback;
  std::optional<std::int64_t> found;
  if (const std::int64_t* const whole = value->if_int64()) found = *whole;
  if (const std::uint64_t* const whole = value->if_uint64();
      whole != nullptr && *whole < 1U << 31U) {
    found = static_cast<std::int64_t>(*whole);
  }
  if (const double* const number = value->if_double();  // 20.0 is a whole number too
      number != nullptr && std::trunc(*number) == *number && std::abs(*number) < 1e15) {
    found = static_cast<std::int64_t>(*number);
  }
  if (found && *found >= range.low && *found <= range.high) return *found;
  problem(fmt::format("{} is {}, must be a whole number from {} to {}", name, shown(*value),
                      range.low, range.high));
  return fallback;
}

double Params::number(std::string_view name, double fallback, NumberRange range) {
  const boost::json::value* const value = take(name);
  if (value == nullptr) return fallback;
  const std::optional<double> found = as_number(*value);
  if (found && in_range(*found, range)) return *found;
  problem(fmt::format("{} is {}, must be {}", name, shown(*value), words(range)));
  return fallback;
}

Decimal Params::decimal(std::string_view name, Decimal fallback, NumberRange range) {
  const boost::json::value* const value = take(name);
  if (value == nullptr) return fallback;
  std::optional<Decimal> found;
  if (const boost::json::string* const text = value->if_string()) {
    if (const Result<Decimal> parsed = Decimal::parse(*text)) found = *parsed;
  } else if (const std::optional<double> number = as_number(*value)) {
    if (in_range(*number, range)) found = Decimal::from_double(*number);
  }
  if (found && in_range(found->to_double(), range)) return *found;
  problem(fmt::format("{} is {}, must be {}", name, shown(*value), words(range)));
  return fallback;
}

bool Params::boolean(std::string_view name, bool fallback) {
  const boost::json::value* const value = take(name);
  if (value == nullptr) return fallback;
  if (const bool* const found = value->if_bool()) return *found;
  problem(fmt::format("{} is {}, must be true or false", name, shown(*value)));
  return fallback;
}

std::string Params::text(std::string_view name, std::string_view fallback) {
  const boost::json::value* const value = take(name);
  if (value == nullptr) return std::string(fallback);
  if (const boost::json::string* const found = value->if_string()) return std::string(*found);
  problem(fmt::format("{} is {}, must be text", name, shown(*value)));
  return std::string(fallback);
}

Result<void> Params::finish() {
  for (const auto& entry : values_) {
    if (first_problem_) break;
    if (std::ranges::find(known_, entry.key()) != known_.end()) continue;
    std::ranges::sort(known_);
    problem(fmt::format("'{}' is not a parameter; known are {}",
                        std::string_view(entry.key()).substr(0, 64), fmt::join(known_, ", ")));
  }
  if (first_problem_) return fail(ErrorCode::invalid_argument, *first_problem_);
  return {};
}

}  // namespace alphaswarm::trading
