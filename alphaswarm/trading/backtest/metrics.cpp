#include "alphaswarm/trading/backtest/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace alphaswarm::trading {
namespace {

double worst_drawdown(double initial, std::span<const double> equity) {
  double peak = initial;
  double worst = 0;
  for (const double value : equity) {
    peak = std::max(peak, value);
    if (peak > 0) worst = std::max(worst, (peak - value) / peak);
  }
  return worst;
}

}  // namespace

Metrics compute_metrics(const MetricsInput& input) {
  Metrics result;
  const std::span<const double> equity = input.equity;
  const double initial = input.initial_cash.to_double();
  if (equity.empty() || initial <= 0) return result;
  result.total_return = equity.back() / initial - 1.0;
  result.max_drawdown = worst_drawdown(initial, equity);
  // A ruined account has no returns to speak of.
  if (equity.size() < 2 || *std::ranges::min_element(equity) <= 0) return result;

  const double year = bars_per_year(input.interval);
  const auto count = static_cast<double>(equity.size() - 1);
  double sum = 0;
  double downside = 0;
  std::vector<double> returns;
  returns.reserve(equity.size() - 1);
  for (std::size_t t = 1; t < equity.size(); ++t) {
    const double r = equity[t] / equity[t - 1] - 1.0;
    returns.push_back(r);
    sum += r;
    const double below = std::min(r, 0.0);
    downside += below * below;
  }
  const double mean = sum / count;
  downside = std::sqrt(downside / count);
  if (count >= 2) {
    double squares = 0;
    for (const double r : returns) squares += (r - mean) * (r - mean);
    const double deviation = std::sqrt(squares / (count - 1.0));
    result.annual_volatility = deviation * std::sqrt(year);
    if (deviation > 0) result.sharpe = std::sqrt(year) * mean / deviation;
  }
  if (downside > 0) result.sortino = std::sqrt(year) * mean / downside;
  if (result.max_drawdown > 0) {
    const double growth = std::pow(equity.back() / equity.front(), year / count) - 1.0;
    result.calmar = growth / result.max_drawdown;
  }
  double total = 0;
  for (const double value : equity) total += value;
  const double average = total / static_cast<double>(equity.size());
  result.turnover = input.traded_value / average * year / count;
  return result;
}

}  // namespace alphaswarm::trading
