#include "alphaswarm/collector/connectors/span_metrics.hpp"

#include <algorithm>

#include "alphaswarm/base/time.hpp"

namespace alphaswarm::collector {
namespace {

// Stands between the parts of a key; service and span names do not contain it.
constexpr char kSeparator = '\x1f';

}  // namespace

std::string_view kind_label(otlp::SpanKind kind) noexcept {
  constexpr std::string_view kNames[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                         "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                         "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view status_label(otlp::StatusCode code) noexcept {
  constexpr std::string_view kNames[] = {"STATUS_CODE_UNSET", "STATUS_CODE_OK",
                                         "STATUS_CODE_ERROR"};
  return kNames[static_cast<std::size_t>(code)];
}

SpanMetrics::SpanMetrics(std::string id, SpanMetricsConfig config)
    : config_(std::move(config)),
      names_{"service.name", "span.name", "span.kind", "status.code"},
      counts_(std::move(id)) {
  for (const auto& [name, otherwise] : config_.dimensions) names_.push_back(name);
}

void SpanMetrics::consume(Batches batches) {
  const std::uint64_t spans = span_count(batches);
  counts_.received(spans);
  for (const Batch& batch : batches) {
    const std::lock_guard lock(mutex_);
    for (const otlp::SpanView& span : batch->spans) count(*batch, span);
  }
  counts_.sent(spans);
}

void SpanMetrics::count(const otlp::TraceBatch& batch, const otlp::SpanView& span) {
  SpanSeries& series = find(batch, span);
  const std::uint64_t duration = span.duration_ns();
  const auto bound = std::ranges::lower_bound(config_.buckets_ns, duration);  // le: inclusive
  const auto bucket = static_cast<std::size_t>(bound - config_.buckets_ns.begin());
  ++series.calls;
  series.sum_ns += duration;
  ++series.buckets[bucket];
  series.updated_ns = monotonic_ns();
  if (config_.exemplars) {
    series.exemplars[bucket] = {span.trace_id, span.span_id, duration, span.start_ns + duration};
  }
}

SpanSeries& SpanMetrics::find(const otlp::TraceBatch& batch, const otlp::SpanView& span) {
  const otlp::ResourceView& resource = batch.resource_of(span);
  key_.assign(resource.service_name.empty() ? "unknown_service" : resource.service_name);
  key_ += kSeparator;
  key_ += span.name;
  key_ += kSeparator;
  key_ += kind_label(span.kind);
  key_ += kSeparator;
  key_ += status_label(span.status);
  for (const auto& [name, otherwise] : config_.dimensions) {
    key_ += kSeparator;
    otlp::AnyValueView value = otlp::find_attribute(span.attributes(), name);
    if (value.type() == otlp::AnyValueView::Type::none) {
      value = otlp::find_attribute(resource.attributes(), name);
    }
    key_ += value.type() == otlp::AnyValueView::Type::none ? otherwise.value_or("")
                                                           : otlp::to_text(value);
  }
  auto known = series_.find(key_);
  if (known != series_.end()) return known->second;
  SpanSeries made;
  if (series_.size() >= config_.max_series) {
    key_ = "overflow";  // one series for all that is too much, as the Collector has it
    known = series_.find(key_);
    if (known != series_.end()) return known->second;
  } else {
    std::string_view rest = key_;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      // The last label takes what is left; a separator within a name cannot shift the others.
      const std::size_t end = i + 1 == names_.size() ? rest.size() : rest.find(kSeparator);
      made.labels.emplace_back(rest.substr(0, end));
      rest.remove_prefix(
          std::min(rest.size(), end == std::string_view::npos ? rest.size() : end + 1));
    }
  }
  made.buckets.resize(config_.buckets_ns.size() + 1);
  if (config_.exemplars) made.exemplars.resize(made.buckets.size());
  return series_.emplace(key_, std::move(made)).first->second;
}

std::vector<SpanSeries> SpanMetrics::series() const {
  std::vector<SpanSeries> all;
  {
    const std::lock_guard lock(mutex_);
    all.reserve(series_.size());
    for (const auto& [key, series] : series_) all.push_back(series);
  }
  std::ranges::sort(all, {}, &SpanSeries::labels);
  return all;
}

}  // namespace alphaswarm::collector
