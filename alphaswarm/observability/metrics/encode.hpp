#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/observability/metrics/data.hpp"

namespace alphaswarm::observability::metrics {

// An opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest in protobuf.
// `resource` is an encoded Resource.
[[nodiscard]] std::string encode_request(std::string_view resource,
                                         const std::vector<ScopeMetrics>& scopes);

}  // namespace alphaswarm::observability::metrics
