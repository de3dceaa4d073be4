#pragma once

// An open span: a kilobyte of a slab, holding what end() will lay into the thread's buffer.

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "alphaswarm/observability/sdk/context.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {

struct ThreadState;

// A slot's state word: the generation, which makes stale handles detectable, over these bits.
inline constexpr std::uint32_t kLive = 1;
inline constexpr std::uint32_t kFrozen = 2;    // a shutdown reads it; its owner must not
inline constexpr std::uint32_t kExported = 4;  // that shutdown is done
inline constexpr std::uint32_t kEnded = 8;     // its owner ended it while frozen
inline constexpr std::uint32_t kPassive = 16;  // live, not recorded: a context and no more
inline constexpr unsigned kGenerationShift = 16;

// One task at a time uses a span, so that no operation on it takes a lock. Only a shutdown comes
// from outside: it sets kFrozen, issues a barrier on all threads, and waits until `busy` is false.
struct alignas(64) SpanSlot {
  std::atomic<std::uint32_t> state{0};
  std::atomic<bool> busy{false};
  bool inherits = false;  // not recorded: trace and provider are those of `previous`
  SpanKind kind = SpanKind::internal;
  StatusCode status = StatusCode::unset;
  std::uint32_t otlp_flags = 0;  // trace flags and the "remote parent" bits
  std::uint32_t fork_epoch = 0;
  std::atomic<ProviderCore*> provider_ptr{nullptr};  // written while the slot is not live
  TaskSlot* task_slot = nullptr;                     // where it is current; null: nowhere
  std::uint64_t start_ticks = 0;
  std::int64_t start_ns = 0;
  ThreadState* owner = nullptr;  // whose free list it belongs to
  SpanSlot* next_free = nullptr;
  bool start_is_given = false;  // by the caller: its end is then read from the wall clock

  // The last exception an inner span recorded: see record_current_exception(). Atomic, because an
  // inner span may be ended by another thread.
  std::atomic<std::uint64_t> seen_exception{0};
  SlotContext own;       // its ids, and its handle
  SlotContext previous;  // restored when this span is no longer current

  // The encoded span so far: ids, tracestate, name, then attributes, events and links as they
  // come. `record` points into this slot or to a chunk of the pool when it has outgrown it.
  char* record = nullptr;
  std::uint32_t used = 0;
  std::uint32_t capacity = 0;
  std::uint16_t name_at = 0;
  std::uint16_t name_size = 0;  // of the encoded field
  std::uint16_t status_at = 0;  // of the encoded status with its message; 0: none
  std::uint16_t status_size = 0;
  std::uint16_t attributes = 0;
  std::uint16_t events = 0;
  std::uint16_t links = 0;
  std::uint32_t dropped_attributes = 0;
  std::uint32_t dropped_events = 0;
  std::uint32_t dropped_links = 0;
  std::uint32_t scope = 0;  // see scope_table.hpp; reset with the three above, by one store

  std::uint64_t key_bits = 0;  // for each key that was ever there, one of 64 bits; see has_tag()

  static constexpr std::size_t kIndexed = 32;  // attributes beyond are found by walking
  std::uint16_t key_tags[kIndexed];
  std::uint16_t offsets[kIndexed];

  static constexpr std::size_t kBytes = 1024;
  static constexpr std::size_t kInline = kBytes - 384;
  char inline_record[kInline];

  [[nodiscard]] ProviderCore& provider() const noexcept {
    return *provider_ptr.load(std::memory_order_relaxed);  // ordered by `state`
  }
  [[nodiscard]] std::uint32_t generation() const noexcept {
    return state.load(std::memory_order_relaxed) >> kGenerationShift;
  }
};
static_assert(sizeof(SpanSlot) == SpanSlot::kBytes);

[[nodiscard]] inline Handle make_handle(SpanSlot* slot, std::uint32_t generation,
                                        Handle recorded_bit) noexcept {
  return reinterpret_cast<Handle>(slot) | static_cast<Handle>(generation) << 48U | recorded_bit;
}
// User addresses of x86-64 and AArch64 fit 48 bits.
[[nodiscard]] inline SpanSlot* slot_of(Handle handle) noexcept {
  return reinterpret_cast<SpanSlot*>(handle & 0xffff'ffff'fffeU);
}
[[nodiscard]] inline std::uint32_t live_state(Handle handle) noexcept {
  return static_cast<std::uint32_t>(handle >> 48U) << kGenerationShift |
         (recorded(handle) ? kLive : kPassive);
}

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail
