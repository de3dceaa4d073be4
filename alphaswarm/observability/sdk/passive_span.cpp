#include "alphaswarm/observability/sdk/passive_span.hpp"

#if ALPHASWARM_OTEL

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {
namespace {

// Its parent is current again, if this span is the current one of this task. A child has changed
// only what differs from its parent.
inline void restore_passive(SpanSlot& slot, Handle span) noexcept {
  if (slot.task_slot == nullptr) return;
  TaskSlot& here = current_task_slot();
  SlotContext& current = context_in(here);
  if (slot.task_slot == &here && current.span == span) [[likely]] {
    if (slot.inherits) {
      ContextWords::copy_own(slot.previous, current);
    } else {
      ContextWords::load(slot.previous).store(current);
    }
  } else {
    count_misuse(Misuse::ended_elsewhere);
  }
  slot.task_slot = nullptr;
}

}  // namespace

void suspend_passive(Handle span) noexcept {
  SpanSlot& slot = *slot_of(span);
  if (slot.state.load(std::memory_order_relaxed) == live_state(span)) restore_passive(slot, span);
}

void end_passive(Handle span) noexcept {
  SpanSlot& slot = *slot_of(span);
  if (slot.state.load(std::memory_order_relaxed) != live_state(span)) [[unlikely]] {
    count_misuse(Misuse::ended_twice);
    return;
  }
  restore_passive(slot, span);
  slot.state.store((slot.generation() + 1) << kGenerationShift, std::memory_order_relaxed);
  return_slot(slot);
}

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail

#endif
