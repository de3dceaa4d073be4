#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "alphaswarm/observability/sdk/span_slot.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {

// Takes over every open span of the provider and returns them encoded, each one field
// `ScopeSpans.spans`, with the attribute `alphaswarm.span.open` = true and the present as end.
// Their owners' later calls do nothing. Called once the provider accepts no new span.
[[nodiscard]] std::vector<std::string> close_open_spans(const ProviderCore& provider);

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail
