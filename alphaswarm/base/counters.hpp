#pragma once

// Process-wide counters and gauges by name. Counting happens here; metrics read by callback
// (`visit`).

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace alphaswarm {

// Monotonic. Adding is one relaxed atomic; keep a reference, look-up takes a lock.
class Counter {
 public:
  void add(std::uint64_t amount = 1) noexcept {
    value_.fetch_add(amount, std::memory_order_relaxed);  // a statistic: orders nothing
  }
  [[nodiscard]] std::uint64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

 private:
  alignas(64) std::atomic<std::uint64_t> value_{0};
};

// What is now: the last value set.
class Gauge {
 public:
  void set(std::uint64_t value) noexcept {
    value_.store(value, std::memory_order_relaxed);  // a statistic: orders nothing
  }
  [[nodiscard]] std::uint64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

 private:
  alignas(64) std::atomic<std::uint64_t> value_{0};
};

struct CounterSample {
  std::string_view name;    // Prometheus style, e.g. "alphaswarm_spans_dropped_total"
  std::string_view labels;  // e.g. R"(cause="no_chunk")", or empty
  std::string_view help;
  std::uint64_t value;
  bool gauge = false;  // else monotonic, and the name ends in "_total"

  // Named `…_seconds` or `…_seconds_total`: `value` is in nanoseconds, and shown is seconds().
  [[nodiscard]] bool is_time() const noexcept {
    return name.ends_with("_seconds") || name.ends_with("_seconds_total");
  }
  [[nodiscard]] double seconds() const noexcept { return static_cast<double>(value) * 1e-9; }
};

// The counter of that name and labels, made at first use; lives until the process ends.
// `labels` is Prometheus label text without braces; `help` is one sentence, taken at first use.
[[nodiscard]] Counter& counter(std::string_view name, std::string_view labels,
                               std::string_view help);

// The same for a gauge. A name is a counter's or a gauge's, not both.
[[nodiscard]] Gauge& gauge(std::string_view name, std::string_view labels, std::string_view help);

// Calls `see` for each of both, sorted by name and labels.
void visit_counters(const std::function<void(const CounterSample&)>& see);

}  // namespace alphaswarm
