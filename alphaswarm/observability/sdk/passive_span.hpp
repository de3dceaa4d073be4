#pragma once

// Spans that are not recorded: a context to pass on and to restore, and no more. They take no
// clock, no lock and no handshake: a shutdown has nothing to save from them.

#include "alphaswarm/observability/sdk/provider_core.hpp"
#include "alphaswarm/observability/sdk/span_slot.hpp"
#include "alphaswarm/observability/sdk/thread_state.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {

// Below the span in `context`, which is not recorded either, and with its provider; current until
// it ends. 0: not that simple, or no memory; nothing has been done then.
[[nodiscard]] Handle start_passive_child(TaskSlot& task, SlotContext& context) noexcept;

// With a context of its own; `task` is null for a span that is not made current. 0: no memory.
[[nodiscard]] Handle start_passive(ThreadState& thread, ThreadBuffer& buffer, ContextWords made,
                                   TaskSlot* task) noexcept;

void suspend_passive(Handle span) noexcept;
void end_passive(Handle span) noexcept;

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail
