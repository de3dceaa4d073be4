#pragma once

#include <span>

namespace alphaswarm::trading {

// (last − mean) / s of these closes, the last included, where s = √(Σ(x − mean)² / (n − 1)) is the
// sample standard deviation (standard score; e.g. Kreyszig, Advanced Engineering Mathematics).
// 0 where s is 0 or there are fewer than two closes.
[[nodiscard]] double z_score(std::span<const double> closes) noexcept;

}  // namespace alphaswarm::trading
