#pragma once

// Spans that are not recorded: a context to pass on and to restore, and no more. They take no
// clock, no lock and no handshake: a shutdown has nothing to save from them.

#include "alphaswarm/observability/sdk/provider_core.hpp"
#include "alphaswarm/observability/sdk/span_slot.hpp"
#include "alphaswarm/observability/sdk/thread_state.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {

inline Handle make_passive(SpanSlot& slot) noexcept {
  const std::uint32_t generation = slot.generation();
  slot.state.store(generation << kGenerationShift | kPassive, std::memory_order_relaxed);
  return make_handle(&slot, generation, 0);
}

// Below the span in `context`, which is not recorded either, and with its provider; current until
// it ends. 0: not that simple, or no memory; nothing has been done then.
[[nodiscard]] inline Handle start_passive_child(TaskSlot& task, SlotContext& context) noexcept {
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
  made.span = make_passive(*slot);
  made.rest = ContextWords::local(made.rest);
  made.store_ids(slot->own);
  made.store_own(context);
  slot->inherits = true;
  slot->task_slot = &task;
  buffer->counts.not_sampled.add();
  return made.span;
}

// With a context of its own; `task` is null for a span that is not made current. 0: no memory.
// Inline: contexts are passed in registers, see ContextWords.
[[nodiscard]] inline Handle start_passive(ThreadState& thread, ThreadBuffer& buffer,
                                          ContextWords made, TaskSlot* task) noexcept {
  SpanSlot* const slot = thread.take_slot();
  if (slot == nullptr) [[unlikely]] {
    return 0;
  }
  made.span = make_passive(*slot);
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

void suspend_passive(Handle span) noexcept;
void end_passive(Handle span) noexcept;

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail
