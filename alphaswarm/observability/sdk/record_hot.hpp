#pragma once

// The usual ways through a span's record, in one pass and without a call. Each says where it does
// not apply; record.hpp has the general form.

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "alphaswarm/observability/sdk/record.hpp"
#include "alphaswarm/observability/sdk/record_fields.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {

// Sixteen bits that tell most keys apart.
inline std::uint16_t key_tag(std::string_view key) noexcept {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  if (key.size() >= 8) {
    std::memcpy(&first, key.data(), 8);
    std::memcpy(&last, key.data() + key.size() - 8, 8);
  } else if (key.size() >= 4) {
    std::uint32_t part = 0;
    std::memcpy(&part, key.data(), 4);
    first = part;
    std::memcpy(&part, key.data() + key.size() - 4, 4);
    last = part;
  } else if (!key.empty()) {
    first = static_cast<unsigned char>(key[0]) |
            static_cast<std::uint64_t>(static_cast<unsigned char>(key[key.size() / 2])) << 8U |
            static_cast<std::uint64_t>(static_cast<unsigned char>(key[key.size() - 1])) << 16U;
  }
  const std::uint64_t mixed =
      (first ^ (last << 7U | last >> 57U) ^ key.size()) * 0x9e3779b97f4a7c15U;
  return static_cast<std::uint16_t>(mixed >> 48U);
}

// A short ASCII key with a number or a short ASCII text not set before. False, and nothing done,
// where it is none.
[[gnu::always_inline]] inline bool put_short_attribute(SpanSlot& slot, const SpanLimits& limits,
                                                       std::string_view key,
                                                       const AttributeValue& value) noexcept {
  using Type = AttributeValue::Type;
  const std::uint32_t index = slot.attributes;
  const std::uint32_t used = slot.used;
  if (key.size() - 1 >= kShort || index >= SpanSlot::kIndexed || index >= limits.attributes ||
      slot.capacity - used < 128) {
    return false;
  }
  const std::uint16_t hash = key_tag(key);
  for (std::uint32_t i = 0; i < index; ++i) {
    if (slot.key_tags[i] == hash) return false;  // probably the same key
  }
  char* const start = slot.record + used;
  if ((copy_short(start + 4, key.data(), key.size()) & kHighBits) != 0) return false;
  char* const out = start + 4 + key.size();
  char* end = out + 3;
  char kind = length_tag(sdk::kText);
  switch (value.type()) {
    case Type::integer:
      kind = static_cast<char>(tag(sdk::kInt, WireType::varint));
      end = put_varint(end, static_cast<std::uint64_t>(value.integer()));
      break;
    case Type::text: {
      const std::string_view text = value.text();
      if (text.size() - 1 >= kShort || text.size() > limits.value_bytes) return false;
      *end++ = static_cast<char>(text.size());
      if ((copy_short(end, text.data(), text.size()) & kHighBits) != 0) return false;
      end += text.size();
      break;
    }
    case Type::number:
      kind = static_cast<char>(tag(sdk::kDouble, WireType::fixed64));
      end = otlp::put_fixed64(end, std::bit_cast<std::uint64_t>(value.number()));
      break;
    case Type::boolean:
      kind = static_cast<char>(tag(sdk::kBool, WireType::varint));
      *end++ = value.boolean() ? 1 : 0;
      break;
    default:
      return false;
  }
  out[0] = length_tag(2);  // KeyValue.value
  out[1] = static_cast<char>(end - out - 2);
  out[2] = kind;
  // The pair's and the key's tags and sizes, as one store.
  const std::uint32_t head = static_cast<unsigned char>(length_tag(kAttributes)) |
                             static_cast<std::uint32_t>(end - start - 2) << 8U |
                             static_cast<std::uint32_t>(length_tag(1)) << 16U |  // KeyValue.key
                             static_cast<std::uint32_t>(key.size()) << 24U;
  std::memcpy(start, &head, 4);
  slot.key_tags[index] = hash;
  slot.offsets[index] = static_cast<std::uint16_t>(used);
  slot.attributes = static_cast<std::uint16_t>(index + 1);
  slot.used = static_cast<std::uint32_t>(end - slot.record);
  return true;
}

inline void put_any_attribute(SpanSlot& slot, const SpanLimits& limits, std::string_view key,
                              const AttributeValue& value) noexcept {
  if (!put_short_attribute(slot, limits, key, value)) [[unlikely]] {
    put_attribute(slot, limits, key, value);
  }
}

// Ids and a short ASCII name; everything else of the record is reset. `parent_id` 0: none.
[[gnu::always_inline]] inline void begin_record(SpanSlot& slot, const ContextWords& own,
                                                std::uint64_t parent_id, std::string_view name,
                                                std::uint32_t value_bytes) noexcept {
  char* out = slot.inline_record;
  slot.record = out;
  slot.capacity = SpanSlot::kInline;
  slot.status_at = slot.status_size = 0;
  slot.attributes = slot.events = slot.links = 0;
  slot.dropped_attributes = slot.dropped_events = slot.dropped_links = 0;
  out[0] = length_tag(kTraceId);
  out[1] = 16;
  std::memcpy(out + 2, &own.trace[0], 8);
  std::memcpy(out + 10, &own.trace[1], 8);
  out = put_id_word(out + 18, kSpanId, own.span_id);
  if (parent_id != 0) out = put_id_word(out, kParentSpanId, parent_id);
  slot.used = static_cast<std::uint32_t>(out - slot.inline_record);
  slot.name_at = static_cast<std::uint16_t>(slot.used);
  slot.name_size = 0;
  if (own.tracestate().handle == 0 && name.size() - 1 < kShort && name.size() <= value_bytes &&
      (copy_short(out + 2, name.data(), name.size()) & kHighBits) == 0) [[likely]] {
    out[0] = length_tag(kName);
    out[1] = static_cast<char>(name.size());
    slot.name_size = static_cast<std::uint16_t>(name.size() + 2);
    slot.used += slot.name_size;
    return;
  }
  begin_rest(slot, own, name, value_bytes);
}

// Bytes that finish_record() and finish_short_record() may write beyond finished_size().
constexpr std::size_t kCopySlack = 32;

// kind, two times and flags, which every span has.
constexpr std::size_t kFixedTail = 2 + 9 + 9 + 6;

// True if finish_short_record() applies.
inline bool is_short_record(const SpanSlot& slot) noexcept {
  return slot.used <= SpanSlot::kInline - kCopySlack &&
         (slot.dropped_attributes | slot.dropped_events | slot.dropped_links) == 0;
}

inline char* put_fixed_tail(char* out, const SpanSlot& slot, const SpanTail& tail) noexcept {
  out[0] = static_cast<char>(tag(kKind, WireType::varint));
  out[1] = static_cast<char>(slot.kind);
  out[2] = static_cast<char>(tag(kStartTime, WireType::fixed64));
  otlp::put_fixed64(out + 3, static_cast<std::uint64_t>(tail.start_ns));
  out[11] = static_cast<char>(tag(kEndTime, WireType::fixed64));
  otlp::put_fixed64(out + 12, static_cast<std::uint64_t>(tail.end_ns));
  out = put_varint(out + 20, tag(kFlags, WireType::fixed32));
  return otlp::put_fixed32(out, slot.otlp_flags);
}

// As finish_record(), by fixed steps: needs kCopySlack more room.
inline char* finish_short_record(const SpanSlot& slot, const SpanTail& tail, char* out) noexcept {
  constexpr std::uint32_t kSpans = 2;  // of ScopeSpans
  const std::uint32_t used = slot.used;
  const std::uint32_t content = used + kFixedTail;
  out[0] = length_tag(kSpans);
  out[1] = static_cast<char>(content < 128 ? content : content | 0x80U);
  out[2] = static_cast<char>(content >> 7U);
  out += content < 128 ? 2 : 3;
  const char* const from = slot.record;
  for (std::uint32_t at = 0; at < used; at += kCopySlack) {
    __builtin_memcpy(out + at, from + at, kCopySlack);
  }
  return put_fixed_tail(out + used, slot, tail);
}

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail
