#include "alphaswarm/observability/sdk/thread_state.hpp"

#if ALPHASWARM_OTEL

#include <pthread.h>

#include <new>

#include "alphaswarm/observability/sdk/provider_core.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {

using sdk::chunk_pool;
using sdk::ChunkPool;

thread_local constinit ThreadState* thread_state = nullptr;
std::atomic<std::uint32_t> fork_epoch{1};

namespace {

// Set once the thread's state is gone: spans of later thread-local destructors are dropped.
thread_local constinit bool thread_is_over = false;

constexpr std::uint32_t kSmallSlabs = 8;  // further slabs are whole blocks

// States of threads that ended, for threads to come: a stack whose head carries a tag in its
// upper 16 bits against the ABA problem. States are never freed, so that reading one is safe.
std::atomic<std::uint64_t> abandoned{0};
constexpr std::uint64_t kPointerBits = 0xffff'ffff'ffffU;

void abandon(ThreadState& state) noexcept {
  std::uint64_t head = abandoned.load(std::memory_order_relaxed);
  std::uint64_t next = 0;
  do {
    state.next_abandoned.store(reinterpret_cast<ThreadState*>(head & kPointerBits),
                               std::memory_order_relaxed);
    next = reinterpret_cast<std::uint64_t>(&state) | ((head >> 48U) + 1) << 48U;
    // Releases the state to the thread that adopts it.
  } while (!abandoned.compare_exchange_weak(head, next, std::memory_order_release,
                                            std::memory_order_relaxed));
}

ThreadState* adopt() noexcept {
  std::uint64_t head = abandoned.load(std::memory_order_acquire);  // with abandon()
  while ((head & kPointerBits) != 0) {
    auto* state = reinterpret_cast<ThreadState*>(head & kPointerBits);
    const std::uint64_t next =
        reinterpret_cast<std::uint64_t>(state->next_abandoned.load(std::memory_order_relaxed)) |
        ((head >> 48U) + 1) << 48U;
    if (abandoned.compare_exchange_weak(head, next, std::memory_order_acquire,
                                        std::memory_order_acquire)) {
      return state;
    }
  }
  return nullptr;
}

// The pool keeps at least half of itself for finished spans.
std::atomic<std::size_t> slab_bytes{0};

bool may_take_slab(std::size_t bytes) noexcept {
  const std::size_t most = chunk_pool().capacity() / 2;
  if (slab_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes <= most) return true;
  slab_bytes.fetch_sub(bytes, std::memory_order_relaxed);
  return false;
}

void add_slots(ThreadState& state, char* first, std::size_t bytes) noexcept {
  for (std::size_t at = 0; at < bytes; at += SpanSlot::kBytes) {
    auto* slot = new (first + at) SpanSlot;
    slot->owner = &state;
    state.give_slot(*slot);
  }
}

ThreadState* make_state() noexcept {
  if (!may_take_slab(ChunkPool::kSmallBytes)) return nullptr;
  void* page = chunk_pool().take_small();
  if (page == nullptr) {
    slab_bytes.fetch_sub(ChunkPool::kSmallBytes, std::memory_order_relaxed);
    return nullptr;
  }
  static_assert(sizeof(ThreadState) <= SpanSlot::kBytes);
  auto* state = new (page) ThreadState;
  add_slots(*state, static_cast<char*>(page) + SpanSlot::kBytes,
            ChunkPool::kSmallBytes - SpanSlot::kBytes);
  chunk_pool().mark_slab(page, ChunkPool::Slab::thread_page);
  return state;
}

void thread_ends(void* value) noexcept {
  auto* state = static_cast<ThreadState*>(value);
  if (thread_state != state) return;  // a forked child has left it behind
  thread_state = nullptr;
  thread_is_over = true;
  for (ThreadState::Entry& entry : state->entries) {
    if (entry.buffer != nullptr) leave_buffer(*entry.buffer, ThreadBuffer::thread_left);
    entry = {};
  }
  abandon(*state);
}

pthread_key_t thread_key() noexcept {
  static const pthread_key_t kKey = [] {
    pthread_key_t key = 0;
    ::pthread_key_create(&key, thread_ends);
    return key;
  }();
  return kKey;
}

}  // namespace

ThreadState* register_thread() noexcept {
  if (thread_is_over) return nullptr;
  ThreadState* state = adopt();
  if (state == nullptr) state = make_state();
  if (state == nullptr) return nullptr;
  Random& seed = thread_random();
  state->random = Random(seed.next());
  state->span_ids = SpanIds(seed.next(), seed.next());
  ::pthread_setspecific(thread_key(), state);
  thread_state = state;
  return state;
}

void refuse_spans_on_this_thread() noexcept { thread_is_over = true; }

void forget_threads_after_fork() noexcept {
  fork_epoch.fetch_add(1, std::memory_order_relaxed);  // the child has one thread: no partner
  abandoned.store(0, std::memory_order_relaxed);
  slab_bytes.store(0, std::memory_order_relaxed);
  thread_state = nullptr;
}

bool ThreadState::refill() noexcept {
  // Acquires the slots from the threads that returned them.
  free_slots = returned.exchange(nullptr, std::memory_order_acquire);
  if (free_slots != nullptr) return true;
  const bool small = slabs < kSmallSlabs;
  const std::size_t bytes = small ? ChunkPool::kSmallBytes : ChunkPool::kBlockBytes;
  if (!may_take_slab(bytes)) return false;
  void* slab = small ? chunk_pool().take_small() : chunk_pool().take_block();
  if (slab == nullptr) {
    slab_bytes.fetch_sub(bytes, std::memory_order_relaxed);
    return false;
  }
  add_slots(*this, static_cast<char*>(slab), bytes);
  chunk_pool().mark_slab(slab, small ? ChunkPool::Slab::small : ChunkPool::Slab::block);
  ++slabs;
  return true;
}

ThreadBuffer* ThreadState::make_buffer(ProviderCore& provider, std::uint32_t index) noexcept {
  void* memory = chunk_pool().take_small();
  if (memory == nullptr) return nullptr;
  Entry& entry = entries[index % kProviders];
  if (entry.buffer != nullptr) leave_buffer(*entry.buffer, ThreadBuffer::thread_left);
  auto* buffer = new (memory) ThreadBuffer;
  buffer->provider = &provider;
  entry = {&provider, buffer};
  provider.add_buffer(*buffer);
  return buffer;
}

void return_slot_of_other(SpanSlot& slot) noexcept {
  ThreadState& owner = *slot.owner;
  SpanSlot* head = owner.returned.load(std::memory_order_relaxed);
  do {
    slot.next_free = head;
    // Releases the slot to refill(). Only whole lists are taken, hence no ABA.
  } while (!owner.returned.compare_exchange_weak(head, &slot, std::memory_order_release,
                                                 std::memory_order_relaxed));
}

Chunk* grow(ThreadBuffer& buffer, std::size_t size) noexcept {
  constexpr std::uint32_t kEmbedded = ChunkPool::kSmallBytes - sizeof(ThreadBuffer);
  constexpr std::uint32_t kBlock = ChunkPool::kBlockBytes - sizeof(Chunk);
  constexpr std::uint32_t kReserve = 1'024;
  Chunk* tail = buffer.tail.load(std::memory_order_relaxed);
  if (tail != nullptr && !tail->embedded && tail->capacity < kBlock) {
    // Some spans before its end, in two steps, as the second reads what the first has fetched.
    if (tail->capacity == kBlock - kReserve) {
      tail->capacity = kBlock - kReserve / 2;
      chunk_pool().prefetch_books();
    } else {
      tail->capacity = kBlock;
      chunk_pool().prefetch_block();
    }
    const auto used = static_cast<std::uint32_t>(tail->committed.load(std::memory_order_relaxed));
    if (tail->capacity - used >= size) return tail;
  }
  Chunk* made = nullptr;
  // A quiet thread stays in its own small chunk; a busy one goes on in whole blocks.
  if (tail == nullptr && size <= kEmbedded &&
      buffer.embedded_free.load(std::memory_order_acquire)) {  // with the reader's release
    buffer.embedded_free.store(false, std::memory_order_relaxed);
    made = new (&buffer.embedded) Chunk;
    made->embedded = true;
    made->capacity = kEmbedded;
  } else if (void* block = chunk_pool().take_block(); block != nullptr) {
    made = new (block) Chunk;
    made->capacity = size <= kBlock - kReserve ? kBlock - kReserve : kBlock;
  } else {
    return nullptr;
  }
  // Publishes the new chunk to the reader.
  (tail != nullptr ? tail->next : buffer.restart).store(made, std::memory_order_release);
  buffer.tail.store(made, std::memory_order_relaxed);
  return made;
}

void leave_buffer(ThreadBuffer& buffer, ThreadBuffer::Owners who) noexcept {
  // Acquire and release: the second sees all that the first did before it frees the memory.
  if (buffer.owners.exchange(who, std::memory_order_acq_rel) != ThreadBuffer::both) {
    chunk_pool().give_small(&buffer);
  }
}

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail

#endif
