#include "alphaswarm/observability/sdk/clock.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace alphaswarm::observability::sdk {
namespace {

bool kernel_uses_counter() noexcept {
#if defined(__x86_64__)
  const int file = ::open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
                          O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  char text[16] = {};
  const ssize_t size = ::read(file, text, sizeof text);
  ::close(file);
  return size >= 3 && std::string_view(text, 3) == "tsc";
#else
  return false;
#endif
}

struct Sample {
  std::uint64_t ticks;
  std::int64_t monotonic;
  std::int64_t wall;
};

// The tightest of a few readings, so that a preemption in between does not spoil it.
Sample take_sample(const TimeSource& source) noexcept {
  Sample best{};
  std::uint64_t best_width = ~std::uint64_t{0};
  for (int i = 0; i < 5; ++i) {
    const std::uint64_t before = ticks();
    const std::int64_t wall = source.wall().value;
    const std::int64_t monotonic = source.monotonic();
    const std::uint64_t after = ticks();
    if (after - before < best_width) {
      best_width = after - before;
      best = {before + (after - before) / 2, monotonic, wall};
    }
  }
  return best;
}

constexpr double kFractions = 4294967296.0;  // 2^32

}  // namespace

namespace detail {
Calibration* process_calibration = nullptr;
bool use_counter = kernel_uses_counter();
std::uint64_t slow_ticks() noexcept { return static_cast<std::uint64_t>(monotonic_ns()); }
}  // namespace detail

TimeSource system_time() noexcept {
  return {[]() noexcept { return now_unix(); }, []() noexcept { return monotonic_ns(); }};
}

Calibration::Calibration(TimeSource source) noexcept : source_(source) {
  const Sample first = take_sample(source_);
  first_ticks_ = first.ticks;
  first_monotonic_ = first.monotonic;
  double rate = kFractions;
  if (detail::use_counter) {
    // Two milliseconds give the rate to about 20 ppm; recalibration soon betters it.
    Sample next = first;
    while (next.monotonic - first.monotonic < 2'000'000) next = take_sample(source_);
    rate = static_cast<double>(next.monotonic - first.monotonic) * kFractions /
           static_cast<double>(next.ticks - first.ticks);
  }
  base_ticks_.store(first.ticks, std::memory_order_relaxed);
  base_ns_.store(first.wall, std::memory_order_relaxed);
  rate_.store(static_cast<std::uint64_t>(rate), std::memory_order_relaxed);
}

void Calibration::recalibrate() noexcept {
  if (writing_.exchange(true, std::memory_order_acquire)) return;  // with the release below
  const Sample now = take_sample(source_);
  if (now.monotonic - first_monotonic_ > 100'000'000) {
    const double true_rate = static_cast<double>(now.monotonic - first_monotonic_) * kFractions /
                             static_cast<double>(now.ticks - first_ticks_);
    std::int64_t shown = unix_ns(now.ticks);
    const std::int64_t error = now.wall - shown;
    double correction = 0;
    if (error > 1'000'000 || error < -1'000'000) {
      shown = now.wall;  // the wall clock was set
    } else {
      // Work the error off in the next second: at most a thousandth of the rate.
      correction = static_cast<double>(error) * 1e-9;
    }
    const auto rate = static_cast<std::uint64_t>(true_rate * (1.0 + correction));
    version_.fetch_add(1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);  // with the readers' acquire fence
    base_ticks_.store(now.ticks, std::memory_order_relaxed);
    base_ns_.store(shown, std::memory_order_relaxed);
    rate_.store(rate, std::memory_order_relaxed);
    version_.fetch_add(1, std::memory_order_release);  // with the readers' first load
  }
  writing_.store(false, std::memory_order_release);
}

void Calibration::reset_after_fork() noexcept {
  if ((version_.load(std::memory_order_relaxed) & 1U) != 0) {
    const Sample now = take_sample(source_);
    base_ticks_.store(now.ticks, std::memory_order_relaxed);
    base_ns_.store(now.wall, std::memory_order_relaxed);
    version_.fetch_add(1, std::memory_order_relaxed);
  }
  writing_.store(false, std::memory_order_relaxed);
}

void prepare_clock() {
  // Leaked: used until the very end. Spans see it through the provider they need first.
  static Calibration* const kCalibration = new Calibration;
  detail::process_calibration = kCalibration;
}

}  // namespace alphaswarm::observability::sdk
