#include "alphaswarm/trading/feed/bar_steps.hpp"

#include <algorithm>

namespace alphaswarm::trading {

bool BarSteps::add(const SymbolBar& one, std::int64_t now_ns) {
  if (one.bar.timestamp <= taken_) return false;
  auto& bars = steps_.try_emplace(one.bar.timestamp, Waiting{now_ns, {}}).first->second.bars;
  const auto place = std::ranges::lower_bound(bars, one.symbol, {}, &SymbolBar::symbol);
  if (place != bars.end() && place->symbol == one.symbol) return false;
  bars.insert(place, one);
  return true;
}

std::optional<BarStep> BarSteps::take(std::int64_t known_ns) {
  if (steps_.empty()) return std::nullopt;
  const auto oldest = steps_.begin();
  const bool complete = oldest->second.bars.size() >= symbols_ || steps_.size() > 1 ||
                        known_ns - oldest->second.since_ns >= grace_ns_;
  if (!complete) return std::nullopt;
  BarStep step{oldest->first, std::move(oldest->second.bars)};
  taken_ = step.time;
  steps_.erase(oldest);
  return step;
}

}  // namespace alphaswarm::trading
