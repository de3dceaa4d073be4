#pragma once

// What a thread needs to record spans: free slots, a buffer for each provider it has met, a
// random generator. All of it lies in chunks of the pool, and none of it is shared but where an
// atomic says so.

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "alphaswarm/base/random.hpp"
#include "alphaswarm/observability/sdk/barrier.hpp"
#include "alphaswarm/observability/sdk/chunk_pool.hpp"
#include "alphaswarm/observability/sdk/span_slot.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {

// A stretch of finished spans, each as the field `ScopeSpans.spans` in full, so that the export
// thread only points at them. Written by one thread, read by one.
struct Chunk {
  // Bytes written so far (lower half) and spans among them (upper half), published together.
  std::atomic<std::uint64_t> committed{0};
  std::atomic<Chunk*> next{nullptr};
  std::uint32_t capacity = 0;    // of data(), or a little less: see grow()
  std::uint32_t read_bytes = 0;  // the reader's
  std::uint32_t read_spans = 0;
  bool embedded = false;  // lies in its buffer's own chunk and is not given back alone
  // Some spans carry marks of scopes: see scope_table.hpp. Set before such a one is committed.
  std::atomic<bool> marked{false};
  char padding[64 - 2 * sizeof(void*) - 14];

  [[nodiscard]] char* data() noexcept { return reinterpret_cast<char*>(this + 1); }
};
static_assert(sizeof(Chunk) == 64);

// A statistic with one writer; others read it at any time.
class OwnCount {
 public:
  void add(std::uint64_t amount = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct ThreadCounts {
  OwnCount started;
  OwnCount ended;
  OwnCount no_slot;
  OwnCount no_chunk;
  OwnCount not_sampled;

  void add(const ThreadCounts& other) noexcept {
    started.add(other.started.value());
    ended.add(other.ended.value());
    no_slot.add(other.no_slot.value());
    no_chunk.add(other.no_chunk.value());
    not_sampled.add(other.not_sampled.value());
  }
};

// The finished spans of one thread for one provider: a chain of chunks, the first of them here.
struct ThreadBuffer {
  // The producer's line.
  alignas(64) std::atomic<bool> busy{false};  // see barrier.hpp
  std::atomic<Chunk*> tail{nullptr};          // null: none leased
  std::atomic<bool> embedded_free{true};      // the reader is done with the chunk in here
  ThreadCounts counts;
  // Shared at the seams.
  alignas(64) std::atomic<Chunk*> restart{nullptr};  // the first chunk after there was none
  enum Owners : std::uint8_t { both = 0, thread_left = 1, reader_left = 2 };
  std::atomic<std::uint8_t> owners{both};  // who leaves second gives the memory back
  // The reader's.
  ThreadBuffer* next = nullptr;
  ProviderCore* provider = nullptr;
  Chunk* head = nullptr;
  std::uint64_t quiet_at = 0;  // what the tail held when last looked at, if all was read
  Chunk* leaving = nullptr;
  alignas(64) Chunk embedded;  // its data fills the rest of the small chunk
};
static_assert(sizeof(ThreadBuffer) <= 512);

// Span ids of one thread: splitmix64 (Steele, Lea and Flood 2014) with an increment of its own.
// They need be unique within a trace only; trace ids come from the better generator.
class SpanIds {
 public:
  SpanIds() noexcept = default;
  SpanIds(std::uint64_t state, std::uint64_t increment) noexcept
      : state_(state), increment_(increment | 1U) {}
  // Never 0.
  [[nodiscard]] std::uint64_t next() noexcept {
    for (;;) {
      state_ += increment_;
      std::uint64_t mixed = (state_ ^ (state_ >> 30U)) * 0xbf58476d1ce4e5b9U;
      mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
      mixed ^= mixed >> 31U;
      if (mixed != 0) [[likely]] {
        return mixed;
      }
    }
  }

 private:
  std::uint64_t state_ = 0;
  std::uint64_t increment_ = 1;
};

struct ThreadState {
  static constexpr std::size_t kProviders = 16;
  struct Entry {
    ProviderCore* provider = nullptr;
    ThreadBuffer* buffer = nullptr;
  };

  SpanSlot* free_slots = nullptr;
  std::uint32_t slabs = 0;
  Random random{0};
  SpanIds span_ids;
  Entry entries[kProviders];  // by the provider's index
  std::atomic<ThreadState*> next_abandoned{nullptr};
  alignas(64) std::atomic<SpanSlot*> returned{nullptr};  // freed by other threads

  // A free slot, or null. Takes another slab when there is none.
  [[nodiscard]] SpanSlot* take_slot() noexcept {
    if (free_slots == nullptr && !refill()) [[unlikely]] {
      return nullptr;
    }
    SpanSlot* slot = free_slots;
    free_slots = slot->next_free;
    return slot;
  }
  void give_slot(SpanSlot& slot) noexcept {
    slot.next_free = free_slots;
    free_slots = &slot;
  }
  // Null if this thread has none for the provider yet.
  [[nodiscard]] ThreadBuffer* known_buffer(const ProviderCore& provider,
                                           std::uint32_t index) const noexcept {
    const Entry& entry = entries[index % kProviders];
    return entry.provider == &provider ? entry.buffer : nullptr;
  }
  // This thread's buffer for the provider, or null when there is no memory for one.
  [[nodiscard]] ThreadBuffer* buffer(ProviderCore& provider, std::uint32_t index) noexcept {
    const Entry& entry = entries[index % kProviders];
    if (entry.provider == &provider) [[likely]] {
      return entry.buffer;
    }
    return make_buffer(provider, index);
  }

  [[nodiscard]] bool refill() noexcept;
  [[nodiscard]] ThreadBuffer* make_buffer(ProviderCore& provider, std::uint32_t index) noexcept;
};

extern thread_local constinit ThreadState* thread_state;
extern std::atomic<std::uint32_t> fork_epoch;  // bumped in the child

// Makes the calling thread's state; null when there is no memory for it or the thread is past
// its end.
[[nodiscard]] ThreadState* register_thread() noexcept;

[[nodiscard]] inline ThreadState* this_thread_state() noexcept {
  ThreadState* state = thread_state;
  return state != nullptr ? state : register_thread();
}

// From here on the calling thread records nothing: for export threads.
void refuse_spans_on_this_thread() noexcept;

// In the child of a fork.
void forget_threads_after_fork() noexcept;

// Frees a slot from any thread.
void return_slot_of_other(SpanSlot& slot) noexcept;
inline void return_slot(SpanSlot& slot) noexcept {
  if (slot.owner == thread_state) [[likely]] {
    thread_state->give_slot(slot);
  } else {
    return_slot_of_other(slot);
  }
}

// A chunk with room for `size` bytes at the end of the buffer's chain, or null. Producer only,
// while busy.
[[nodiscard]] Chunk* grow(ThreadBuffer& buffer, std::size_t size) noexcept;

// One side is done with the buffer; the second to say so gives its memory back.
void leave_buffer(ThreadBuffer& buffer, ThreadBuffer::Owners who) noexcept;

// Every slot there is, in use or not.
template <class See>
void for_each_slot(See see) noexcept {
  using Slab = sdk::ChunkPool::Slab;
  sdk::chunk_pool().for_each_slab([&](char* chunk, Slab kind) {
    auto* slots = reinterpret_cast<SpanSlot*>(chunk);
    const std::size_t count =
        (kind == Slab::block ? sdk::ChunkPool::kBlockBytes : sdk::ChunkPool::kSmallBytes) /
        SpanSlot::kBytes;
    for (std::size_t i = kind == Slab::thread_page ? 1 : 0; i < count; ++i) see(slots[i]);
  });
}

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail
