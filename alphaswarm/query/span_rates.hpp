#pragma once

// Calls, errors and latencies over time, counted from the spans in the store.

#include <cstdint>
#include <string>
#include <vector>

#include "alphaswarm/query/query_service.hpp"

namespace alphaswarm::query {

struct RateQuery {
  enum class What : std::uint8_t { calls, errors, latencies };
  What what = What::calls;
  std::vector<std::string> services;
  std::vector<otlp::SpanKind> kinds{otlp::SpanKind::server};
  bool by_operation = false;
  double quantile = 0.95;         // of latencies
  std::uint64_t end_ns = 0;       // Unix; the last point
  std::uint64_t lookback_ns = 0;  // from the first point to the last
  std::uint64_t step_ns = 0;      // between points; at least 1
  std::uint64_t window_ns = 0;    // each point looks back over this long
};

struct RateSeries {
  std::string service;
  std::string operation;  // empty unless by_operation
  // calls: per second; errors: share of calls, 0 to 1; latencies: ms. NaN where there is no call.
  std::vector<double> values;
};

struct Rates {
  std::vector<std::uint64_t> times_ns;
  std::vector<RateSeries> series;  // by service, then operation
};

// At most 11,000 points; a smaller step is widened.
[[nodiscard]] Rates span_rates(const QueryService& query, RateQuery wanted);

}  // namespace alphaswarm::query
