#pragma once

// The tracing context as it lies in a TaskSlot: trivially copyable, all zero is "none".

#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>

#include "alphaswarm/base/task_local.hpp"
#include "alphaswarm/observability/api/span.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {

class ProviderCore;

struct SlotContext {
  TraceId trace_id;
  SpanId span_id;
  ProviderCore* provider = nullptr;  // never freed
  Handle span = 0;                   // the live span, checked by its generation before use
  TraceState tracestate;
  std::uint8_t flags = 0;
  bool remote = false;
  bool valid = false;
};
static_assert(std::is_trivially_copyable_v<SlotContext>);
static_assert(sizeof(SlotContext) <= TaskSlot::kSize && alignof(SlotContext) <= 16);

// TaskSlot is plain storage made for this one type.
[[nodiscard]] inline SlotContext& context_in(TaskSlot& slot) noexcept {
  return *std::launder(reinterpret_cast<SlotContext*>(slot.bytes));
}

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail
