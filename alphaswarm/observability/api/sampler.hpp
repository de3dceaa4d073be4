#pragma once

// Which spans are recorded. Most programs need no more than Config::sample_ratio; what is here is
// for rules of one's own, set as Config::sampler.

#include <memory>
#include <string_view>

#include "alphaswarm/observability/api/attribute.hpp"
#include "alphaswarm/observability/api/span_context.hpp"

namespace alphaswarm::observability {

// Of the span that is about to start; valid during the call.
struct SamplingInput {
  const SpanContext* parent;  // null: it begins a trace
  TraceId trace_id;
  std::string_view name;
  SpanKind kind;
  Attributes attributes;  // those given at the start
};

struct SamplingResult {
  bool sampled = false;
  TraceState tracestate;  // of the new span; the parent's is to be handed on
};

// Called on the thread that starts the span, by many at once: MUST NOT throw or block, and its time
// is the span's. Spans of the provider started within the call ask it again.
class Sampler {
 public:
  virtual ~Sampler() = default;
  [[nodiscard]] virtual SamplingResult sample(const SamplingInput& input) const noexcept = 0;
};
using SamplerPtr = std::shared_ptr<const Sampler>;

[[nodiscard]] SamplerPtr always_on_sampler();
[[nodiscard]] SamplerPtr always_off_sampler();

// The consistent rule
// (https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/): keeps a trace
// whose randomness, `rv` of tracestate's member `ot` or else the low 56 bits of its id, reaches the
// threshold of `ratio`, and says so in `ot=th:…`. `ratio` is clamped to [0, 1].
[[nodiscard]] SamplerPtr ratio_sampler(double ratio);

// The older rule of TraceIdRatioBased, for fleets that still use it: keeps the ids whose low 64
// bits are below ratio · 2^64, as Python's SDK does. Writes no tracestate.
[[nodiscard]] SamplerPtr trace_id_ratio_sampler(double ratio);

// By the parent; null means: on for a sampled parent, off for one that is not.
struct ParentBasedSamplers {
  SamplerPtr root;  // must not be null
  SamplerPtr remote_sampled{};
  SamplerPtr remote_not_sampled{};
  SamplerPtr local_sampled{};
  SamplerPtr local_not_sampled{};
};
[[nodiscard]] SamplerPtr parent_based_sampler(ParentBasedSamplers samplers);

}  // namespace alphaswarm::observability
