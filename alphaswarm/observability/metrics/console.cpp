#include "alphaswarm/observability/metrics/console.hpp"

#include <cstdio>

namespace alphaswarm::observability::metrics {
namespace {

std::string number(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.15g", value);
  return text;
}

template <class Point>
std::string head(const ScopeMetrics& scope, const Metric& metric, const Point& point) {
  std::string line = "metric " + scope.name + " " + metric.name + " {";
  for (const auto& [key, value] : point.attributes.text()) {
    if (line.back() != '{') line += ", ";
    line.append(key).append("=").append(value);
  }
  return line + "} ";
}

template <class Point>
std::string distribution(const Point& point) {
  return "count " + std::to_string(point.count) + " sum " + number(point.sum) + " min " +
         number(point.min) + " max " + number(point.max);
}

}  // namespace

void print(const std::vector<ScopeMetrics>& scopes) {
  std::string text;
  for (const ScopeMetrics& scope : scopes) {
    for (const Metric& metric : scope.metrics) {
      const std::string unit = (metric.unit.empty() ? "" : " " + metric.unit) + "\n";
      for (const NumberPoint& point : metric.numbers) {
        text +=
            head(scope, metric, point) +
            std::visit([](auto value) { return number(static_cast<double>(value)); }, point.value) +
            unit;
      }
      for (const HistogramPoint& point : metric.histograms) {
        text += head(scope, metric, point) + distribution(point) + unit;
      }
      for (const ExponentialPoint& point : metric.exponentials) {
        text += head(scope, metric, point) + distribution(point) + unit;
      }
    }
  }
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace alphaswarm::observability::metrics
