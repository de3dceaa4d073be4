#pragma once

// Fixed-point decimals for money, prices and quantities: eight places, exact addition.

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "alphaswarm/base/error.hpp"

namespace alphaswarm {

// A number of 1e-8 units in an int64: range ±92,233,720,368.54775807. Addition and subtraction
// are exact; products and quotients are rounded half away from zero at the eighth place.
// Overflow saturates (and is a caller's error: bounds are checked on input).
class Decimal {
 public:
  static constexpr std::int64_t kScale = 100'000'000;

  constexpr Decimal() = default;
  [[nodiscard]] static constexpr Decimal from_units(std::int64_t units) noexcept {
    Decimal value;
    value.units_ = units;
    return value;
  }
  [[nodiscard]] static Decimal from_integer(std::int64_t whole) noexcept;
  // Nearest representable; NaN becomes 0, infinities saturate.
  [[nodiscard]] static Decimal from_double(double value) noexcept;
  // "-12.345", at most 8 decimals (more are an error unless zeros), exponents allowed ("1e3").
  [[nodiscard]] static Result<Decimal> parse(std::string_view text);

  [[nodiscard]] constexpr std::int64_t units() const noexcept { return units_; }
  [[nodiscard]] double to_double() const noexcept {
    return static_cast<double>(units_) / static_cast<double>(kScale);
  }
  // Shortest exact form: "12.5", "100", "-0.00000001".
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] constexpr bool is_zero() const noexcept { return units_ == 0; }
  [[nodiscard]] Decimal absolute() const noexcept;
  [[nodiscard]] Decimal floor() const noexcept;  // to a whole number, towards minus infinity
  // Rounded half away from zero to `places` (0–8) decimals.
  [[nodiscard]] Decimal rounded(int places) const noexcept;

  friend Decimal operator+(Decimal a, Decimal b) noexcept;
  friend Decimal operator-(Decimal a, Decimal b) noexcept;
  friend Decimal operator*(Decimal a, Decimal b) noexcept;
  friend Decimal operator/(Decimal a, Decimal b) noexcept;  // b must not be 0
  Decimal operator-() const noexcept { return from_units(-units_); }
  Decimal& operator+=(Decimal other) noexcept { return *this = *this + other; }
  Decimal& operator-=(Decimal other) noexcept { return *this = *this - other; }
  friend constexpr auto operator<=>(Decimal, Decimal) = default;

 private:
  std::int64_t units_ = 0;
};

}  // namespace alphaswarm
