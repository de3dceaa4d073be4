#include "alphaswarm/trading/strategy/strategy.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json/object.hpp>

#include "alphaswarm/trading/strategy/strategies.hpp"

namespace alphaswarm::trading {
namespace {

constexpr std::array<std::string_view, 5> kNames{"mean_reversion", "buy_and_hold", "sma_cross",
                                                 "ema_cross", "momentum"};
constexpr std::array<detail::StrategyFactory, 5> kFactories{
    detail::make_mean_reversion, detail::make_buy_and_hold, detail::make_sma_cross,
    detail::make_ema_cross, detail::make_momentum};

}  // namespace

std::string_view to_string(SignalKind kind) noexcept {
  switch (kind) {
    case SignalKind::enter_long:
      return "enter_long";
    case SignalKind::enter_short:
      return "enter_short";
    case SignalKind::leave:
      return "leave";
  }
  return "unknown";
}

Quantity size_order(const SizingConfig& config, Money equity, Price price) noexcept {
  const Money budget = equity * config.position_pct;
  if (!budget.is_positive() || !price.is_positive()) return {};
  // Whole-number division of the units is the exact floor; a rounded quotient could be one more.
  return Quantity(Decimal::from_integer(budget.value().units() / price.value().units()));
}

std::span<const std::string_view> strategy_names() noexcept { return kNames; }

Result<std::unique_ptr<Strategy>> make_strategy(std::string_view name,
                                                const boost::json::object& params) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] != name) continue;
    Params reader("strategy " + std::string(name), params);
    SizingConfig sizing;
    sizing.position_pct = reader.decimal("position_pct", sizing.position_pct,
                                         {.low = 0, .high = 1, .above_low = true});
    sizing.allow_short = reader.boolean("allow_short", sizing.allow_short);
    std::unique_ptr<Strategy> strategy = kFactories[i](reader, sizing);
    if (const Result<void> valid = reader.finish(); !valid) return std::unexpected(valid.error());
    return strategy;
  }
  return fail(ErrorCode::invalid_argument,
              fmt::format("there is no strategy '{}': one of {}", name.substr(0, 64),
                          fmt::join(kNames, ", ")));
}

}  // namespace alphaswarm::trading
