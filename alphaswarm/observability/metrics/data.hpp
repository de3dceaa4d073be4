#pragma once

// What a collection reads from the instruments, in the shape of OpenTelemetry's data model
// (https://opentelemetry.io/docs/specs/otel/metrics/data-model/).

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/base/time.hpp"

namespace alphaswarm::observability::metrics {

using Number = std::variant<std::int64_t, double>;

// A measurement kept as an example, with the span it was made in.
struct Exemplar {
  UnixNanos time;
  Number value;
  TraceId trace_id;  // not valid: made outside of a span
  SpanId span_id;
};

// Distinct attributes in canonical form: sorted by key, each key once. Equal sets have equal
// bytes: KeyValue messages of OTLP, each as field 1.
struct AttributeSet {
  std::string bytes;

  [[nodiscard]] std::map<std::string, std::string> text() const;  // values as people write them
  friend bool operator==(const AttributeSet&, const AttributeSet&) = default;
};

struct NumberPoint {
  AttributeSet attributes;
  UnixNanos start;  // 0 for a gauge
  UnixNanos time;
  Number value;
  std::vector<Exemplar> exemplars;
};

struct HistogramPoint {
  AttributeSet attributes;
  UnixNanos start;
  UnixNanos time;
  std::uint64_t count = 0;
  double sum = 0;
  double min = 0;  // of nothing when count is 0
  double max = 0;
  std::vector<std::uint64_t> bucket_counts;  // one more than there are boundaries
  std::vector<Exemplar> exemplars;
};

struct ExponentialPoint {
  struct Buckets {
    std::int32_t offset = 0;  // the index of the first count
    std::vector<std::uint64_t> counts;
  };
  AttributeSet attributes;
  UnixNanos start;
  UnixNanos time;
  std::uint64_t count = 0;
  double sum = 0;
  double min = 0;
  double max = 0;
  std::int32_t scale = 0;
  std::uint64_t zero_count = 0;
  Buckets positive;
  Buckets negative;
  std::vector<Exemplar> exemplars;
};

enum class Temporality : std::uint8_t { delta = 1, cumulative = 2 };  // the numbers of OTLP

struct Metric {
  enum class Kind : std::uint8_t { gauge, sum, histogram, exponential_histogram };
  std::string name;
  std::string description;
  std::string unit;
  Kind kind = Kind::sum;
  Temporality temporality = Temporality::cumulative;  // not of a gauge
  bool monotonic = false;                             // of a sum
  std::vector<double> boundaries;                     // of a histogram
  std::vector<NumberPoint> numbers;                   // of a gauge or sum
  std::vector<HistogramPoint> histograms;
  std::vector<ExponentialPoint> exponentials;

  [[nodiscard]] std::size_t points() const noexcept {
    return numbers.size() + histograms.size() + exponentials.size();
  }
};

struct ScopeMetrics {
  std::string name;
  std::string version;
  std::vector<Metric> metrics;
};

}  // namespace alphaswarm::observability::metrics
