#pragma once

#include <vector>

#include "alphaswarm/observability/metrics/data.hpp"

namespace alphaswarm::observability::metrics {

// Prints each point as a line on standard error. For trying things out.
void print(const std::vector<ScopeMetrics>& scopes);

}  // namespace alphaswarm::observability::metrics
