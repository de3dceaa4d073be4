#include "alphaswarm/base/decimal.hpp"

#include <charconv>
#include <cmath>
#include <limits>

namespace alphaswarm {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

Decimal saturate(__int128 units) noexcept {
  if (units > kMax) return Decimal::from_units(kMax);
  if (units < -static_cast<__int128>(kMax)) return Decimal::from_units(-kMax);
  return Decimal::from_units(static_cast<std::int64_t>(units));
}

// a / b rounded half away from zero.
__int128 divide(__int128 a, __int128 b) noexcept {
  const bool negative = (a < 0) != (b < 0);
  const __int128 numerator = a < 0 ? -a : a;
  const __int128 denominator = b < 0 ? -b : b;
  const __int128 quotient = (numerator + denominator / 2) / denominator;
  return negative ? -quotient : quotient;
}

}  // namespace

Decimal Decimal::from_integer(std::int64_t whole) noexcept {
  return saturate(static_cast<__int128>(whole) * kScale);
}

Decimal Decimal::from_double(double value) noexcept {
  if (std::isnan(value)) return {};
  const double scaled = std::round(value * static_cast<double>(kScale));
  if (scaled >= static_cast<double>(kMax)) return from_units(kMax);
  if (scaled <= -static_cast<double>(kMax)) return from_units(-kMax);
  return from_units(static_cast<std::int64_t>(scaled));
}

Result<Decimal> Decimal::parse(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return fail(ErrorCode::invalid_argument, "'" + std::string(text.substr(0, 64)) +
                                                 "' is not a decimal number: " + std::string(why));
  };
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  int exponent = 0;
  if (const std::size_t at = rest.find_first_of("eE"); at != std::string_view::npos) {
    std::string_view digits = rest.substr(at + 1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const auto [stop, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    if (error != std::errc{} || stop != digits.data() + digits.size() || digits.empty() ||
        exponent > 40 || exponent < -40) {
      return bad("bad exponent");
    }
    rest = rest.substr(0, at);
  }
  __int128 units = 0;
  int places = 8 + exponent;  // what the next digit must be scaled by, as a power of ten
  bool point = false;
  bool digit = false;
  for (const char c : rest) {
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (c < '0' || c > '9') return bad("only digits, one point and an exponent");
    digit = true;
    units = units * 10 + (c - '0');
    if (point) --places;
    if (units > static_cast<__int128>(kMax) * kScale) return bad("out of range");
  }
  if (!digit) return bad("no digits");
  for (; places > 0 && units != 0; --places) {
    units *= 10;
    if (units > kMax) return bad("out of range");
  }
  for (; places < 0 && units != 0; ++places) {
    if (units % 10 != 0) return bad("more than eight decimals");
    units /= 10;
  }
  if (units > kMax) return bad("out of range");
  return from_units(static_cast<std::int64_t>(negative ? -units : units));
}

std::string Decimal::to_string() const {
  const bool negative = units_ < 0;
  const std::uint64_t magnitude =
      negative ? 0 - static_cast<std::uint64_t>(units_) : static_cast<std::uint64_t>(units_);
  std::string text = negative ? "-" : "";
  text += std::to_string(magnitude / kScale);
  if (const std::uint64_t fraction = magnitude % kScale; fraction != 0) {
    std::string digits = std::to_string(fraction);
    digits.insert(0, 8 - digits.size(), '0');
    digits.erase(digits.find_last_not_of('0') + 1);
    text += '.' + digits;
  }
  return text;
}

Decimal Decimal::absolute() const noexcept {
  return units_ < 0 ? saturate(-__int128{units_}) : *this;
}

Decimal Decimal::floor() const noexcept {
  const std::int64_t rest = units_ % kScale;
  return saturate(__int128{units_} - rest - (rest < 0 ? kScale : 0));
}

Decimal Decimal::rounded(int places) const noexcept {
  std::int64_t step = 1;
  for (int i = places; i < 8; ++i) step *= 10;
  return saturate(divide(units_, step) * step);
}

Decimal operator+(Decimal a, Decimal b) noexcept { return saturate(__int128{a.units_} + b.units_); }
Decimal operator-(Decimal a, Decimal b) noexcept { return saturate(__int128{a.units_} - b.units_); }
Decimal operator*(Decimal a, Decimal b) noexcept {
  return saturate(divide(__int128{a.units_} * b.units_, Decimal::kScale));
}
Decimal operator/(Decimal a, Decimal b) noexcept {
  return saturate(divide(__int128{a.units_} * Decimal::kScale, b.units_));
}

}  // namespace alphaswarm
