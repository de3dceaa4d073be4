#pragma once

// Prices, quantities and money as different types over one exact decimal.

#include <compare>
#include <string>

#include "alphaswarm/base/decimal.hpp"

namespace alphaswarm::trading {

// A decimal with a meaning. Amounts of one kind add, subtract and compare exactly; products of
// different kinds are defined below where they mean something, and nowhere else.
template <class Tag>
class Amount {
 public:
  constexpr Amount() = default;
  explicit constexpr Amount(Decimal value) noexcept : value_(value) {}
  [[nodiscard]] static Amount of(double value) noexcept {
    return Amount(Decimal::from_double(value));
  }

  [[nodiscard]] constexpr Decimal value() const noexcept { return value_; }
  [[nodiscard]] double to_double() const noexcept { return value_.to_double(); }
  [[nodiscard]] std::string to_string() const { return value_.to_string(); }
  [[nodiscard]] constexpr bool is_zero() const noexcept { return value_.is_zero(); }
  [[nodiscard]] constexpr bool is_negative() const noexcept { return value_.units() < 0; }
  [[nodiscard]] constexpr bool is_positive() const noexcept { return value_.units() > 0; }
  [[nodiscard]] Amount absolute() const noexcept { return Amount(value_.absolute()); }

  friend Amount operator+(Amount a, Amount b) noexcept { return Amount(a.value_ + b.value_); }
  friend Amount operator-(Amount a, Amount b) noexcept { return Amount(a.value_ - b.value_); }
  Amount operator-() const noexcept { return Amount(-value_); }
  Amount& operator+=(Amount other) noexcept { return *this = *this + other; }
  Amount& operator-=(Amount other) noexcept { return *this = *this - other; }
  // Scaling by a pure number keeps the meaning.
  friend Amount operator*(Amount a, Decimal factor) noexcept { return Amount(a.value_ * factor); }
  // The ratio of two amounts of one kind is a pure number; `b` must not be 0.
  friend Decimal operator/(Amount a, Amount b) noexcept { return a.value_ / b.value_; }
  friend constexpr auto operator<=>(Amount, Amount) = default;

 private:
  Decimal value_;
};

using Price = Amount<struct PriceTag>;        // account currency for one share
using Quantity = Amount<struct QuantityTag>;  // shares; negative is short where a sign makes sense
using Money = Amount<struct MoneyTag>;        // account currency

[[nodiscard]] inline Money operator*(Price price, Quantity quantity) noexcept {
  return Money(price.value() * quantity.value());
}
// `quantity` must not be 0.
[[nodiscard]] inline Price operator/(Money money, Quantity quantity) noexcept {
  return Price(money.value() / quantity.value());
}

}  // namespace alphaswarm::trading
