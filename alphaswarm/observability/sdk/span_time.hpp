#pragma once

#include "alphaswarm/observability/sdk/clock.hpp"
#include "alphaswarm/observability/sdk/span_slot.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {

// The time now, as this span has it: within a span it runs on, whatever becomes of the wall clock.
[[nodiscard]] inline std::int64_t now_in(const SpanSlot& slot) noexcept {
  return slot.start_is_given
             ? sdk::calibration().unix_ns(sdk::ticks())
             : slot.start_ns + sdk::calibration().duration_ns(sdk::ticks() - slot.start_ticks);
}

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail
