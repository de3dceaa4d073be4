#pragma once

// The one place the recording path gets memory from: a fixed region, cut into chunks of 64 KiB,
// some of them split into sixteen of 4 KiB. Its size is the hard bound on what tracing holds.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace alphaswarm::observability::sdk {

class ChunkPool {
 public:
  static constexpr std::size_t kBlockBytes = 65'536;
  static constexpr std::size_t kSmallBytes = 4'096;
  static constexpr std::size_t kDefaultBytes = 16U << 20U;

  // Reserves address space; pages become resident when first used. `bytes` is rounded down to
  // whole blocks. The pool is empty (every take fails) if the reservation does.
  explicit ChunkPool(std::size_t bytes) noexcept;
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;

  // Null when none is left. Lock-free, no system call. Contents are undefined.
  [[nodiscard]] void* take_block() noexcept;
  [[nodiscard]] void* take_small() noexcept;
  // `chunk` came from this pool, of the size it was taken with.
  void give_block(void* chunk) noexcept;
  void give_small(void* chunk) noexcept;

  // Other processors had last what a take_block() touches: these fetch it without waiting, first
  // the books, then, reading them, the start of the block that it will probably take.
  void prefetch_books() const noexcept;
  void prefetch_block() const noexcept;
  // Makes memory up to `bytes` beyond what is in use resident, so that the first spans in it wait
  // for no page. A system call now and then: for export threads.
  void populate(std::size_t bytes) noexcept;

  [[nodiscard]] std::size_t capacity() const noexcept { return count_ * kBlockBytes; }
  // Approximate while others take and give.
  [[nodiscard]] std::size_t bytes_in_use() const noexcept {
    return in_use_.load(std::memory_order_relaxed);  // a statistic: orders nothing
  }

  // Chunks that hold span slots are never given back, so that a stale handle never reads other
  // bytes as a slot. They are marked, so that a shutdown finds the open spans.
  enum class Slab : std::uint8_t { none, small, thread_page, block };
  void mark_slab(void* chunk, Slab slab) noexcept;
  // Calls see(chunk, kind) for every marked chunk.
  template <class See>
  void for_each_slab(See see) const {
    for (std::size_t page = 0; page < count_ * kPerBlock; ++page) {
      const Slab kind = slabs_[page].load(std::memory_order_acquire);  // with mark_slab
      if (kind != Slab::none) see(base_ + page * kSmallBytes, kind);
    }
  }

 private:
  static constexpr std::size_t kPerBlock = kBlockBytes / kSmallBytes;
  static constexpr std::uint32_t kWhole = 0x8000'0000U;  // else a mask of the small ones in use
  static constexpr std::uint32_t kFull = (1U << kPerBlock) - 1;

  char* base_ = nullptr;  // never unmapped: the pool lives as long as the process
  std::size_t count_ = 0;
  std::unique_ptr<std::atomic<std::uint32_t>[]> blocks_;
  std::unique_ptr<std::atomic<Slab>[]> slabs_;
  std::atomic<std::size_t> populated_{0};
  alignas(64) std::atomic<std::size_t> in_use_{0};
};

// Fetches the line that `address` is in, to be written soon.
inline void prefetch_to_write(const void* address) noexcept {
#if defined(__x86_64__)
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(address)));  // else: -mprfchw
#else
  __builtin_prefetch(address, 1);
#endif
}

// The process's pool; made at first use (by a provider), again in the child after a fork.
[[nodiscard]] ChunkPool& chunk_pool() noexcept;
// Takes effect for the first pool only, before any provider exists. False if it is too late.
bool set_pool_bytes(std::size_t bytes) noexcept;
// In the child of a fork: leaves the inherited chunks alone and starts afresh.
void abandon_pool_after_fork() noexcept;

}  // namespace alphaswarm::observability::sdk
