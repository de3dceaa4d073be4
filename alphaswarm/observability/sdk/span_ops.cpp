// Writing to open spans and ending them.

#include "alphaswarm/observability/api/span.hpp"

#if ALPHASWARM_OTEL

#include <time.h>

#include "alphaswarm/observability/sdk/clock.hpp"
#include "alphaswarm/observability/sdk/exceptions.hpp"
#include "alphaswarm/observability/sdk/passive_span.hpp"
#include "alphaswarm/observability/sdk/provider_core.hpp"
#include "alphaswarm/observability/sdk/record_hot.hpp"
#include "alphaswarm/observability/sdk/slot_use.hpp"
#include "alphaswarm/observability/sdk/span_time.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {
namespace {

// Its parent is current again, if the span is the current one of this task.
void restore_context(SpanSlot& slot, Handle handle) noexcept {
  if (slot.task_slot == nullptr) return;
  TaskSlot& here = current_task_slot();
  SlotContext& current = context_in(here);
  if (slot.task_slot == &here && current.span == handle) [[likely]] {
    ContextWords::load(slot.previous).store(current);
  } else {
    count_misuse(Misuse::ended_elsewhere);
  }
  slot.task_slot = nullptr;
}

SpanTail times_of(const SpanSlot& slot, UnixNanos end) noexcept {
  const std::int64_t end_ns = end.value != 0 ? end.value : now_in(slot);
  return {slot.start_ns, end_ns < slot.start_ns ? slot.start_ns : end_ns};
}

// Waits for room where the configuration asks for it (on_full_wait).
[[gnu::noinline]] Chunk* wait_for_chunk(ThreadBuffer& buffer, ProviderCore& provider,
                                        std::size_t size) noexcept {
  while (!provider.closing.load(std::memory_order_relaxed)) {
    buffer.busy.store(false, std::memory_order_release);
    const timespec pause{0, 50'000};
    ::nanosleep(&pause, nullptr);
    buffer.busy.store(true, sdk::kBusyStore);
    sdk::producer_fence();
    if (Chunk* chunk = grow(buffer, size); chunk != nullptr) return chunk;
  }
  return nullptr;
}

// Lays the finished span into this thread's buffer.
void commit(const SpanSlot& slot, const SpanTail& tail) noexcept {
  ThreadState* const thread = this_thread_state();
  ProviderCore& provider = slot.provider();
  ThreadBuffer* buffer = thread != nullptr ? thread->buffer(provider, provider.index) : nullptr;
  if (buffer == nullptr) [[unlikely]] {
    provider.shared.ended.fetch_add(1, std::memory_order_relaxed);
    provider.shared.no_chunk.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  const BufferUse use(*buffer);
  buffer->counts.ended.add();
  if (provider.closed.load(sdk::kBusyLoad)) [[unlikely]] {
    provider.shared.provider_gone.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  const bool is_short = is_short_record(slot);
  const std::size_t size = is_short ? slot.used + kFixedTail + 3 + kCopySlack : finished_size(slot);
  Chunk* chunk = buffer->tail.load(sdk::kBusyLoad);
  std::uint64_t committed = chunk != nullptr ? chunk->committed.load(std::memory_order_relaxed) : 0;
  if (chunk == nullptr || chunk->capacity - static_cast<std::uint32_t>(committed) < size) {
    chunk = grow(*buffer, size);
    if (chunk == nullptr && provider.config.on_full_wait) {
      chunk = wait_for_chunk(*buffer, provider, size);
    }
    if (chunk == nullptr) {
      buffer->counts.no_chunk.add();
      return;
    }
    committed = chunk->committed.load(std::memory_order_relaxed);
  }
  char* const out = chunk->data() + static_cast<std::uint32_t>(committed);
  if (!is_short && slot.scope != 0) chunk->marked.store(true, std::memory_order_relaxed);
  const char* const end =
      is_short ? finish_short_record(slot, tail, out) : finish_record(slot, tail, out);
  // Where the next span will lie.
  sdk::prefetch_to_write(end + 64);
  sdk::prefetch_to_write(end + 128);
  const auto written = static_cast<std::uint64_t>(end - out);
  // One span more in the upper half, its bytes in the lower; releases them to the reader.
  chunk->committed.store(committed + (std::uint64_t{1} << 32U) + written,
                         std::memory_order_release);
}

// A stale handle, or a span that a shutdown has taken over. True if the slot is now the caller's
// to return.
[[gnu::noinline]] bool end_taken_over(SpanSlot& slot, Handle handle) noexcept {
  const std::uint32_t live = live_state(handle);
  std::uint32_t state = slot.state.load(std::memory_order_acquire);  // with close_open_spans()
  if (state == live) {  // inherited through a fork: only the context is put right
    slot.state.store(0, std::memory_order_relaxed);
    if (slot.task_slot == &current_task_slot()) context_in(*slot.task_slot) = slot.previous;
    return false;
  }
  if (state == (live | kFrozen)) {
    restore_context(slot, handle);
    // Being read: whoever reads it returns the slot.
    if (slot.state.compare_exchange_strong(state, live | kFrozen | kEnded,
                                           std::memory_order_acq_rel)) {
      return false;
    }
  }
  if (state == (live | kFrozen | kExported)) {
    restore_context(slot, handle);
    release_record(slot);
    slot.state.store((slot.generation() + 1) << kGenerationShift, std::memory_order_release);
    return true;
  }
  count_misuse(Misuse::ended_twice);
  return false;
}

}  // namespace

void set_attribute(Handle span, std::string_view key, const AttributeValue& value) noexcept {
  const SlotUse slot(span);
  if (slot) put_any_attribute(*slot, slot->provider().config.limits, key, value);
}

void set_attributes(Handle span, Attributes attributes) noexcept {
  const SlotUse slot(span);
  if (slot) put_attributes(*slot, slot->provider().config.limits, attributes);
}

void add_event(Handle span, std::string_view name, Attributes attributes) noexcept {
  const SlotUse slot(span);
  if (slot) put_event(*slot, slot->provider().config.limits, now_in(*slot), name, attributes);
}

void add_link(Handle span, const SpanContext& target, Attributes attributes) noexcept {
  const SlotUse slot(span);
  if (slot) put_link(*slot, slot->provider().config.limits, target, attributes);
}

void set_status(Handle span, StatusCode code, std::string_view description) noexcept {
  const SlotUse slot(span);
  if (!slot) return;
  put_status(*slot, code, description, slot->provider().config.limits.value_bytes);
}

void update_name(Handle span, std::string_view name) noexcept {
  const SlotUse slot(span);
  if (slot) put_name(*slot, name, slot->provider().config.limits.value_bytes);
}

void suspend_span(Handle span) noexcept {
  if (!recorded(span)) return suspend_passive(span);
  const SlotUse slot(span);
  if (slot) restore_context(*slot, span);
}

bool is_recording(Handle span) noexcept {
  const SlotUse slot(span);
  return static_cast<bool>(slot);
}

SpanContext context_of(Handle span) noexcept {
  const SpanSlot& slot = *slot_of(span);
  if (slot.state.load(std::memory_order_relaxed) != live_state(span)) return {};
  const SlotContext& own = slot.own;
  return {own.trace_id, own.span_id, own.flags, false, own.tracestate};
}

void end_span(Handle span, UnixNanos at) noexcept {
  if (!recorded(span)) return end_passive(span);
  SpanSlot& raw = *slot_of(span);
  {
    const SlotUse use(span);
    if (use) {
      restore_context(raw, span);
      commit(raw, times_of(raw, at));
      if (raw.record != raw.inline_record) [[unlikely]] {
        release_record(raw);
      }
      raw.state.store((raw.generation() + 1) << kGenerationShift, std::memory_order_release);
    } else if (!end_taken_over(raw, span)) {
      return;
    }
  }
  return_slot(raw);
}

Handle current_span() noexcept {
  TaskSlot& here = current_task_slot();
  const SlotContext& current = context_in(here);
  if (!current.valid || !recorded(current.span)) return 0;
  const SpanSlot& slot = *slot_of(current.span);
  if (slot.state.load(std::memory_order_relaxed) != live_state(current.span)) return 0;
  if (slot.task_slot != &here) {
    count_misuse(Misuse::inherited_span);
    return 0;
  }
  return current.span;
}

namespace {

// Adds the event and the status, and marks the exception on the span this one was started under.
void put_exception(SpanSlot& slot, std::string_view type, std::string_view message,
                   std::string_view stack, bool with_event) noexcept {
  const SpanLimits& limits = slot.provider().config.limits;
  if (with_event && stack.empty()) {
    put_event(slot, limits, now_in(slot), "exception",
              {{"exception.type", type}, {"exception.message", message}});
  } else if (with_event) {
    put_event(slot, limits, now_in(slot), "exception",
              {{"exception.type", type},
               {"exception.message", message},
               {"exception.stacktrace", stack}});
  }
  put_status(slot, StatusCode::error, message, limits.value_bytes);
}

void mark_outer(const SpanSlot& slot, std::uint64_t mark) noexcept {
  const Handle outer = slot.previous.span;
  if (mark == 0 || !slot.previous.valid || !recorded(outer)) return;
  SpanSlot& outer_slot = *slot_of(outer);
  if (outer_slot.state.load(std::memory_order_relaxed) != live_state(outer)) return;
  outer_slot.seen_exception.store(mark, std::memory_order_relaxed);  // a hint, orders nothing
}

}  // namespace

void record_exception(Handle span, std::string_view type, std::string_view message,
                      std::string_view stack) noexcept {
  const SlotUse slot(span);
  if (!slot) return;
  put_exception(*slot, type, message, stack, true);
  mark_outer(*slot, ExceptionInFlight().mark());
}

void record_exception(Handle span, const std::exception& error, std::string_view stack) noexcept {
  const TypeName name(typeid(error));
  record_exception(span, name.view(), error.what(), stack);
}

void record_current_exception(Handle span) noexcept {
  const SlotUse slot(span);
  if (!slot) return;
  const ExceptionInFlight exception;
  const bool seen = slot->seen_exception.load(std::memory_order_relaxed) == exception.mark();
  put_exception(*slot, exception.type(), exception.message(), {}, !seen);
  mark_outer(*slot, exception.mark());
}

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE {

SpanContext current_context() noexcept {
  const detail::SlotContext& current = detail::context_in(current_task_slot());
  if (!current.valid) return {};
  return {current.trace_id, current.span_id, current.flags, current.remote, current.tracestate};
}

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE

#endif
