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

inline Handle make_live(SpanSlot& slot) noexcept {
  const std::uint32_t generation = slot.generation();
  slot.state.store(generation << kGenerationShift | kPassive, std::memory_order_relaxed);
  return make_handle(&slot, generation, 0);
}

}  // namespace

Handle start_passive_child(TaskSlot& task, SlotContext& context) noexcept {
  ProviderCore& provider = *context.provider;
  ThreadState* const thread = thread_state;
  if (thread == nullptr || !provider.accepting.load(std::memory_order_relaxed)) [[unlikely]] {
    return 0;
  }
  ThreadBuffer* const buffer = thread->known_buffer(provider, provider.index);
  if (buffer == nullptr) [[unlikely]] {
    return 0;
  }
  SpanSlot* const slot = thread->take_slot();
  if (slot == nullptr) [[unlikely]] {
    return 0;
  }
  ContextWords::copy_own(context, slot->previous);
  ContextWords made = ContextWords::load(context);
  made.span_id = thread->span_ids.next();
  made.span = make_live(*slot);
  made.rest = ContextWords::local(made.rest);
  made.store_ids(slot->own);
  made.store_own(context);
  slot->inherits = true;
  slot->task_slot = &task;
  buffer->counts.not_sampled.add();
  return made.span;
}

Handle start_passive(ThreadState& thread, ThreadBuffer& buffer, ContextWords made,
                     TaskSlot* task) noexcept {
  SpanSlot* const slot = thread.take_slot();
  if (slot == nullptr) [[unlikely]] {
    return 0;
  }
  made.span = make_live(*slot);
  made.store_ids(slot->own);
  slot->inherits = false;
  slot->task_slot = task;
  if (task != nullptr) {
    SlotContext& context = context_in(*task);
    ContextWords::load(context).store(slot->previous);
    made.store(context);
  }
  buffer.counts.not_sampled.add();
  return made.span;
}

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
