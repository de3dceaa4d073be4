#pragma once

// The floor that the SDK is measured against: two stamps from the clock in use and one push of a
// 128-byte record into a single-producer single-consumer ring. Nothing that records spans can be
// cheaper. Source fixed: do not make it slower.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

namespace alphaswarm::bench {

struct FloorRecord {
  std::uint64_t words[16];  // 128 bytes
};

class FloorRing {
 public:
  static constexpr std::size_t kSlots = 65'536;  // a power of two, 8 MiB

  FloorRing() : slots_(std::make_unique<FloorRecord[]>(kSlots)) {}

  bool push(const FloorRecord& record) noexcept {
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - cached_head_ == kSlots) {
      cached_head_ = head_.load(std::memory_order_acquire);  // with pop_all()
      if (tail - cached_head_ == kSlots) return false;
    }
    slots_[tail % kSlots] = record;
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }
  // The consumer takes everything, record by record; returns the sum of their first words.
  std::uint64_t pop_all() noexcept {
    const std::uint64_t tail = tail_.load(std::memory_order_acquire);  // with push()
    std::uint64_t head = head_.load(std::memory_order_relaxed);
    std::uint64_t sum = 0;
    for (; head != tail; ++head) {
      const FloorRecord record = slots_[head % kSlots];
      sum += record.words[0] ^ record.words[15];
    }
    head_.store(head, std::memory_order_release);
    return sum;
  }

  [[nodiscard]] bool is_empty() const noexcept {
    return head_.load(std::memory_order_acquire) == tail_.load(std::memory_order_acquire);
  }

 private:
  std::unique_ptr<FloorRecord[]> slots_;
  alignas(64) std::atomic<std::uint64_t> tail_{0};
  std::uint64_t cached_head_ = 0;
  alignas(64) std::atomic<std::uint64_t> head_{0};
};

}  // namespace alphaswarm::bench
