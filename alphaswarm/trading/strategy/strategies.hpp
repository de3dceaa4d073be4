#pragma once

// The strategies, one factory each; make_strategy() chooses by name.

#include <memory>

#include "alphaswarm/trading/strategy/params.hpp"
#include "alphaswarm/trading/strategy/strategy.hpp"

namespace alphaswarm::trading::detail {

// Each reads its parameters from `params`, whose finish() the caller asks.
using StrategyFactory = std::unique_ptr<Strategy> (*)(Params& params, const SizingConfig& sizing);

[[nodiscard]] std::unique_ptr<Strategy> make_mean_reversion(Params&, const SizingConfig&);
[[nodiscard]] std::unique_ptr<Strategy> make_buy_and_hold(Params&, const SizingConfig&);
[[nodiscard]] std::unique_ptr<Strategy> make_sma_cross(Params&, const SizingConfig&);
[[nodiscard]] std::unique_ptr<Strategy> make_ema_cross(Params&, const SizingConfig&);
[[nodiscard]] std::unique_ptr<Strategy> make_momentum(Params&, const SizingConfig&);

inline constexpr std::int64_t kLongestLookback = 10'000;  // bars

}  // namespace alphaswarm::trading::detail
