#pragma once

// What goes into a statement (Param) and what comes out of it (Row).

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "alphaswarm/base/decimal.hpp"
#include "alphaswarm/base/time.hpp"

namespace alphaswarm::persistence {

// One bound value; does not own its text. Decimals are stored exactly, as their int64 count of
// 1e-8 units; times as int64 nanoseconds since the epoch (UTC); booleans as 0 and 1.
class Param {
 public:
  enum class Kind : std::uint8_t { null, integer, real, text };

  Param(std::nullptr_t) noexcept {}
  template <std::integral T>
  Param(T value) noexcept : kind_(Kind::integer), integer_(static_cast<std::int64_t>(value)) {}
  Param(double value) noexcept : kind_(Kind::real), real_(value) {}
  Param(Decimal value) noexcept : kind_(Kind::integer), integer_(value.units()) {}
  Param(UnixNanos value) noexcept : kind_(Kind::integer), integer_(value.value) {}
  Param(std::string_view value) noexcept : kind_(Kind::text), text_(value) {}
  Param(const std::string& value) noexcept : kind_(Kind::text), text_(value) {}
  Param(const char* value) noexcept : kind_(Kind::text), text_(value) {}
  template <class T>
  Param(const std::optional<T>& value) noexcept : Param(value ? Param(*value) : Param(nullptr)) {}

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] std::int64_t integer() const noexcept { return integer_; }
  [[nodiscard]] double real() const noexcept { return real_; }
  [[nodiscard]] std::string_view text() const noexcept { return text_; }

 private:
  Kind kind_ = Kind::null;
  std::int64_t integer_ = 0;
  double real_ = 0;
  std::string_view text_;
};

// How a database gives the cells of the row it stands on. A null reads as 0 or an empty text.
class CellReader {
 public:
  [[nodiscard]] virtual bool is_null(int column) const noexcept = 0;
  [[nodiscard]] virtual std::int64_t integer(int column) const noexcept = 0;
  [[nodiscard]] virtual double real(int column) const noexcept = 0;
  [[nodiscard]] virtual std::string_view text(int column) const noexcept = 0;

 protected:
  ~CellReader() = default;
};

// The row a query stands on; valid only inside the callback that receives it. Columns count from
// 0. A null reads as 0 or an empty text: ask is_null where the difference matters.
class Row {
 public:
  explicit Row(const CellReader& cells) noexcept : cells_(cells) {}

  [[nodiscard]] bool is_null(int column) const noexcept { return cells_.is_null(column); }
  [[nodiscard]] std::int64_t integer(int column) const noexcept { return cells_.integer(column); }
  [[nodiscard]] double real(int column) const noexcept { return cells_.real(column); }
  // Until the next row.
  [[nodiscard]] std::string_view text(int column) const noexcept { return cells_.text(column); }
  [[nodiscard]] Decimal decimal(int column) const noexcept {
    return Decimal::from_units(integer(column));
  }
  [[nodiscard]] UnixNanos time(int column) const noexcept { return {integer(column)}; }

 private:
  const CellReader& cells_;
};

}  // namespace alphaswarm::persistence
