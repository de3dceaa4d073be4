#pragma once

// Writes Prometheus text 0.0.4 or OpenMetrics 1.0.0.
// Sources: prometheus.io/docs/instrumenting/exposition_formats, prometheus/OpenMetrics.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace alphaswarm::collector {

using Label = std::pair<std::string_view, std::string_view>;

class MetricsText {
 public:
  enum class Format : std::uint8_t { prometheus, open_metrics };
  enum class Type : std::uint8_t { counter, gauge, histogram };

  explicit MetricsText(Format format) : format_(format) {}

  // Starts a family. `name` of a counter comes without "_total".
  void family(std::string_view name, Type type, std::string_view help);
  // One sample of the family just started. `labels` is label text without braces.
  void sample(std::string_view suffix, std::string_view labels, std::uint64_t value);
  void sample(std::string_view suffix, std::string_view labels, double value);
  // Appends an exemplar to the sample just written (OpenMetrics only; ignored otherwise).
  void exemplar(std::string_view labels, double value, double unix_seconds);

  [[nodiscard]] Format format() const noexcept { return format_; }
  [[nodiscard]] std::string_view content_type() const noexcept;
  [[nodiscard]] std::string finish();

 private:
  void start_sample(std::string_view suffix, std::string_view labels);

  Format format_;
  std::string name_;
  Type type_ = Type::gauge;
  std::string out_;
};

// `a="…",b="…"`, with values escaped and names made legal (`.` and others become `_`).
[[nodiscard]] std::string label_text(std::initializer_list<Label> labels);
void append_label(std::string& out, std::string_view name, std::string_view value);
// "traces.span.metrics" → "traces_span_metrics".
[[nodiscard]] std::string metric_name(std::string_view name);
[[nodiscard]] std::string number_text(double value);

}  // namespace alphaswarm::collector
