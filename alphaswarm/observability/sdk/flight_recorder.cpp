#include "alphaswarm/observability/sdk/flight_recorder.hpp"

#if ALPHASWARM_OTEL

#include <algorithm>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/observability/sdk/request_builder.hpp"
#include "alphaswarm/otlp/encode.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kMaxTriggered = 10'000;
constexpr std::size_t kMaxFromOthers = 10'000;
// A trace's later spans follow for at least so long.
constexpr std::chrono::minutes kFollow{5};
// Of ScopeSpans.
constexpr std::uint32_t kScope = 1;
constexpr std::uint32_t kSpans = 2;
constexpr std::uint32_t kSchemaUrl = 3;

}  // namespace

FlightRecorder::FlightRecorder(const Config& config, std::vector<std::shared_ptr<BatchSink>> sinks,
                               ExportListeners& listeners)
    : max_bytes_(config.flight_recorder_bytes),
      latency_ns_(static_cast<std::uint64_t>(config.flight_recorder_latency_ms) * 1'000'000),
      listener_(config.on_trigger),
      delivery_(config, std::move(sinks), &listeners) {}

SinkResult FlightRecorder::send(const Batch& batch, std::chrono::milliseconds timeout) {
  const auto parsed = otlp::parse_trace_request(SharedBytes(batch.request.joined()));
  if (!parsed) return {.status = SinkResult::rejected, .message = parsed.error().message};
  // What was triggered before is looked for in what was kept before; this batch comes after.
  export_asked(timeout);
  find_triggers(*parsed);
  export_asked(timeout);
  if (!triggered_.empty()) {
    export_from(*parsed, timeout, [&](const TraceId& id) { return triggered_.contains(id); });
  }
  retain(batch.request.joined(), batch.span_count);
  forget_old_triggers();
  return {};
}

bool FlightRecorder::flush(std::chrono::milliseconds timeout) {
  export_asked(timeout);
  return delivery_.flush(steady_clock::now() + timeout);
}

void FlightRecorder::trigger(const TraceId& trace) {
  const std::scoped_lock lock(mutex_);
  if (trace.is_valid() && from_others_.size() < kMaxFromOthers) from_others_.push_back(trace);
}

void FlightRecorder::find_triggers(const otlp::TraceBatch& batch) {
  for (const otlp::SpanView& span : batch.spans) {
    if (span.status == otlp::StatusCode::error) note(span.trace_id, "error");
    if (latency_ns_ != 0 && span.duration_ns() >= latency_ns_) note(span.trace_id, "latency");
    for (const otlp::KeyValueView pair : span.attributes()) {
      if (pair.key() == kTriggerKey) note(span.trace_id, otlp::to_text(pair.value()));
    }
  }
}

void FlightRecorder::note(const TraceId& trace, std::string_view reason) {
  if (!triggered_.emplace(trace, steady_clock::now()).second) return;
  triggered_order_.push_back(trace);
  asked_.push_back(trace);
  triggers_.fetch_add(1, std::memory_order_relaxed);
  // An empty reason: another process has told us, and knows.
  if (!reason.empty() && listener_ != nullptr) listener_->triggered(trace, reason);
}

void FlightRecorder::export_asked(std::chrono::milliseconds timeout) {
  std::vector<TraceId> others;
  {
    const std::scoped_lock lock(mutex_);
    others.swap(from_others_);
  }
  for (const TraceId& trace : others) note(trace, {});
  if (asked_.empty()) return;
  std::ranges::sort(asked_);
  for (const Kept& kept : kept_) {
    if (const auto parsed = otlp::parse_trace_request(SharedBytes(std::string(kept.request)))) {
      export_from(*parsed, timeout,
                  [&](const TraceId& id) { return std::ranges::binary_search(asked_, id); });
    }
  }
  asked_.clear();
}

template <class Wanted>
void FlightRecorder::export_from(const otlp::TraceBatch& batch, std::chrono::milliseconds timeout,
                                 Wanted wanted) {
  for (std::uint32_t scope = 0; scope < batch.scopes.size(); ++scope) {
    const otlp::ScopeView& view = batch.scopes[scope];
    otlp::MessageWriter fields;
    fields.bytes(kScope, view.encoded);
    if (!view.schema_url.empty()) fields.bytes(kSchemaUrl, view.schema_url);
    sdk::RequestBuilder request(batch.resources[view.resource].encoded, fields.str(), SIZE_MAX,
                                UINT32_MAX);
    for (const otlp::SpanView& span : batch.spans) {
      if (span.scope != scope || !wanted(span.trace_id)) continue;
      request.append(otlp::MessageWriter().bytes(kSpans, span.encoded).str(), 1);
    }
    if (request.span_count() == 0) continue;
    delivery_.deliver({request.finish(), request.span_count()}, steady_clock::now() + timeout);
  }
}

void FlightRecorder::retain(std::string request, std::uint32_t spans) {
  bytes_ += request.size();
  kept_spans_.fetch_add(spans, std::memory_order_relaxed);
  kept_.push_back({std::move(request), spans, steady_clock::now()});
  while (bytes_ > max_bytes_) {
    bytes_ -= kept_.front().request.size();
    overwritten_.fetch_add(kept_.front().spans, std::memory_order_relaxed);
    kept_.pop_front();
  }
  oldest_ns_.store(kept_.empty() ? 0 : kept_.front().since.time_since_epoch().count(),
                   std::memory_order_relaxed);
}

// A trace is remembered while what is kept may hold spans that it has exported: so that none of
// them goes out twice.
void FlightRecorder::forget_old_triggers() {
  const TimePoint now = steady_clock::now();
  while (!triggered_order_.empty()) {
    const auto oldest = triggered_.find(triggered_order_.front());
    const bool follow =
        now - oldest->second < kFollow || kept_.empty() || kept_.front().since <= oldest->second;
    if (follow && triggered_.size() <= kMaxTriggered) return;
    triggered_.erase(oldest);
    triggered_order_.pop_front();
  }
}

void FlightRecorder::add_to(Stats::Spill& spill) {
  Stats sent;
  delivery_.add_to(sent);
  add(spill, sent.spill);
}

void FlightRecorder::add_to(Stats::Recorder& stats) {
  Stats sent;
  delivery_.add_to(sent);
  stats.overwritten = overwritten_.load(std::memory_order_relaxed);
  stats.kept = kept_spans_.load(std::memory_order_relaxed) - stats.overwritten;
  stats.exported = sent.exported;
  stats.export_failed = sent.dropped.export_failed + sent.dropped.rejected;
  stats.spilled = sent.spilled;
  stats.triggers = triggers_.load(std::memory_order_relaxed);
  const std::int64_t oldest = oldest_ns_.load(std::memory_order_relaxed);
  const std::int64_t now = steady_clock::now().time_since_epoch().count();
  stats.retained_seconds = oldest == 0 ? 0 : static_cast<double>(now - oldest) / 1e9;
}

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail

#endif
