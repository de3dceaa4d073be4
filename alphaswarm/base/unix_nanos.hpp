#pragma once

// The type alone, for headers that must stay cheap to include; what it can do is in time.hpp.

#include <compare>
#include <cstdint>

namespace alphaswarm {

struct UnixNanos {
  std::int64_t value = 0;  // ns since the epoch, UTC; 0 is "not set" where a field is optional

  friend auto operator<=>(const UnixNanos&, const UnixNanos&) = default;
  [[nodiscard]] double seconds() const noexcept { return static_cast<double>(value) * 1e-9; }
};

}  // namespace alphaswarm
