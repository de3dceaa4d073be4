#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/base/error.hpp"

namespace alphaswarm::trading {

enum class Field : std::uint8_t { date, time, open, high, low, close, adj_close, volume, symbol };
inline constexpr std::size_t kFieldCount = 9;

// Which column of a file holds which field.
class Columns {
 public:
  // Names are compared without case, blanks, underscores, points and dashes. Errors:
  // invalid_argument if there is no date or no close, a field is there twice, or the map names a
  // field or column that does not exist.
  [[nodiscard]] static Result<Columns> from_header(
      const std::vector<std::string_view>& header,
      const std::map<std::string, std::string>& column_map);

  [[nodiscard]] bool has(Field field) const noexcept { return index(field).has_value(); }
  [[nodiscard]] std::optional<std::size_t> index(Field field) const noexcept {
    return index_[static_cast<std::size_t>(field)];
  }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }

 private:
  std::array<std::optional<std::size_t>, kFieldCount> index_{};
  std::size_t count_ = 0;
};

[[nodiscard]] std::string_view to_string(Field field) noexcept;

}  // namespace alphaswarm::trading
