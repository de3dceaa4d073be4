// Attributes of a span: written once, found again when their key is set again.

#include "alphaswarm/observability/sdk/record.hpp"

#if ALPHASWARM_OTEL

#include <algorithm>

#include "alphaswarm/observability/sdk/record_fields.hpp"
#include "alphaswarm/observability/sdk/record_hot.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {
namespace {

const char* read_varint(const char* at, std::uint64_t& value) noexcept {
  value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(*at++);
    value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
    if (byte < 0x80) return at;
  }
}

// The field at `at`, all of which are length-delimited in a record.
struct Field {
  std::uint32_t number;
  const char* content;
  std::size_t size;  // of the content
  [[nodiscard]] std::size_t total(const char* at) const noexcept {
    return static_cast<std::size_t>(content - at) + size;
  }
};
Field field_at(const char* at) noexcept {
  std::uint64_t size = 0;
  const auto number = static_cast<std::uint32_t>(static_cast<unsigned char>(*at) >> 3U);
  const char* content = read_varint(at + 1, size);
  return {number, content, size};
}

bool has_key(const char* at, std::string_view key) noexcept {
  const Field pair = field_at(at);
  const Field name = field_at(pair.content);
  return std::string_view(name.content, name.size) == key;
}

constexpr std::size_t kNotFound = ~std::size_t{0};

// The index in the table, or the offset of an attribute beyond it.
struct Found {
  std::size_t offset = kNotFound;
  std::size_t index = kNotFound;
};

Found find(const SpanSlot& slot, std::string_view key, std::uint16_t key_hash) noexcept {
  const std::size_t indexed = std::min<std::size_t>(slot.attributes, SpanSlot::kIndexed);
  for (std::size_t i = 0; i < indexed; ++i) {
    if (slot.key_tags[i] == key_hash && has_key(slot.record + slot.offsets[i], key)) {
      return {slot.offsets[i], i};
    }
  }
  if (slot.attributes <= SpanSlot::kIndexed) return {};
  for (std::size_t at = 0; at < slot.used;) {
    const Field field = field_at(slot.record + at);
    if (field.number == kAttributes && has_key(slot.record + at, key)) return {at, kNotFound};
    at += field.total(slot.record + at);
  }
  return {};
}

using sdk::kMaxKeyBytes;

// `key` is bounded and valid, so that it can be compared with those in the record.
void put_checked_attribute(SpanSlot& slot, const SpanLimits& limits, std::string_view key,
                           const AttributeValue& value) noexcept {
  const std::uint16_t key_hash = key_tag(key);
  const PairWriter pair(kAttributes, key, value, limits.value_bytes);
  const Found found = slot.attributes == 0 ? Found{} : find(slot, key, key_hash);
  if (found.offset != kNotFound) {
    const std::size_t old = field_at(slot.record + found.offset).total(slot.record + found.offset);
    if (old == pair.size()) {
      pair.put(slot.record + found.offset);
      return;
    }
    // Room first, so that a value that does not fit leaves the former one in place.
    char* out = reserve(slot, pair.size());
    if (out == nullptr) {
      ++slot.dropped_attributes;
      return;
    }
    erase(slot, found.offset, old);
    if (found.index != kNotFound) slot.offsets[found.index] = static_cast<std::uint16_t>(slot.used);
    slot.used +=
        static_cast<std::uint32_t>(pair.put(slot.record + slot.used) - (slot.record + slot.used));
    return;
  }
  char* out = slot.attributes < limits.attributes ? reserve(slot, pair.size()) : nullptr;
  if (out == nullptr) {
    ++slot.dropped_attributes;
    return;
  }
  if (slot.attributes < SpanSlot::kIndexed) {
    slot.key_bits |= key_bit(key_hash);
    slot.key_tags[slot.attributes] = key_hash;
    slot.offsets[slot.attributes] = static_cast<std::uint16_t>(slot.used);
  }
  ++slot.attributes;
  slot.used = static_cast<std::uint32_t>(pair.put(out) - slot.record);
}

}  // namespace

void put_attribute(SpanSlot& slot, const SpanLimits& limits, std::string_view key,
                   const AttributeValue& value) noexcept {
  if (key.size() <= kMaxKeyBytes && sdk::is_ascii(key)) {
    if (key.empty()) {
      ++slot.dropped_attributes;
      return;
    }
    put_checked_attribute(slot, limits, key, value);
    return;
  }
  char repaired[kMaxKeyBytes];
  const std::size_t size = sdk::repaired_size(key, kMaxKeyBytes);
  sdk::write_repaired(repaired, key, kMaxKeyBytes);
  put_checked_attribute(slot, limits, {repaired, size}, value);
}

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail

#endif
