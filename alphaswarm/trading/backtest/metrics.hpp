#pragma once

#include <optional>
#include <span>

#include "alphaswarm/trading/market/types.hpp"

namespace alphaswarm::trading {

// How a run did. All are fractions (0.05 is 5 %) or plain ratios; a ratio that is not defined (no
// variance, no drawdown, fewer than two returns) is absent. With E₀ the initial cash, E₁ … E_N the
// equity at the closes of the N bars, r_t = E_t / E_{t−1} − 1 for t = 2 … N, M = N − 1 returns,
// m their mean, and n = bars_per_year(interval):
struct Metrics {
  // E_N / E₀ − 1.
  double total_return = 0;
  // max over t of (P_t − E_t) / P_t, with P_t the peak of E₀ … E_t. (Magdon-Ismail and Atiya,
  // "Maximum Drawdown", Risk 17(10), 2004.)
  double max_drawdown = 0;
  // s·√n, with the sample standard deviation s = √(Σ(r − m)² / (M − 1)).
  std::optional<double> annual_volatility;
  // √n · m / s, the risk-free rate taken as 0. (Sharpe, "The Sharpe Ratio", Journal of Portfolio
  // Management 21(1), 1994, scaled to a year.)
  std::optional<double> sharpe;
  // √n · m / d, with the downside deviation d = √(Σ min(r, 0)² / M) over all M returns, target 0.
  // (Sortino and Price, "Performance Measurement in a Downside Risk Framework", Journal of
  // Investing 3(3), 1994.)
  std::optional<double> sortino;
  // ((E_N / E₁)^(n / M) − 1) / max_drawdown: yearly growth over the worst loss. (Young, "Calmar
  // Ratio: A Smoother Tool", Futures 20(1), 1991; over the whole run instead of three years.)
  std::optional<double> calmar;
  // V / Ē · n / M: the value V of all fills (price × quantity, both sides) over the mean equity Ē
  // of E₁ … E_N, per year.
  std::optional<double> turnover;
};

struct MetricsInput {
  Money initial_cash;
  std::span<const double> equity;  // E₁ … E_N, in account currency
  double traded_value = 0;         // V
  Interval interval = Interval::day;
};

[[nodiscard]] Metrics compute_metrics(const MetricsInput& input);

}  // namespace alphaswarm::trading
