#include "alphaswarm/observability/metrics/exemplars.hpp"

#include <algorithm>
#include <cmath>

#include "alphaswarm/base/random.hpp"
#include "alphaswarm/observability/api/span.hpp"
#include "alphaswarm/observability/sdk/context.hpp"

namespace alphaswarm::observability::metrics {

bool wants_exemplar(ExemplarFilter filter) noexcept {
  if (filter != ExemplarFilter::trace_based) return filter == ExemplarFilter::always_on;
#if ALPHASWARM_OTEL
  const auto& context = observability::detail::context_in(current_task_slot());
  return context.valid && (context.flags & SpanContext::kSampled) != 0;
#else
  return false;
#endif
}

void Reservoir::keep(Number value) noexcept {
  if (busy_.exchange(true, std::memory_order_acquire)) return;  // with the releases below
  Random& random = thread_random();
  const std::size_t size = kept_.size();
  const auto uniform = [&] { return 1.0 - random.uniform(); };  // in (0, 1]
  const std::size_t place = filled_ < size ? filled_++ : random.below(size);
  const SpanContext context = current_context();
  kept_[place] = {now_unix(), value, context.trace_id, context.span_id};
  if (filled_ == size) {
    weight_ *= std::exp(std::log(uniform()) / static_cast<double>(size));
    const double pass = std::floor(std::log(uniform()) / std::log1p(-weight_));
    pass_.store(static_cast<std::uint32_t>(std::clamp(pass, 0.0, 4e9)), std::memory_order_relaxed);
  }
  busy_.store(false, std::memory_order_release);
}

void Reservoir::drain(std::vector<Exemplar>& out) {
  while (busy_.exchange(true, std::memory_order_acquire)) {  // held for some nanoseconds
  }
  out.insert(out.end(), kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(filled_));
  filled_ = 0;
  weight_ = 1;
  pass_.store(0, std::memory_order_relaxed);
  busy_.store(false, std::memory_order_release);
}

}  // namespace alphaswarm::observability::metrics
