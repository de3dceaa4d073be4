#pragma once

// Dekker's handshake with all the cost on one side. A producer writes "busy" and then looks
// whether it may go on; an export thread writes "stop", makes every running thread pass a memory
// barrier (membarrier(2)) and then looks whether one is busy. One of the two sees the other.

#include <atomic>

#if defined(__SANITIZE_THREAD__)
#define ALPHASWARM_DETAIL_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ALPHASWARM_DETAIL_TSAN 1
#endif
#endif

namespace alphaswarm::observability::sdk {

#if defined(ALPHASWARM_DETAIL_TSAN)
inline constexpr bool kSanitizedThreads = true;  // it does not know membarrier(2)
#else
inline constexpr bool kSanitizedThreads = false;
#endif

namespace detail {
extern std::atomic<bool> producers_fence;  // true where the kernel has no membarrier(2)
}

// The producer's half, between its store and its load: usually no instruction at all.
inline void producer_fence() noexcept {
  if constexpr (!kSanitizedThreads) {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (!detail::producers_fence.load(std::memory_order_relaxed)) [[likely]] {
      return;
    }
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
}
// Orders for the stores and loads around it: ThreadSanitizer needs them stronger.
inline constexpr std::memory_order kBusyStore =
    kSanitizedThreads ? std::memory_order_seq_cst : std::memory_order_relaxed;
inline constexpr std::memory_order kBusyLoad =
    kSanitizedThreads ? std::memory_order_seq_cst : std::memory_order_relaxed;

// The export thread's half.
void barrier_on_all_threads() noexcept;
// Before the first span, and in a child after fork().
void prepare_barrier() noexcept;

}  // namespace alphaswarm::observability::sdk
