#include "alphaswarm/observability/api/prepared_attributes.hpp"

#if ALPHASWARM_OTEL

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory_resource>
#include <vector>

#include "alphaswarm/observability/api/span.hpp"
#include "alphaswarm/observability/sdk/provider_core.hpp"
#include "alphaswarm/observability/sdk/record_hot.hpp"
#include "alphaswarm/observability/sdk/slot_use.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE {
namespace detail {
namespace {

constexpr SpanLimits no_limits() noexcept {
  SpanLimits limits;
  limits.attributes = limits.value_bytes = std::numeric_limits<std::uint32_t>::max();
  return limits;
}

// At most: what is not UTF-8 becomes three bytes where it was one.
std::size_t written_size(std::string_view text) noexcept {
  return sdk::is_ascii(text) ? text.size() : 3 * text.size();
}

// What a limit of a value's bytes is compared with.
std::size_t longest_text(const AttributeValue& value) noexcept {
  using Type = AttributeValue::Type;
  if (value.type() == Type::bytes) return value.text().size();
  if (value.type() == Type::text) return written_size(value.text());
  std::size_t longest = 0;
  if (value.type() == Type::text_array) {
    for (const std::string_view each : value.elements<std::string_view>()) {
      longest = std::max(longest, written_size(each));
    }
  }
  return longest;
}

}  // namespace

struct Prepared {
  explicit Prepared(std::span<const Attribute> given) {
    for (const Attribute& each : given) {
      attributes.push_back({keep(each.key), keep(each.value)});
      longest = std::max(longest, longest_text(each.value));
    }
    encode();
  }

  // Made by what writes into spans, into a slot that never is one.
  void encode() {
    constexpr SpanLimits kNone = no_limits();
    model.record = model.inline_record;
    model.capacity = SpanSlot::kInline;
    for (const Attribute& each : attributes) {
      // What does not fit would take a chunk of the pool, whose size may not be set yet.
      const sdk::PairWriter pair(kAttributes, each.key, each.value, kNone.value_bytes);
      if (model.used + pair.size() > SpanSlot::kInline) return;
      put_any_attribute(model, kNone, each.key, each.value);
    }
    const std::uint32_t blocks = (model.used + kCopySlack - 1) / kCopySlack;
    copied = blocks * static_cast<std::uint32_t>(kCopySlack);
    encoded = copied <= SpanSlot::kInline && model.attributes <= SpanSlot::kIndexed &&
              model.dropped_attributes == 0;
  }

  [[nodiscard]] bool shares_key(const SpanSlot& slot) const noexcept {
    if ((slot.key_bits & model.key_bits) == 0) return false;
    return std::any_of(model.key_tags, model.key_tags + model.attributes, [&](std::uint16_t tag) {
      return has_tag(slot, slot.key_bits, slot.attributes, tag);
    });
  }

  [[nodiscard]] bool put(SpanSlot& slot, const SpanLimits& limits) const noexcept {
    const std::uint32_t index = slot.attributes;
    const std::uint32_t count = model.attributes;
    if (!encoded ||
        index + count > std::min<std::uint32_t>(SpanSlot::kIndexed, limits.attributes) ||
        slot.capacity - slot.used < copied || longest > limits.value_bytes || shares_key(slot)) {
      return false;
    }
    char* const out = slot.record + slot.used;
    for (std::uint32_t at = 0; at < copied; at += kCopySlack) {
      __builtin_memcpy(out + at, model.inline_record + at, kCopySlack);
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      slot.key_tags[index + i] = model.key_tags[i];
      slot.offsets[index + i] = static_cast<std::uint16_t>(slot.used + model.offsets[i]);
    }
    slot.key_bits |= model.key_bits;
    slot.attributes = static_cast<std::uint16_t>(index + count);
    slot.used += model.used;
    return true;
  }

  std::vector<Attribute> attributes;  // their texts and elements lie in `memory`
  SpanSlot model;
  std::size_t longest = 0;
  std::uint32_t copied = 0;  // bytes, in whole steps
  bool encoded = false;      // else they are put one by one

 private:
  template <class T>
  std::span<const T> keep(std::span<const T> elements) {
    if (elements.empty()) return {};
    void* const room = memory.allocate(elements.size_bytes(), alignof(T));
    std::memcpy(room, elements.data(), elements.size_bytes());
    return {static_cast<const T*>(room), elements.size()};
  }
  std::string_view keep(std::string_view text) {
    const std::span<const char> kept = keep(std::span<const char>(text));
    return {kept.data(), kept.size()};
  }
  AttributeValue keep(const AttributeValue& value) {
    using Type = AttributeValue::Type;
    switch (value.type()) {
      case Type::text:
        return keep(value.text());
      case Type::bytes:
        return keep(value.elements<std::byte>());
      case Type::boolean_array:
        return keep(value.elements<bool>());
      case Type::integer_array:
        return keep(value.elements<std::int64_t>());
      case Type::number_array:
        return keep(value.elements<double>());
      case Type::text_array: {
        std::vector<std::string_view> texts;
        for (const std::string_view each : value.elements<std::string_view>()) {
          texts.push_back(keep(each));
        }
        return keep(std::span<const std::string_view>(texts));
      }
      default:
        return value;
    }
  }
  std::pmr::monotonic_buffer_resource memory;
};

void set_prepared(Handle span, const PreparedAttributes& prepared) noexcept {
  if (prepared.get() == nullptr) return;
  const SlotUse slot(span);
  if (!slot) return;
  const SpanLimits& limits = slot->provider().config.limits;
  if (prepared.get()->put(*slot, limits)) [[likely]] {
    return;
  }
  for (const Attribute& each : prepared.get()->attributes) {
    put_any_attribute(*slot, limits, each.key, each.value);
  }
}

}  // namespace detail

PreparedAttributes::PreparedAttributes() noexcept = default;
PreparedAttributes::PreparedAttributes(std::span<const Attribute> attributes)
    : prepared_(attributes.empty() ? nullptr
                                   : std::make_unique<const detail::Prepared>(attributes)) {}
PreparedAttributes::PreparedAttributes(PreparedAttributes&&) noexcept = default;
PreparedAttributes& PreparedAttributes::operator=(PreparedAttributes&&) noexcept = default;
PreparedAttributes::~PreparedAttributes() = default;

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE

#endif
