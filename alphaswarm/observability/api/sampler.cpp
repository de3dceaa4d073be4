#include "alphaswarm/observability/api/sampler.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "alphaswarm/observability/sdk/sampler.hpp"
#include "alphaswarm/observability/sdk/tracestate_table.hpp"

namespace alphaswarm::observability {
namespace {

TraceState parent_state(const SamplingInput& input) noexcept {
  return input.parent != nullptr ? input.parent->tracestate : TraceState{};
}

std::uint64_t low_bits(const TraceId& id) noexcept {
  std::uint64_t low = 0;
  for (std::size_t i = 8; i < 16; ++i) low = low << 8U | id.bytes[i];
  return low;
}

std::string_view next_part(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return part;
}

// The member `ot` of a tracestate and the other ones.
struct OtelState {
  std::optional<std::uint64_t> randomness;
  std::string rest;    // of `ot`, without th, each with a ';' in front
  std::string others;  // members, each with a ',' in front
};

std::optional<std::uint64_t> read_randomness(std::string_view hex) {
  if (hex.size() != 14) return {};
  const auto id = SpanId::from_hex(hex);
  if (!id) return {};
  std::uint64_t value = 0;
  for (const std::uint8_t byte : id->bytes) value = value << 8U | byte;
  return value;
}

OtelState read_state(TraceState state) {
  char room[sdk::kMaxTraceStateBytes];
  std::string_view text(room, sdk::tracestates().read(state, room));
  OtelState found;
  while (!text.empty()) {
    const std::string_view member = next_part(text, ',');
    if (!member.starts_with("ot=")) {
      found.others.append(1, ',').append(member);
      continue;
    }
    for (std::string_view parts = member.substr(3); !parts.empty();) {
      const std::string_view part = next_part(parts, ';');
      if (part.starts_with("th:")) continue;
      if (part.starts_with("rv:")) {
        found.randomness = read_randomness(part.substr(3));
        if (!found.randomness) continue;
      }
      found.rest.append(1, ';').append(part);
    }
  }
  return found;
}

// `threshold` empty: none is known.
TraceState write_state(const OtelState& state, std::string_view threshold) {
  std::string own = threshold.empty() ? "" : "th:" + std::string(threshold);
  own += own.empty() && !state.rest.empty() ? state.rest.substr(1) : state.rest;
  std::string text = own.empty() ? "" : "ot=" + own;
  text += text.empty() && !state.others.empty() ? state.others.substr(1) : state.others;
  while (text.size() > sdk::kMaxTraceStateBytes) text.resize(text.rfind(','));
  return sdk::tracestates().intern(text);
}

class Constant final : public Sampler {
 public:
  explicit Constant(bool sampled) : sampled_(sampled) {}
  SamplingResult sample(const SamplingInput& input) const noexcept override {
    return {sampled_, parent_state(input)};
  }

 private:
  bool sampled_;
};

class Ratio final : public Sampler {
 public:
  explicit Ratio(double ratio)
      : rule_(ratio),
        text_(rule_.threshold_text()),
        kept_(sdk::tracestates().intern("ot=th:" + text_, true)) {}
  SamplingResult sample(const SamplingInput& input) const noexcept override {
    const TraceState given = parent_state(input);
    if (given == TraceState{}) {
      const bool sampled = rule_.keeps(input.trace_id);
      return {sampled, sampled ? kept_ : TraceState{}};
    }
    const OtelState state = read_state(given);
    const bool sampled =
        state.randomness ? *state.randomness >= rule_.threshold() : rule_.keeps(input.trace_id);
    return {sampled, write_state(state, sampled ? text_ : std::string())};
  }

 private:
  RatioSampler rule_;
  std::string text_;
  TraceState kept_;
};

class TraceIdRatio final : public Sampler {
 public:
  explicit TraceIdRatio(double ratio)
      : all_(ratio >= 1.0),
        bound_(all_ ? 0 : static_cast<std::uint64_t>(std::nearbyint(ratio * 0x1p64))) {}
  SamplingResult sample(const SamplingInput& input) const noexcept override {
    return {all_ || low_bits(input.trace_id) < bound_, parent_state(input)};
  }

 private:
  bool all_;
  std::uint64_t bound_;
};

class ParentBased final : public Sampler {
 public:
  explicit ParentBased(ParentBasedSamplers samplers) : samplers_(std::move(samplers)) {}
  SamplingResult sample(const SamplingInput& input) const noexcept override {
    if (input.parent == nullptr) return samplers_.root->sample(input);
    const bool sampled = input.parent->sampled();
    const SamplerPtr& by = input.parent->remote
                               ? (sampled ? samplers_.remote_sampled : samplers_.remote_not_sampled)
                               : (sampled ? samplers_.local_sampled : samplers_.local_not_sampled);
    return by != nullptr ? by->sample(input) : SamplingResult{sampled, parent_state(input)};
  }

 private:
  ParentBasedSamplers samplers_;
};

}  // namespace

SamplerPtr always_on_sampler() { return std::make_shared<Constant>(true); }
SamplerPtr always_off_sampler() { return std::make_shared<Constant>(false); }
SamplerPtr ratio_sampler(double ratio) {
  return std::make_shared<Ratio>(std::clamp(ratio, 0.0, 1.0));
}
SamplerPtr trace_id_ratio_sampler(double ratio) {
  return std::make_shared<TraceIdRatio>(std::clamp(ratio, 0.0, 1.0));
}
SamplerPtr parent_based_sampler(ParentBasedSamplers samplers) {
  return std::make_shared<ParentBased>(std::move(samplers));
}

}  // namespace alphaswarm::observability
