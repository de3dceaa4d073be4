#pragma once

// Consistent probability sampling: every SDK that follows it decides alike about a trace.
// Source: https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/

#include <cmath>
#include <cstdint>
#include <string>

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/observability/api/span_context.hpp"
#include "alphaswarm/observability/sdk/tracestate_table.hpp"

namespace alphaswarm::observability {

// Keeps a trace when the low 56 bits of its id, its randomness, are at least the rejection
// threshold (1 − ratio) · 2^56.
class RatioSampler {
 public:
  static constexpr std::uint64_t kNever = std::uint64_t{1} << 56U;

  // `ratio` in [0, 1]. For a ratio below 1, kept root spans carry the tracestate `ot=th:<hex>`.
  explicit RatioSampler(double ratio)
      : threshold_(kNever - static_cast<std::uint64_t>(std::llrint(ratio * 0x1p56))) {
    if (threshold_ != 0 && threshold_ != kNever) {
      kept_ = sdk::tracestates().intern("ot=th:" + threshold_text(), true);
    }
  }

  [[nodiscard]] bool keeps(const TraceId& id) const noexcept {
    std::uint64_t low = 0;
    for (int i = 8; i < 16; ++i) low = low << 8U | id.bytes[static_cast<std::size_t>(i)];
    return keeps_low(low);
  }
  // The same, from the low eight bytes as a number.
  [[nodiscard]] bool keeps_low(std::uint64_t low) const noexcept {
    return (low & (kNever - 1)) >= threshold_;
  }
  [[nodiscard]] TraceState kept_state() const noexcept { return kept_; }
  [[nodiscard]] std::uint64_t threshold() const noexcept { return threshold_; }

  // 14 hex digits without trailing zeros.
  [[nodiscard]] std::string threshold_text() const {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (int shift = 52; shift >= 0; shift -= 4) text += kDigits[threshold_ >> shift & 15U];
    const std::size_t last = text.find_last_not_of('0');
    return last == std::string::npos ? "0" : text.substr(0, last + 1);
  }

 private:
  std::uint64_t threshold_;
  TraceState kept_;
};

}  // namespace alphaswarm::observability
