#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "alphaswarm/collector/pipeline.hpp"

namespace alphaswarm::collector {

struct Exemplar {
  TraceId trace_id;
  SpanId span_id;
  std::uint64_t duration_ns = 0;
  std::uint64_t time_ns = 0;  // Unix, end of the span; 0: none
};

struct SpanSeries {
  // service.name, span.name, span.kind, status.code, then the configured dimensions.
  std::vector<std::string> labels;
  std::uint64_t calls = 0;
  std::uint64_t sum_ns = 0;
  std::vector<std::uint64_t> buckets;  // not cumulative; one more than the bounds
  std::vector<Exemplar> exemplars;     // the latest of each bucket; empty if switched off
  std::int64_t updated_ns = 0;         // of monotonic_ns()
};

// A connector: takes spans, keeps counts and histograms of their durations. Never refuses.
class SpanMetrics final : public Consumer {
 public:
  SpanMetrics(std::string id, SpanMetricsConfig config);

  Result<void> admit(std::uint64_t) override { return {}; }
  void consume(Batches batches) override;
  void drain(Deadline) override {}
  StageStats stats() const override { return counts_.read(); }

  [[nodiscard]] const SpanMetricsConfig& config() const noexcept { return config_; }
  // Names of the labels, in the order of SpanSeries::labels.
  [[nodiscard]] const std::vector<std::string>& label_names() const noexcept { return names_; }
  // The series as they are now, sorted by labels.
  [[nodiscard]] std::vector<SpanSeries> series() const;

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  void count(const otlp::TraceBatch& batch, const otlp::SpanView& span);
  SpanSeries& find(const otlp::TraceBatch& batch, const otlp::SpanView& span);

  const SpanMetricsConfig config_;
  std::vector<std::string> names_;
  StageCounts counts_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, SpanSeries, TextHash, std::equal_to<>> series_;
  std::string key_;  // scratch
};

// "SPAN_KIND_SERVER", "STATUS_CODE_UNSET": the label values of the OpenTelemetry Collector.
[[nodiscard]] std::string_view kind_label(otlp::SpanKind kind) noexcept;
[[nodiscard]] std::string_view status_label(otlp::StatusCode code) noexcept;

}  // namespace alphaswarm::collector
