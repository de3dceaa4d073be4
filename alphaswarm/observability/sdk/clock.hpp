#pragma once

// The clock of spans: the processor's time-stamp counter where the kernel itself uses it
// (clocksource "tsc"), else clock_gettime, behind the same functions.

#include <atomic>
#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "alphaswarm/base/time.hpp"

namespace alphaswarm::observability::sdk {

namespace detail {
extern bool use_counter;  // decided when the program starts; changed by tests only
[[nodiscard]] std::uint64_t slow_ticks() noexcept;
}  // namespace detail

// Never goes back. The unit is the counter's, or nanoseconds.
[[nodiscard]] inline std::uint64_t ticks() noexcept {
#if defined(__x86_64__)
  if (detail::use_counter) [[likely]] {
    return __rdtsc();
  }
#endif
  return detail::slow_ticks();
}

// What a calibration compares ticks() with.
struct TimeSource {
  UnixNanos (*wall)() noexcept;
  std::int64_t (*monotonic)() noexcept;  // nanoseconds
};
[[nodiscard]] TimeSource system_time() noexcept;

// Relates ticks to the wall clock. Readers are wait-free; one writer recalibrates now and then.
// Times run on continuously: an error below a millisecond is worked off over the next interval,
// only a larger jump of the wall clock is followed at once.
class Calibration {
 public:
  explicit Calibration(TimeSource source = system_time()) noexcept;

  [[nodiscard]] std::int64_t unix_ns(std::uint64_t at) const noexcept {
    for (;;) {
      const std::uint32_t before = version_.load(std::memory_order_acquire);  // with recalibrate
      const std::uint64_t base_ticks = base_ticks_.load(std::memory_order_relaxed);
      const std::int64_t base_ns = base_ns_.load(std::memory_order_relaxed);
      const std::uint64_t rate = rate_.load(std::memory_order_relaxed);
      std::atomic_signal_fence(std::memory_order_seq_cst);
      std::atomic_thread_fence(std::memory_order_acquire);
      if ((before & 1U) == 0 && version_.load(std::memory_order_relaxed) == before) {
        return base_ns + scale(static_cast<std::int64_t>(at - base_ticks), rate);
      }
    }
  }
  [[nodiscard]] std::int64_t duration_ns(std::uint64_t elapsed_ticks) const noexcept {
    return scale(static_cast<std::int64_t>(elapsed_ticks), rate_.load(std::memory_order_relaxed));
  }
  // Called by export threads about once a second; others return at once.
  void recalibrate() noexcept;
  // In the child: the writer may have been in the middle of it, and is not here.
  void reset_after_fork() noexcept;

 private:
  static std::int64_t scale(std::int64_t count, std::uint64_t rate) noexcept {
    return static_cast<std::int64_t>((static_cast<__int128>(count) * rate) >> 32);
  }

  TimeSource source_;
  std::atomic<std::uint32_t> version_{0};  // odd while being written
  std::atomic<std::uint64_t> base_ticks_{0};
  std::atomic<std::int64_t> base_ns_{0};
  std::atomic<std::uint64_t> rate_{0};  // nanoseconds a tick, 32 fraction bits
  std::atomic<bool> writing_{false};
  std::uint64_t first_ticks_ = 0;  // the long baseline of the rate
  std::int64_t first_monotonic_ = 0;
};

namespace detail {
extern Calibration* process_calibration;  // null until prepare_clock()
}
// Makes the process's calibration; before the first span. Thread-safe.
void prepare_clock();
[[nodiscard]] inline Calibration& calibration() noexcept { return *detail::process_calibration; }

}  // namespace alphaswarm::observability::sdk
