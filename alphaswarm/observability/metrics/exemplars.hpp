#pragma once

// Which measurements are kept as examples.

#include <atomic>
#include <cstdint>
#include <vector>

#include "alphaswarm/observability/metrics/data.hpp"

namespace alphaswarm::observability::metrics {

enum class ExemplarFilter : std::uint8_t {
  trace_based,  // only measurements within a sampled span
  always_on,
  always_off,
};

// A uniform sample of the measurements of one interval: algorithm L (Li 1994), which knows how
// many to pass over until the next one it keeps, so that most cost one decrement.
class Reservoir {
 public:
  explicit Reservoir(std::size_t size) : kept_(size) {}
  Reservoir(const Reservoir&) = delete;
  Reservoir& operator=(const Reservoir&) = delete;

  // Any thread; never waits. Two at once may lose one example, nothing else.
  void offer(Number value) noexcept {
    const std::uint32_t left = pass_.load(std::memory_order_relaxed);  // orders nothing
    if (left != 0) {
      pass_.store(left - 1, std::memory_order_relaxed);
      return;
    }
    keep(value);
  }
  // Moves the examples to `out` and begins a new interval.
  void drain(std::vector<Exemplar>& out);

 private:
  void keep(Number value) noexcept;

  std::atomic<std::uint32_t> pass_{0};
  std::atomic<bool> busy_{false};  // guards the rest
  std::size_t filled_ = 0;
  double weight_ = 1;
  std::vector<Exemplar> kept_;
};

// Whether the filter lets a measurement made here and now through.
[[nodiscard]] bool wants_exemplar(ExemplarFilter filter) noexcept;

}  // namespace alphaswarm::observability::metrics
