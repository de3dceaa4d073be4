#include "alphaswarm/observability/sdk/open_spans.hpp"

#if ALPHASWARM_OTEL

#include <thread>

#include "alphaswarm/observability/sdk/barrier.hpp"
#include "alphaswarm/observability/sdk/clock.hpp"
#include "alphaswarm/observability/sdk/provider_core.hpp"
#include "alphaswarm/observability/sdk/record.hpp"
#include "alphaswarm/observability/sdk/span_time.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {
namespace {

struct Frozen {
  SpanSlot* slot;
  std::uint32_t state;  // while frozen
};

std::vector<Frozen> freeze(const ProviderCore& provider) {
  std::vector<Frozen> frozen;
  for_each_slot([&](SpanSlot& slot) {
    std::uint32_t state = slot.state.load(std::memory_order_acquire);  // with start_span()
    constexpr std::uint32_t kFlags = (1U << kGenerationShift) - 1;
    if ((state & kFlags) != kLive ||
        slot.provider_ptr.load(std::memory_order_relaxed) != &provider) {
      return;
    }
    // The generation in the word makes this fail if the slot has changed hands meanwhile.
    if (slot.state.compare_exchange_strong(state, state | kFrozen, std::memory_order_seq_cst)) {
      frozen.push_back({&slot, state | kFrozen});
    }
  });
  sdk::barrier_on_all_threads();
  return frozen;
}

// Waits for an operation under way. An owner that is off the processor gets a moment.
bool wait_until_idle(const SpanSlot& slot) {
  for (int i = 0; i < 10'000; ++i) {
    if (!slot.busy.load(std::memory_order_acquire)) return true;  // with ~SlotUse()
    std::this_thread::sleep_for(std::chrono::microseconds(i < 100 ? 1 : 20));
  }
  return false;
}

std::string encode_open(SpanSlot& slot, const ProviderCore& provider) {
  SpanLimits limits = provider.config.limits;
  ++limits.attributes;  // this one is ours
  put_attribute(slot, limits, "alphaswarm.span.open", true);
  const std::int64_t now = now_in(slot);
  std::string field(finished_size(slot), '\0');
  const char* end =
      finish_record(slot, {slot.start_ns, now < slot.start_ns ? slot.start_ns : now}, field.data());
  field.resize(static_cast<std::size_t>(end - field.data()));
  return field;
}

}  // namespace

std::vector<std::string> close_open_spans(const ProviderCore& provider) {
  std::vector<std::string> encoded;
  for (const auto& [slot, state] : freeze(provider)) {
    if (!wait_until_idle(*slot)) continue;
    // An owner that was just ending it has put the next generation there.
    if (slot->state.load(std::memory_order_acquire) >> kGenerationShift !=
        state >> kGenerationShift) {
      continue;
    }
    encoded.push_back(encode_open(*slot, provider));
    std::uint32_t expected = state;
    if (!slot->state.compare_exchange_strong(expected, state | kExported,
                                             std::memory_order_acq_rel)) {
      // Ended while we read it, and left to us.
      release_record(*slot);
      slot->state.store((slot->generation() + 1) << kGenerationShift, std::memory_order_release);
      return_slot(*slot);
    }
  }
  return encoded;
}

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail

#endif
