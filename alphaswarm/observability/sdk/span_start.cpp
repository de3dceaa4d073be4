// Starting a span.

#include "alphaswarm/observability/api/span.hpp"

#if ALPHASWARM_OTEL

#include "alphaswarm/observability/sdk/clock.hpp"
#include "alphaswarm/observability/sdk/provider_core.hpp"
#include "alphaswarm/observability/sdk/record.hpp"
#include "alphaswarm/observability/sdk/slot_use.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {
namespace {

// What a new span hangs on.
struct Origin {
  ProviderCore* provider = nullptr;
  TraceId trace_id;
  SpanId span_id;
  TraceState tracestate;
  std::uint8_t flags = 0;
  bool remote = false;
  bool valid = false;  // there is a parent
};

Origin find_origin(const SlotContext& current, const SpanOptions* options) noexcept {
  Origin origin;
  if (current.valid) {
    origin = {current.provider,
              current.trace_id,
              current.span_id,
              current.tracestate,
              current.flags,
              current.remote,
              true};
  }
  if (options != nullptr) [[unlikely]] {
    if (options->root) origin.valid = false;
    if (options->parent != nullptr && !options->root && options->parent->is_valid()) {
      const SpanContext& parent = *options->parent;
      origin = {origin.provider,
                parent.trace_id,
                parent.span_id,
                parent.tracestate,
                parent.flags,
                parent.remote,
                true};
    }
    if (options->provider != nullptr) origin.provider = &options->provider->core();
  }
  if (origin.provider == nullptr) {
    origin.provider = default_provider.load(std::memory_order_acquire);  // with install_as_default
  }
  return origin;
}

template <class Id>
void draw(Id& id, Random& random) noexcept {
  do {
    for (std::size_t i = 0; i < id.bytes.size(); i += 8) {
      const std::uint64_t word = random.next();
      std::memcpy(id.bytes.data() + i, &word, 8);
    }
  } while (!id.is_valid());
}

// The ids and the sampling decision of the new span, laid over its origin.
struct Decision {
  SpanIds ids;
  std::uint8_t flags;
  bool sampled;
};

Decision decide(const Origin& origin, Random& random) noexcept {
  const ProviderCore& provider = *origin.provider;
  Decision made{};
  draw(made.ids.span_id, random);
  if (origin.valid) {
    made.ids.trace_id = origin.trace_id;
    made.ids.parent_id = origin.span_id;
    made.ids.tracestate = origin.tracestate;
    made.sampled = provider.config.parent_based ? (origin.flags & SpanContext::kSampled) != 0
                                                : provider.sampler.keeps(origin.trace_id);
    made.flags = origin.flags & SpanContext::kRandom;
  } else {
    draw(made.ids.trace_id, random);
    made.sampled = provider.sampler.keeps(made.ids.trace_id);
    made.flags = SpanContext::kRandom;
    if (made.sampled) made.ids.tracestate = provider.sampler.kept_state();
  }
  if (made.sampled) made.flags |= SpanContext::kSampled;
  return made;
}

void drop_at_start(ProviderCore& provider) noexcept {
  provider.shared.started.fetch_add(1, std::memory_order_relaxed);
  provider.shared.no_slot.fetch_add(1, std::memory_order_relaxed);
}

void make_current(SpanSlot& slot, SlotContext& current, const Origin& origin, const Decision& made,
                  Handle handle) noexcept {
  slot.previous = current;
  current.trace_id = made.ids.trace_id;
  current.span_id = made.ids.span_id;
  current.provider = origin.provider;
  current.span = handle;
  current.tracestate = made.ids.tracestate;
  current.flags = made.flags;
  current.remote = false;
  current.valid = true;
}

}  // namespace

Handle start_span(std::string_view name, const SpanOptions* options,
                  Attributes attributes) noexcept {
  TaskSlot& task_slot = current_task_slot();
  SlotContext& current = context_in(task_slot);
  const Origin origin = find_origin(current, options);
  if (origin.provider == nullptr) return 0;
  ProviderCore& provider = *origin.provider;
  ThreadState* const thread = this_thread_state();
  ThreadBuffer* const buffer =
      thread != nullptr ? thread->buffer(provider, provider.index) : nullptr;
  if (buffer == nullptr) [[unlikely]] {
    if (provider.accepting.load(std::memory_order_relaxed) && !is_export_thread()) {
      drop_at_start(provider);
    }
    return 0;
  }
  const BufferUse use(*buffer);
  if (!provider.accepting.load(sdk::kBusyLoad)) [[unlikely]] {
    return 0;
  }
  const Decision made = decide(origin, thread->random);
  SpanSlot* const slot = thread->take_slot();
  if (slot == nullptr) [[unlikely]] {
    if (made.sampled) {
      buffer->counts.started.add();
      buffer->counts.no_slot.add();
    }
    return 0;
  }
  const std::uint32_t generation = slot->generation();
  const Handle handle = make_handle(slot, generation);
  slot->provider_ptr.store(&provider, std::memory_order_relaxed);
  slot->recording = made.sampled;
  slot->fork_epoch = fork_epoch.load(std::memory_order_relaxed);
  slot->otlp_flags = made.flags;
  const bool becomes_current = options == nullptr || options->make_current;
  slot->task_slot = becomes_current ? &task_slot : nullptr;
  if (made.sampled) {
    slot->status = StatusCode::unset;
    slot->kind = options != nullptr ? options->kind : SpanKind::internal;
    // OTLP: bit 8 says that bit 9, "the parent is remote", is known.
    slot->otlp_flags |= 0x100U | (origin.valid && origin.remote ? 0x200U : 0U);
    slot->seen_exception.store(0, std::memory_order_relaxed);
    slot->start_is_given = options != nullptr && options->start_time.value != 0;
    slot->start_ticks = sdk::ticks();
    slot->start_ns = slot->start_is_given ? options->start_time.value
                                          : sdk::calibration().unix_ns(slot->start_ticks);
    const SpanLimits& limits = provider.config.limits;
    begin_record(*slot, made.ids, name, limits.value_bytes);
    for (const Attribute& attribute : attributes) {
      put_attribute(*slot, limits, attribute.key, attribute.value);
    }
    buffer->counts.started.add();
  } else {
    buffer->counts.not_sampled.add();
  }
  // The ids are needed by context(), recorded or not.
  slot->own = {made.ids.trace_id, made.ids.span_id, made.flags, false, made.ids.tracestate};
  if (becomes_current) make_current(*slot, current, origin, made, handle);
  slot->state.store(generation << kGenerationShift | kLive, std::memory_order_release);
  return handle;
}

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail

#endif
