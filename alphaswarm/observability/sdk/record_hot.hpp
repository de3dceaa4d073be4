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
inline std::uint16_t key_tag(const TextEnds& ends, std::size_t size) noexcept {
  const std::uint64_t mixed =
      (ends.first ^ (ends.last << 7U | ends.last >> 57U) ^ size) * 0x9e3779b97f4a7c15U;
  return static_cast<std::uint16_t>(mixed >> 48U);
}
inline std::uint16_t key_tag(std::string_view key) noexcept {
  const auto load = [&]<class Word>(Word word, std::size_t at) {
    std::memcpy(&word, key.data() + at, sizeof word);
    return static_cast<std::uint64_t>(word);
  };
  const std::size_t size = key.size();
  if (size >= 8) {
    return key_tag({load(std::uint64_t{}, 0), load(std::uint64_t{}, size - 8)}, size);
  }
  if (size >= 4) {
    return key_tag({load(std::uint32_t{}, 0), load(std::uint32_t{}, size - 4)}, size);
  }
  if (size == 0) return key_tag({}, 0);
  return key_tag({load(std::uint8_t{}, 0) | load(std::uint8_t{}, size / 2) << 8U,
                  load(std::uint8_t{}, size - 1)},
                 size);
}

// What write_short_pair() needs at `out`; it writes less.
constexpr std::size_t kShortPair = 128;

struct ShortPair {
  char* end;  // null: it is none
  std::uint16_t tag;
};

// A short ASCII key with a number or a short ASCII text.
[[gnu::always_inline]] inline ShortPair write_short_pair(char* const start,
                                                         const SpanLimits& limits,
                                                         std::string_view key,
                                                         const AttributeValue& value) noexcept {
  using Type = AttributeValue::Type;
  if (key.size() - 1 >= kShort) return {};
  const ShortCopy copied = copy_short(start + 4, key.data(), key.size());
  std::uint64_t seen = copied.seen;
  char* const out = start + 4 + key.size();
  char* end = out + 3;
  char kind = length_tag(sdk::kText);
  switch (value.type()) {
    case Type::integer: {
      kind = static_cast<char>(tag(sdk::kInt, WireType::varint));
      const auto number = static_cast<std::uint64_t>(value.integer());
      if (number < 0x80) [[likely]] {
        *end++ = static_cast<char>(number);
      } else {
        end = put_varint(end, number);
      }
      break;
    }
    case Type::text: {
      const std::string_view text = value.text();
      if (text.size() - 1 >= kShort || text.size() > limits.value_bytes) return {};
      *end++ = static_cast<char>(text.size());
      seen |= copy_short(end, text.data(), text.size()).seen;
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
      return {};
  }
  if ((seen & kHighBits) != 0) return {};
  out[0] = length_tag(2);  // KeyValue.value
  out[1] = static_cast<char>(end - out - 2);
  out[2] = kind;
  // The pair's and the key's tags and sizes, as one store.
  const std::uint32_t head = static_cast<unsigned char>(length_tag(kAttributes)) |
                             static_cast<std::uint32_t>(end - start - 2) << 8U |
                             static_cast<std::uint32_t>(length_tag(1)) << 16U |  // KeyValue.key
                             static_cast<std::uint32_t>(key.size()) << 24U;
  std::memcpy(start, &head, 4);
  return {end, key_tag(copied.ends, key.size())};
}

inline std::uint64_t key_bit(std::uint16_t tag) noexcept { return std::uint64_t{1} << (tag & 63U); }

// Probably the same key is among the first `count`. Mostly told by one of the bits.
[[gnu::always_inline]] inline bool has_tag(const SpanSlot& slot, std::uint64_t key_bits,
                                           std::uint32_t count, std::uint16_t tag) noexcept {
  if ((key_bits & key_bit(tag)) == 0) [[likely]] {
    return false;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    if (slot.key_tags[i] == tag) return true;
  }
  return false;
}

// False, and nothing done, where the attribute is none of the usual kind or may be there already.
[[gnu::always_inline]] inline bool put_short_attribute(SpanSlot& slot, const SpanLimits& limits,
                                                       std::string_view key,
                                                       const AttributeValue& value) noexcept {
  const std::uint32_t index = slot.attributes;
  if (index >= SpanSlot::kIndexed || index >= limits.attributes ||
      slot.capacity - slot.used < kShortPair) {
    return false;
  }
  const ShortPair pair = write_short_pair(slot.record + slot.used, limits, key, value);
  if (pair.end == nullptr) return false;
  if (has_tag(slot, slot.key_bits, index, pair.tag)) return false;
  slot.key_bits |= key_bit(pair.tag);
  slot.key_tags[index] = pair.tag;
  slot.offsets[index] = static_cast<std::uint16_t>(slot.used);
  slot.attributes = static_cast<std::uint16_t>(index + 1);
  slot.used = static_cast<std::uint32_t>(pair.end - slot.record);
  return true;
}

[[gnu::noinline]] inline void put_any_attribute(SpanSlot& slot, const SpanLimits& limits,
                                                std::string_view key,
                                                const AttributeValue& value) noexcept {
  if (!put_short_attribute(slot, limits, key, value)) [[unlikely]] {
    put_attribute(slot, limits, key, value);
  }
}

// put_any_attribute() for each, as long as they are of the usual kind without looking at the slot
// again.
[[gnu::always_inline]] inline void put_attributes(SpanSlot& slot, const SpanLimits& limits,
                                                  Attributes attributes) noexcept {
  const Attribute* next = attributes.begin();
  const Attribute* const end = attributes.end();
  char* const record = slot.record;
  char* at = record + slot.used;
  const char* const last = record + slot.capacity - kShortPair;
  const std::uint32_t most =
      limits.attributes < SpanSlot::kIndexed ? limits.attributes : SpanSlot::kIndexed;
  std::uint32_t index = slot.attributes;
  std::uint64_t key_bits = slot.key_bits;
  for (; next != end && index < most && at <= last; ++next, ++index) {
    const ShortPair pair = write_short_pair(at, limits, next->key, next->value);
    if (pair.end == nullptr || has_tag(slot, key_bits, index, pair.tag)) break;
    key_bits |= key_bit(pair.tag);
    slot.key_tags[index] = pair.tag;
    slot.offsets[index] = static_cast<std::uint16_t>(at - record);
    at = pair.end;
  }
  if (index > slot.attributes) {
    slot.attributes = static_cast<std::uint16_t>(index);
    slot.used = static_cast<std::uint32_t>(at - record);
    slot.key_bits = key_bits;
  }
  for (; next != end; ++next) put_any_attribute(slot, limits, next->key, next->value);
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
  slot.key_bits = 0;
  slot.dropped_attributes = slot.dropped_events = slot.dropped_links = slot.scope = 0;
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
      (copy_short(out + 2, name.data(), name.size()).seen & kHighBits) == 0) [[likely]] {
    out[0] = length_tag(kName);
    out[1] = static_cast<char>(name.size());
    slot.name_size = static_cast<std::uint16_t>(name.size() + 2);
    slot.used += slot.name_size;
    return;
  }
  begin_rest(slot, ContextWords(own), name, value_bytes);  // a copy: `own` stays in registers
}

// Bytes that finish_record() and finish_short_record() may write beyond finished_size().
constexpr std::size_t kCopySlack = 32;

// kind, two times and flags, which every span has.
constexpr std::size_t kFixedTail = 2 + 9 + 9 + 6;

// True if finish_short_record() gives the whole span.
inline bool fits_short_record(const SpanSlot& slot) noexcept {
  return slot.used <= SpanSlot::kInline - kCopySlack &&
         (slot.dropped_attributes | slot.dropped_events | slot.dropped_links) == 0;
}
// The same, and nothing belongs in front of it.
inline bool is_short_record(const SpanSlot& slot) noexcept {
  return slot.used <= SpanSlot::kInline - kCopySlack &&
         (slot.dropped_attributes | slot.dropped_events | slot.dropped_links | slot.scope) == 0;
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
