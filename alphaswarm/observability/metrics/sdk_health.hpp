#pragma once

#include <vector>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/metrics/meter.hpp"

namespace alphaswarm::observability::metrics {

// The health of a tracer provider as metrics, with its service as the attribute `service.name`:
// alphaswarm.sdk.spans.{started,ended,exported,spilled,not_sampled,dropped,open,waiting,from_spill},
// alphaswarm.sdk.{batches,retries,export.calls} and, of the flight recorder,
// alphaswarm.sdk.recorder.{retained,kept,exported}. Dropped spans have the attribute `cause`, those
// that left the spill folder `fate`; waiting are the spans that ended and were not sent yet: the
// depth of the queue. Export latency is the histogram otel.sdk.exporter.operation.duration: one
// value for each batch that was offered, with `error.type` "unavailable" or "rejected" where it was
// not taken. The tracer provider must outlive what is returned.
[[nodiscard]] std::vector<Observation> observe_sdk(const Meter& meter,
                                                   const TracerProvider& provider);

}  // namespace alphaswarm::observability::metrics
