#pragma once

#include <vector>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/metrics/meter.hpp"

namespace alphaswarm::observability::metrics {

// The health of a tracer provider as metrics, with its service as the attribute `service.name`:
// alphaswarm.sdk.spans.{started,ended,exported,not_sampled,dropped,open,waiting},
// alphaswarm.sdk.{batches,retries}. Dropped spans have the attribute `cause`; waiting are the
// spans that ended and were not sent yet. The tracer provider must outlive what is returned.
[[nodiscard]] std::vector<Observation> observe_sdk(const Meter& meter,
                                                   const TracerProvider& provider);

}  // namespace alphaswarm::observability::metrics
