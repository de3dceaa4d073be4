#pragma once

#include <vector>

#include "alphaswarm/observability/metrics/meter.hpp"

namespace alphaswarm::observability::metrics {

// Exports the counters and gauges of base/counters, those made later too: under their names, with
// their labels as attributes, in the scope `alphaswarm.counters`. Cumulative, whatever the
// provider's preference.
void export_counters(MeterProvider& provider);

// `process.cpu.time` (s) and `process.memory.usage` (By), by OpenTelemetry's conventions.
[[nodiscard]] std::vector<Observation> observe_process(const Meter& meter);

}  // namespace alphaswarm::observability::metrics
