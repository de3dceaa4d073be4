// Starting a span.

#include "alphaswarm/observability/api/span.hpp"

#if ALPHASWARM_OTEL

#include <cstring>

#include "alphaswarm/observability/sdk/clock.hpp"
#include "alphaswarm/observability/sdk/passive_span.hpp"
#include "alphaswarm/observability/sdk/provider_core.hpp"
#include "alphaswarm/observability/sdk/record_hot.hpp"
#include "alphaswarm/observability/sdk/slot_use.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {
namespace {

// What a new span hangs on: `rest` is 0 where it has no parent.
using Origin = ContextWords;

void take_parent(Origin& origin, const SpanContext& parent) noexcept {
  std::memcpy(origin.trace, parent.trace_id.bytes.data(), 16);
  std::memcpy(&origin.span_id, parent.span_id.bytes.data(), 8);
  origin.rest = ContextWords::make_rest(parent.tracestate, parent.flags, parent.remote);
}

Origin find_origin(const ContextWords& current, const SpanOptions* options) noexcept {
  Origin origin = current;
  if (options != nullptr) [[unlikely]] {
    if (options->root) {
      origin.rest = 0;
    } else if (options->parent != nullptr && options->parent->is_valid()) {
      take_parent(origin, *options->parent);
    }
    if (options->provider != nullptr) {
      origin.provider = reinterpret_cast<std::uint64_t>(&options->provider->core());
    } else if (ProviderCore* const its = options->tracer.target().provider; its != nullptr) {
      origin.provider = reinterpret_cast<std::uint64_t>(its);
    }
  }
  if (origin.provider == 0) {
    origin.provider = reinterpret_cast<std::uint64_t>(
        default_provider.load(std::memory_order_acquire));  // with install_as_default()
  }
  return origin;
}

std::uint64_t draw(Random& random) noexcept {
  for (;;) {
    if (const std::uint64_t word = random.next(); word != 0) [[likely]] {
      return word;  // an id of zero is invalid
    }
  }
}

// Asks a sampler for what decide() does by itself; returns `rest` of the new context. By value: the
// caller's stay in registers, and its usual way waits for no store of theirs.
[[gnu::noinline]] std::uint64_t ask_sampler(const Sampler& sampler, Origin origin,
                                            ContextWords made, std::string_view name,
                                            const SpanOptions* options,
                                            Attributes attributes) noexcept {
  SpanContext parent;
  if (origin.valid()) {
    std::memcpy(parent.trace_id.bytes.data(), origin.trace, 16);
    std::memcpy(parent.span_id.bytes.data(), &origin.span_id, 8);
    parent.flags = origin.flags();
    parent.remote = origin.remote();
    parent.tracestate = origin.tracestate();
  }
  SamplingInput input{origin.valid() ? &parent : nullptr,
                      {},
                      name,
                      options != nullptr ? options->kind : SpanKind::internal,
                      attributes};
  std::memcpy(input.trace_id.bytes.data(), made.trace, 16);
  const SamplingResult result = sampler.sample(input);
  const auto random = static_cast<std::uint8_t>(made.flags() & SpanContext::kRandom);
  return ContextWords::make_rest(
      result.tracestate,
      static_cast<std::uint8_t>(random | (result.sampled ? SpanContext::kSampled : 0U)), false);
}

// The new span's own context; its parent is the origin's span.
[[gnu::always_inline]] inline ContextWords decide(const Origin& origin,
                                                  const ProviderCore& provider,
                                                  ThreadState& thread) noexcept {
  ContextWords made;
  made.span_id = thread.span_ids.next();
  made.provider = origin.provider;
  TraceState state;
  std::uint8_t flags = SpanContext::kRandom;
  bool sampled = false;
  if (origin.valid()) {
    made.trace[0] = origin.trace[0];
    made.trace[1] = origin.trace[1];
    state = origin.tracestate();
    flags = origin.flags() & SpanContext::kRandom;
    sampled = (origin.flags() & SpanContext::kSampled) != 0;
  } else {
    made.trace[0] = draw(thread.random);
    made.trace[1] = thread.random.next();
    sampled = provider.sampler.keeps_low(__builtin_bswap64(made.trace[1]));
    if (sampled) state = provider.sampler.kept_state();
  }
  if (sampled) flags |= SpanContext::kSampled;
  made.rest = ContextWords::make_rest(state, flags, false);
  return made;
}

void drop_at_start(ProviderCore& provider) noexcept {
  provider.shared.started.fetch_add(1, std::memory_order_relaxed);
  provider.shared.no_slot.fetch_add(1, std::memory_order_relaxed);
}

// Compiled once for the usual start, which has no options, and once for all others.
template <bool kPlain>
[[gnu::always_inline]] inline Handle start(std::string_view name, const SpanOptions* given,
                                           Attributes attributes) noexcept {
  const SpanOptions* const options = kPlain ? nullptr : given;
  TaskSlot& task_slot = current_task_slot();
  SlotContext& current_context = context_in(task_slot);
  if (options == nullptr && ContextWords::unsampled(ContextWords::load_rest(current_context)) &&
      current_context.provider != nullptr && current_context.provider->parent_decides) {
    if (const Handle made = start_passive_child(task_slot, current_context); made != 0) [[likely]] {
      return made;
    }
  }
  const ContextWords current = ContextWords::load(current_context);
  const Origin origin = find_origin(current, options);
  if (origin.provider == 0) return 0;
  ProviderCore& provider = *reinterpret_cast<ProviderCore*>(origin.provider);
  ThreadState* const thread = this_thread_state();
  ThreadBuffer* buffer = thread != nullptr ? thread->buffer(provider, provider.index) : nullptr;
  if (buffer == nullptr) [[unlikely]] {
    if (provider.accepting.load(std::memory_order_relaxed) && !is_export_thread()) {
      drop_at_start(provider);
    }
    return 0;
  }
  ContextWords made = decide(origin, provider, *thread);
  if (provider.other_sampler != nullptr) [[unlikely]] {
    made.rest = ask_sampler(*provider.other_sampler, origin, made, name, options, attributes);
  }
  const bool make_current = options == nullptr || options->make_current;
  ProviderCore* keeper = &provider;  // whose span it is recorded as
  if ((made.flags() & SpanContext::kSampled) == 0) {
    if (!provider.accepting.load(std::memory_order_relaxed)) return 0;
    if (provider.recorder == nullptr) [[likely]] {
      return start_passive(*thread, *buffer, made, make_current ? &task_slot : nullptr);
    }
    keeper = provider.recorder;
    buffer = thread->buffer(*keeper, keeper->index);
    if (buffer == nullptr) {
      drop_at_start(*keeper);
      return 0;
    }
  }
  const BufferUse use(*buffer);
  if (!keeper->accepting.load(sdk::kBusyLoad)) [[unlikely]] {
    return 0;
  }
  SpanSlot* const slot = thread->take_slot();
  buffer->counts.started.add();
  if (slot == nullptr) [[unlikely]] {
    buffer->counts.no_slot.add();
    return 0;
  }
  const std::uint32_t generation = slot->generation();
  const Handle handle = make_handle(slot, generation, kRecorded);
  made.span = handle;
  made.store_ids(slot->own);
  slot->task_slot = nullptr;
  if (make_current) {
    slot->task_slot = &task_slot;
    ContextWords::load(current_context).store(slot->previous);
    made.store(current_context);
  }
  slot->provider_ptr.store(keeper, std::memory_order_relaxed);
  slot->fork_epoch = fork_epoch.load(std::memory_order_relaxed);
  slot->status = StatusCode::unset;
  slot->kind = options != nullptr ? options->kind : SpanKind::internal;
  // OTLP: bit 8 says that bit 9, "the parent is remote", is known.
  slot->otlp_flags = made.flags() | 0x100U | (origin.valid() && origin.remote() ? 0x200U : 0U);
  slot->seen_exception.store(0, std::memory_order_relaxed);
  const bool start_is_given = options != nullptr && options->start_time.value != 0;
  slot->start_is_given = start_is_given;
  const std::uint64_t start_ticks = sdk::ticks();
  slot->start_ticks = start_ticks;
  slot->start_ns =
      start_is_given ? options->start_time.value : sdk::calibration().unix_ns(start_ticks);
  const SpanLimits& limits = provider.config.limits;
  begin_record(*slot, made, origin.valid() ? origin.span_id : 0, name, limits.value_bytes);
  put_attributes(*slot, limits, attributes);
  if constexpr (!kPlain) slot->scope = options->tracer.target().scope;
  slot->state.store(generation << kGenerationShift | kLive, std::memory_order_release);
  return handle;
}

}  // namespace

Handle start_span(std::string_view name, Attributes attributes) noexcept {
  return start<true>(name, nullptr, attributes);
}

Handle start_span(std::string_view name, const SpanOptions& options,
                  Attributes attributes) noexcept {
  return start<false>(name, &options, attributes);
}

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail

#endif
