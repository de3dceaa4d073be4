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
  std::uint8_t unused = 0;  // whole words, for ContextWords
};
static_assert(std::is_trivially_copyable_v<SlotContext>);
static_assert(sizeof(SlotContext) == 48 && alignof(SlotContext) <= 16);

// A context in registers. It is read and written a word at a time, by relaxed atomics that order
// nothing: a compiler that merges such copies into wider ones makes each span wait for the stores
// of the one before it (a failed store-to-load forwarding, 10 ns each).
struct ContextWords {
  std::uint64_t trace[2] = {0, 0};  // the bytes of the id, as they lie in memory
  std::uint64_t span_id = 0;
  std::uint64_t provider = 0;
  std::uint64_t span = 0;
  std::uint64_t rest = 0;  // tracestate, flags, remote, valid, from the low bits up

  [[nodiscard]] static std::uint64_t make_rest(TraceState state, std::uint8_t flags,
                                               bool remote) noexcept {
    return state.handle | static_cast<std::uint64_t>(flags) << 32U |
           static_cast<std::uint64_t>(remote ? 1 : 0) << 40U | std::uint64_t{1} << 48U;
  }
  [[nodiscard]] bool valid() const noexcept { return rest >> 48U != 0; }
  [[nodiscard]] bool remote() const noexcept { return (rest >> 40U & 1U) != 0; }
  [[nodiscard]] std::uint8_t flags() const noexcept {
    return static_cast<std::uint8_t>(rest >> 32U);
  }
  [[nodiscard]] TraceState tracestate() const noexcept {
    return {static_cast<std::uint32_t>(rest)};
  }

  [[nodiscard]] static ContextWords load(const SlotContext& context) noexcept {
    const auto* words = reinterpret_cast<const Word*>(&context);
    const auto word = [&](int i) { return __atomic_load_n(words + i, __ATOMIC_RELAXED); };
    return {{word(0), word(1)}, word(2), word(3), word(4), word(5)};
  }
  void store(SlotContext& context) const noexcept {
    store_ids(context);
    put(context, 3, provider);
    put(context, 4, span);
  }
  // What context_of() reads.
  void store_ids(SlotContext& context) const noexcept {
    put(context, 0, trace[0]);
    put(context, 1, trace[1]);
    put(context, 2, span_id);
    put(context, 5, rest);
  }
  // What a child does not share with its parent.
  void store_own(SlotContext& context) const noexcept {
    put(context, 2, span_id);
    put(context, 4, span);
    put(context, 5, rest);
  }
  static void copy_own(const SlotContext& from, SlotContext& to) noexcept {
    load(from).store_own(to);
  }
  // `rest` of a child in this process.
  [[nodiscard]] static constexpr std::uint64_t local(std::uint64_t rest) noexcept {
    return rest & ~(std::uint64_t{1} << 40U);
  }
  // A span that is not sampled, of this process or another.
  [[nodiscard]] static bool unsampled(std::uint64_t rest) noexcept {
    constexpr std::uint64_t kSampledBit = std::uint64_t{SpanContext::kSampled} << 32U;
    return (rest & (kSampledBit | std::uint64_t{1} << 48U)) == std::uint64_t{1} << 48U;
  }
  [[nodiscard]] static std::uint64_t load_rest(const SlotContext& context) noexcept {
    return __atomic_load_n(reinterpret_cast<const Word*>(&context) + 5, __ATOMIC_RELAXED);
  }

 private:
  using Word [[gnu::may_alias]] = std::uint64_t;
  static void put(SlotContext& context, int i, std::uint64_t value) noexcept {
    __atomic_store_n(reinterpret_cast<Word*>(&context) + i, value, __ATOMIC_RELAXED);
  }
};

// TaskSlot is plain storage made for this one type.
[[nodiscard]] inline SlotContext& context_in(TaskSlot& slot) noexcept {
  return *std::launder(reinterpret_cast<SlotContext*>(slot.bytes));
}

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail
