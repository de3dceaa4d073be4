#pragma once

#include <vector>

#include "alphaswarm/collector/collector.hpp"
#include "alphaswarm/collector/exporters/metrics_text.hpp"

namespace alphaswarm::collector {

// The process's own metrics: every counter of base/counters, the stages of the collector, the
// store, the SDK's providers, memory and CPU time.
void write_own_metrics(MetricsText& text, const std::vector<StageStats>& stages,
                       const CollectorHost& host);

}  // namespace alphaswarm::collector
