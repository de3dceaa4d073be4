#include "alphaswarm/observability/sdk/chunk_pool.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <new>

namespace alphaswarm::observability::sdk {

ChunkPool::ChunkPool(std::size_t bytes) noexcept {
  const std::size_t count = bytes / kBlockBytes;
  // One block more, so that the first can be aligned to its size.
  void* region = ::mmap(nullptr, (count + 1) * kBlockBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (region == MAP_FAILED) return;
  const auto address = reinterpret_cast<std::uintptr_t>(region);
  base_ = reinterpret_cast<char*>((address + kBlockBytes - 1) / kBlockBytes * kBlockBytes);
  blocks_.reset(new (std::nothrow) std::atomic<std::uint32_t>[count]());
  slabs_.reset(new (std::nothrow) std::atomic<Slab>[count * kPerBlock]());
  if (blocks_ != nullptr && slabs_ != nullptr) count_ = count;
}

// Low addresses first, so that a program that needs little keeps little resident. Taking
// acquires what the giver released with the same word.
void* ChunkPool::take_block() noexcept {
  // Full is found out at once: dropping a span must not cost more than keeping it.
  if (bytes_in_use() + kBlockBytes > capacity()) return nullptr;
  for (std::size_t i = 0; i < count_; ++i) {
    std::uint32_t expected = 0;
    if (blocks_[i].load(std::memory_order_relaxed) == 0 &&
        blocks_[i].compare_exchange_strong(expected, kWhole, std::memory_order_acquire,
                                           std::memory_order_relaxed)) {
      in_use_.fetch_add(kBlockBytes, std::memory_order_relaxed);
      return base_ + i * kBlockBytes;
    }
  }
  return nullptr;
}

void ChunkPool::prefetch_books() const noexcept {
  prefetch_to_write(&in_use_);
  prefetch_to_write(&blocks_[0]);  // and the next line: thirty-two blocks
  prefetch_to_write(&blocks_[std::min<std::size_t>(16, count_ - 1)]);
}

void ChunkPool::prefetch_block() const noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    if (blocks_[i].load(std::memory_order_relaxed) != 0) continue;
    for (std::size_t at = 0; at < 256; at += 64) prefetch_to_write(base_ + i * kBlockBytes + at);
    return;
  }
}

void ChunkPool::populate(std::size_t bytes) noexcept {
  const std::size_t end = std::min(capacity(), bytes_in_use() + bytes);  // low addresses first
  // Two threads may do the same work twice, which changes nothing.
  const std::size_t begin = populated_.load(std::memory_order_relaxed);
  if (end <= begin) return;
#if defined(MADV_POPULATE_WRITE)
  // Fails on a Linux older than 5.14: pages then come when they are first touched.
  static_cast<void>(::madvise(base_ + begin, end - begin, MADV_POPULATE_WRITE));
#endif
  populated_.store(end, std::memory_order_relaxed);
}

void* ChunkPool::take_small() noexcept {
  for (const bool may_split : {false, true}) {
    for (std::size_t i = 0; i < count_; ++i) {
      std::uint32_t mask = blocks_[i].load(std::memory_order_relaxed);
      while (mask != kWhole && mask != kFull && (mask != 0 || may_split)) {
        const auto bit = static_cast<std::uint32_t>(std::countr_one(mask));
        if (blocks_[i].compare_exchange_weak(mask, mask | 1U << bit, std::memory_order_acquire,
                                             std::memory_order_relaxed)) {
          in_use_.fetch_add(kSmallBytes, std::memory_order_relaxed);
          return base_ + i * kBlockBytes + bit * kSmallBytes;
        }
      }
    }
  }
  return nullptr;
}

void ChunkPool::give_block(void* chunk) noexcept {
  const auto offset = static_cast<std::size_t>(static_cast<char*>(chunk) - base_);
  in_use_.fetch_sub(kBlockBytes, std::memory_order_relaxed);
  blocks_[offset / kBlockBytes].store(0, std::memory_order_release);  // with the next take
}

void ChunkPool::give_small(void* chunk) noexcept {
  const auto offset = static_cast<std::size_t>(static_cast<char*>(chunk) - base_);
  const std::uint32_t bit = 1U << (offset % kBlockBytes / kSmallBytes);
  in_use_.fetch_sub(kSmallBytes, std::memory_order_relaxed);
  blocks_[offset / kBlockBytes].fetch_and(~bit, std::memory_order_acq_rel);  // with the next take
}

void ChunkPool::mark_slab(void* chunk, Slab slab) noexcept {
  const auto offset = static_cast<std::size_t>(static_cast<char*>(chunk) - base_);
  slabs_[offset / kSmallBytes].store(slab, std::memory_order_release);  // with for_each_slab
}

namespace {

// Leaked on purpose: spans may be open while static objects are destroyed.
std::atomic<ChunkPool*> process_pool{nullptr};
std::atomic<std::size_t> pool_bytes{ChunkPool::kDefaultBytes};

}  // namespace

ChunkPool& chunk_pool() noexcept {
  ChunkPool* pool = process_pool.load(std::memory_order_acquire);  // with the exchange below
  if (pool != nullptr) return *pool;
  auto* made = new ChunkPool(pool_bytes.load(std::memory_order_relaxed));
  if (process_pool.compare_exchange_strong(pool, made, std::memory_order_acq_rel)) return *made;
  delete made;  // another thread was first; its empty mapping stays reserved, once
  return *pool;
}

bool set_pool_bytes(std::size_t bytes) noexcept {
  if (process_pool.load(std::memory_order_relaxed) != nullptr) return false;
  pool_bytes.store(bytes, std::memory_order_relaxed);
  return true;
}

void abandon_pool_after_fork() noexcept {
  process_pool.store(nullptr, std::memory_order_relaxed);  // the child has one thread
}

}  // namespace alphaswarm::observability::sdk
