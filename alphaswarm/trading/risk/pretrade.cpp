#include "alphaswarm/trading/risk/pretrade.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <span>

#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/trading/strategy/params.hpp"

namespace alphaswarm::trading {
namespace {

namespace otel = alphaswarm::observability;

// Share of equity, for people; the decision compares money, so rounding here decides nothing.
Decimal share(Money part, Money equity) noexcept {
  if (!equity.is_positive()) return Decimal::from_integer(1'000'000);
  return part / equity;
}

Decimal loss(Money from, Money to) noexcept {
  if (to >= from || !from.is_positive()) return {};
  return (from - to) / from;
}

}  // namespace

Result<RiskLimits> parse_risk_limits(const boost::json::object& section) {
  RiskLimits limits;
  Params params("risk", section);
  const NumberRange fraction{.low = 0, .high = 1, .above_low = true};
  const NumberRange multiple{.low = 0, .high = 10, .above_low = true};
  limits.max_position_pct = params.decimal("max_position_pct", limits.max_position_pct, multiple);
  limits.max_daily_loss_pct =
      params.decimal("max_daily_loss_pct", limits.max_daily_loss_pct, fraction);
  limits.max_drawdown_pct = params.decimal("max_drawdown_pct", limits.max_drawdown_pct, fraction);
  limits.max_gross_exposure =
      params.decimal("max_gross_exposure", limits.max_gross_exposure, multiple);
  if (const Result<void> valid = params.finish(); !valid) return std::unexpected(valid.error());
  return limits;
}

void RiskMonitor::update(UnixNanos time, Money equity) noexcept {
  constexpr std::int64_t kDay = 86'400'000'000'000;
  const std::int64_t day = time.value / kDay - (time.value % kDay < 0 ? 1 : 0);
  if (!state_.started || day != state_.day) state_.day_start = state_.equity;
  state_.started = true;
  state_.day = day;
  state_.equity = equity;
  state_.peak = std::max(state_.peak, equity);
}

Decimal RiskMonitor::drawdown() const noexcept { return loss(state_.peak, state_.equity); }
Decimal RiskMonitor::daily_loss() const noexcept { return loss(state_.day_start, state_.equity); }

std::string Breach::message() const {
  return fmt::format("{}: {} is more than {}", limit, value.rounded(6).to_string(),
                     allowed.to_string());
}

std::string Verdict::message() const {
  std::string text;
  for (const Breach& breach : breaches) {
    if (!text.empty()) text += "; ";
    text += breach.message();
  }
  return text;
}

Verdict evaluate_pretrade(const RiskLimits& limits, const OrderRequest& order,
                          const RiskInput& input) {
  Verdict verdict;
  const Quantity before = input.position;
  const Quantity after = before + (order.side == Side::buy ? order.quantity : -order.quantity);
  const bool turns_over =
      !after.is_zero() && !before.is_zero() && after.is_negative() != before.is_negative();
  if (!turns_over && after.absolute() < before.absolute()) return verdict;

  const Money position = input.price * after.absolute();
  const Money gross = input.gross_exposure - input.price * before.absolute() + position;
  const Money equity = std::max(input.equity, Money());
  if (position > equity * limits.max_position_pct) {
    verdict.breaches.push_back({.limit = "max_position_pct",
                                .value = share(position, equity),
                                .allowed = limits.max_position_pct});
  }
  if (gross > equity * limits.max_gross_exposure) {
    verdict.breaches.push_back({.limit = "max_gross_exposure",
                                .value = share(gross, equity),
                                .allowed = limits.max_gross_exposure});
  }
  if (input.daily_loss > limits.max_daily_loss_pct) {
    verdict.breaches.push_back({.limit = "max_daily_loss_pct",
                                .value = input.daily_loss,
                                .allowed = limits.max_daily_loss_pct});
  }
  if (input.drawdown > limits.max_drawdown_pct) {
    verdict.breaches.push_back(
        {.limit = "max_drawdown_pct", .value = input.drawdown, .allowed = limits.max_drawdown_pct});
  }
  return verdict;
}

Verdict check_pretrade(const RiskLimits& limits, const OrderRequest& order,
                       const RiskInput& input) {
  otel::Span span = otel::span("risk.check_pretrade", {{"order.client_id", order.client_id.value}});
  Verdict verdict = evaluate_pretrade(limits, order, input);
  std::array<std::string_view, 4> names;
  std::size_t count = 0;
  for (const Breach& breach : verdict.breaches) names[count++] = breach.limit;
  span.set("risk.breaches", std::span<const std::string_view>(names.data(), count));
  span.set("risk.verdict", verdict.text());
  return verdict;
}

}  // namespace alphaswarm::trading
