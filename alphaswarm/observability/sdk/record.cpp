#include "alphaswarm/observability/sdk/record.hpp"

#if ALPHASWARM_OTEL

#include <algorithm>
#include <cstring>

#include "alphaswarm/observability/sdk/attribute_writer.hpp"
#include "alphaswarm/observability/sdk/chunk_pool.hpp"
#include "alphaswarm/observability/sdk/tracestate_table.hpp"
#include "alphaswarm/otlp/encode.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {
namespace {

using otlp::put_varint;
using otlp::tag;
using otlp::varint_size;
using otlp::WireType;
using sdk::ChunkPool;
using sdk::PairWriter;
using sdk::Text;

// Field numbers of opentelemetry/proto/trace/v1/trace.proto, message Span and its parts.
enum SpanField : std::uint32_t {
  kTraceId = 1,
  kSpanId = 2,
  kTraceState = 3,
  kParentSpanId = 4,
  kName = 5,
  kKind = 6,
  kStartTime = 7,
  kEndTime = 8,
  kAttributes = 9,
  kDroppedAttributes = 10,
  kEvents = 11,
  kDroppedEvents = 12,
  kLinks = 13,
  kDroppedLinks = 14,
  kStatus = 15,
  kFlags = 16,
};
enum EventField : std::uint32_t {
  kEventTime = 1,
  kEventName = 2,
  kEventAttributes = 3,
  kEventDropped = 4
};
enum LinkField : std::uint32_t {
  kLinkState = 3,
  kLinkAttributes = 4,
  kLinkDropped = 5,
  kLinkFlags = 6
};
enum StatusField : std::uint32_t { kMessage = 2, kCode = 3 };

constexpr char length_tag(std::uint32_t field) noexcept {
  return static_cast<char>(tag(field, WireType::length));
}

char* put_field(char* out, std::uint32_t field, std::string_view bytes) noexcept {
  *out++ = length_tag(field);
  return otlp::put_bytes(put_varint(out, bytes.size()), bytes);
}

template <class Id>
char* put_id(char* out, std::uint32_t field, const Id& id) noexcept {
  *out++ = length_tag(field);
  *out++ = static_cast<char>(id.bytes.size());
  std::memcpy(out, id.bytes.data(), id.bytes.size());
  return out + id.bytes.size();
}

char* put_id_word(char* out, std::uint32_t field, std::uint64_t id) noexcept {
  *out++ = length_tag(field);
  *out++ = 8;
  std::memcpy(out, &id, 8);
  return out + 8;
}

char* put_text_field(char* out, std::uint32_t field, const Text& text) noexcept {
  *out++ = length_tag(field);
  return sdk::put_text(put_varint(out, text.size), text);
}

std::size_t text_field_size(const Text& text) noexcept {
  return 1 + varint_size(text.size) + text.size;
}

void give_overflow(char* record, std::uint32_t capacity) noexcept {
  if (capacity == ChunkPool::kSmallBytes) {
    sdk::chunk_pool().give_small(record);
  } else {
    sdk::chunk_pool().give_block(record);
  }
}

// Room for `size` more bytes, moving the record to a larger chunk where needed. Null: no room.
[[gnu::noinline]] char* reserve_more(SpanSlot& slot, std::size_t size) noexcept {
  const std::size_t needed = slot.used + size;
  if (needed > kMaxRecordBytes) return nullptr;
  const bool small = needed <= ChunkPool::kSmallBytes && slot.capacity < ChunkPool::kSmallBytes;
  void* chunk = small ? sdk::chunk_pool().take_small() : sdk::chunk_pool().take_block();
  if (chunk == nullptr) return nullptr;
  std::memcpy(chunk, slot.record, slot.used);
  release_record(slot);
  slot.record = static_cast<char*>(chunk);
  slot.capacity = small ? ChunkPool::kSmallBytes : kMaxRecordBytes;
  return slot.record + slot.used;
}

char* reserve(SpanSlot& slot, std::size_t size) noexcept {
  if (slot.used + size <= slot.capacity) [[likely]] {
    return slot.record + slot.used;
  }
  return reserve_more(slot, size);
}

// Takes out the bytes [at, at + size) and mends what points behind them.
void erase(SpanSlot& slot, std::size_t at, std::size_t size) noexcept {
  std::memmove(slot.record + at, slot.record + at + size, slot.used - at - size);
  slot.used -= static_cast<std::uint32_t>(size);
  const auto mend = [&](std::uint16_t& offset) {
    if (offset > at) offset = static_cast<std::uint16_t>(offset - size);
  };
  mend(slot.name_at);
  mend(slot.status_at);
  const std::size_t indexed = std::min<std::size_t>(slot.attributes, SpanSlot::kIndexed);
  for (std::size_t i = 0; i < indexed; ++i) mend(slot.offsets[i]);
}

std::uint16_t key_tag(std::string_view key) noexcept {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  if (key.size() >= 8) {
    std::memcpy(&first, key.data(), 8);
    std::memcpy(&last, key.data() + key.size() - 8, 8);
  } else if (key.size() >= 4) {
    std::memcpy(&first, key.data(), 4);
    std::memcpy(&last, key.data() + key.size() - 4, 4);
  } else {
    for (const char c : key) first = first << 8U | static_cast<unsigned char>(c);
  }
  const std::uint64_t mixed =
      (first ^ (last << 7U | last >> 57U) ^ key.size()) * 0x9e3779b97f4a7c15U;
  return static_cast<std::uint16_t>(mixed >> 48U);
}

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

// A key is bounded and never invalid, so that it can be compared with those in the record.
constexpr std::size_t kMaxKeyBytes = 1024;

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
    slot.key_tags[slot.attributes] = key_hash;
    slot.offsets[slot.attributes] = static_cast<std::uint16_t>(slot.used);
  }
  ++slot.attributes;
  slot.used = static_cast<std::uint32_t>(pair.put(out) - slot.record);
}

// Copies 1 to 64 bytes; the OR of all of them, to tell whether they are ASCII.
inline std::uint64_t copy_short(char* out, const char* from, std::size_t size) noexcept {
  const auto move = [&]<class Word>(Word, std::size_t at) {
    Word word = 0;
    std::memcpy(&word, from + at, sizeof word);
    std::memcpy(out + at, &word, sizeof word);
    return static_cast<std::uint64_t>(word);
  };
  if (size >= 8) {
    std::uint64_t seen = move(std::uint64_t{}, size - 8);
    for (std::size_t at = 0; at + 8 < size; at += 8) seen |= move(std::uint64_t{}, at);
    return seen;
  }
  if (size >= 4) return move(std::uint32_t{}, 0) | move(std::uint32_t{}, size - 4);
  return move(std::uint8_t{}, 0) | move(std::uint8_t{}, size / 2) | move(std::uint8_t{}, size - 1);
}

constexpr std::uint64_t kHighBits = 0x8080808080808080U;
constexpr std::size_t kShort = 48;  // of key and text: the whole attribute stays below 128 bytes

// The common case, a short ASCII key with a number or a short ASCII text not set before, written
// in one pass. False, and nothing done, where it is none.
inline bool put_short_attribute(SpanSlot& slot, const SpanLimits& limits, std::string_view key,
                                const AttributeValue& value) noexcept {
  using Type = AttributeValue::Type;
  if (key.size() - 1 >= kShort || slot.attributes >= SpanSlot::kIndexed ||
      slot.attributes >= limits.attributes || slot.capacity - slot.used < 128) {
    return false;
  }
  const std::uint16_t key_hash = key_tag(key);
  for (std::size_t i = 0; i < slot.attributes; ++i) {
    if (slot.key_tags[i] == key_hash) return false;  // probably the same key
  }
  char* const start = slot.record + slot.used;
  if ((copy_short(start + 4, key.data(), key.size()) & kHighBits) != 0) return false;
  char* out = start + 4 + key.size();
  *out = length_tag(2);  // KeyValue.value, its size at out[1]
  char* end = out + 2;
  switch (value.type()) {
    case Type::integer:
      *end++ = static_cast<char>(tag(sdk::kInt, WireType::varint));
      end = put_varint(end, static_cast<std::uint64_t>(value.integer()));
      break;
    case Type::text: {
      const std::string_view text = value.text();
      if (text.size() - 1 >= kShort || text.size() > limits.value_bytes) return false;
      *end++ = length_tag(sdk::kText);
      *end++ = static_cast<char>(text.size());
      if ((copy_short(end, text.data(), text.size()) & kHighBits) != 0) return false;
      end += text.size();
      break;
    }
    case Type::number:
      *end++ = static_cast<char>(tag(sdk::kDouble, WireType::fixed64));
      end = otlp::put_fixed64(end, std::bit_cast<std::uint64_t>(value.number()));
      break;
    case Type::boolean:
      *end++ = static_cast<char>(tag(sdk::kBool, WireType::varint));
      *end++ = value.boolean() ? 1 : 0;
      break;
    default:
      return false;
  }
  out[1] = static_cast<char>(end - out - 2);
  start[0] = length_tag(kAttributes);
  start[1] = static_cast<char>(end - start - 2);
  start[2] = length_tag(1);  // KeyValue.key
  start[3] = static_cast<char>(key.size());
  slot.key_tags[slot.attributes] = key_hash;
  slot.offsets[slot.attributes] = static_cast<std::uint16_t>(slot.used);
  ++slot.attributes;
  slot.used = static_cast<std::uint32_t>(end - slot.record);
  return true;
}

// Attributes of an event or a link: later ones of the same key win.
class AttributeList {
 public:
  AttributeList(std::uint32_t field, Attributes attributes, std::uint32_t limit,
                std::uint32_t value_bytes) noexcept
      : field_(field), attributes_(attributes), limit_(limit), value_bytes_(value_bytes) {
    each([&](const PairWriter& pair) { size_ += pair.size(); });
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::uint32_t dropped() const noexcept { return dropped_; }
  char* put(char* out) noexcept {
    each([&](const PairWriter& pair) { out = pair.put(out); });
    return out;
  }

 private:
  template <class See>
  void each(See see) noexcept {
    std::uint32_t kept = 0;
    dropped_ = 0;
    for (const Attribute* at = attributes_.begin(); at != attributes_.end(); ++at) {
      const bool overwritten = std::any_of(
          at + 1, attributes_.end(), [&](const Attribute& later) { return later.key == at->key; });
      if (overwritten) continue;
      if (at->key.empty() || kept == limit_) {
        ++dropped_;
        continue;
      }
      ++kept;
      see(PairWriter(field_, at->key, at->value, value_bytes_));
    }
  }
  std::uint32_t field_;
  Attributes attributes_;
  std::uint32_t limit_;
  std::uint32_t value_bytes_;
  std::size_t size_ = 0;
  std::uint32_t dropped_ = 0;
};

std::size_t count_field_size(std::uint32_t count) noexcept {
  return count == 0 ? 0 : 1 + varint_size(count);
}
char* put_count(char* out, std::uint32_t field, std::uint32_t count) noexcept {
  if (count == 0) return out;
  *out++ = static_cast<char>(tag(field, WireType::varint));
  return put_varint(out, count);
}

}  // namespace

void begin_record(SpanSlot& slot, const ContextWords& own, std::uint64_t parent_id,
                  std::string_view name, std::uint32_t value_bytes) noexcept {
  slot.record = slot.inline_record;
  slot.capacity = SpanSlot::kInline;
  slot.status_at = slot.status_size = 0;
  slot.attributes = slot.events = slot.links = 0;
  slot.dropped_attributes = slot.dropped_events = slot.dropped_links = 0;
  char* out = slot.record;
  *out++ = length_tag(kTraceId);
  *out++ = 16;
  std::memcpy(out, &own.trace[0], 8);
  std::memcpy(out + 8, &own.trace[1], 8);
  out += 16;
  out = put_id_word(out, kSpanId, own.span_id);
  if (parent_id != 0) out = put_id_word(out, kParentSpanId, parent_id);
  slot.used = static_cast<std::uint32_t>(out - slot.record);
  if (const TraceState state = own.tracestate(); state.handle != 0) [[unlikely]] {
    char text[sdk::kMaxTraceStateBytes];
    const std::size_t size = sdk::tracestates().read(state, text);
    if (size != 0 && reserve(slot, size + 3) != nullptr) {
      out = put_field(slot.record + slot.used, kTraceState, {text, size});
      slot.used = static_cast<std::uint32_t>(out - slot.record);
    }
  }
  slot.name_size = 0;
  slot.name_at = static_cast<std::uint16_t>(slot.used);
  if (name.size() - 1 < kShort && name.size() <= value_bytes &&
      slot.capacity - slot.used >= kShort + 2) [[likely]] {
    out = slot.record + slot.used;
    if ((copy_short(out + 2, name.data(), name.size()) & kHighBits) == 0) [[likely]] {
      out[0] = length_tag(kName);
      out[1] = static_cast<char>(name.size());
      slot.name_size = static_cast<std::uint16_t>(name.size() + 2);
      slot.used += slot.name_size;
      return;
    }
  }
  put_name(slot, name, value_bytes);
}

void put_name(SpanSlot& slot, std::string_view name, std::uint32_t value_bytes) noexcept {
  const Text text(name, std::min<std::size_t>(value_bytes, 4096));
  const std::size_t size = text_field_size(text);
  if (reserve(slot, size) == nullptr) return;  // keeps the former name
  if (slot.name_size != 0) erase(slot, slot.name_at, slot.name_size);
  slot.name_at = static_cast<std::uint16_t>(slot.used);
  slot.name_size = static_cast<std::uint16_t>(size);
  put_text_field(slot.record + slot.used, kName, text);
  slot.used += static_cast<std::uint32_t>(size);
}

void put_attribute(SpanSlot& slot, const SpanLimits& limits, std::string_view key,
                   const AttributeValue& value) noexcept {
  if (put_short_attribute(slot, limits, key, value)) [[likely]] {
    return;
  }
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

void put_event(SpanSlot& slot, const SpanLimits& limits, std::int64_t time_ns,
               std::string_view name, Attributes attributes) noexcept {
  const Text text(name, limits.value_bytes);
  AttributeList list(kEventAttributes, attributes, limits.attributes_per_event, limits.value_bytes);
  const std::size_t size =
      9 + text_field_size(text) + list.size() + count_field_size(list.dropped());
  char* out = slot.events < limits.events ? reserve(slot, 1 + varint_size(size) + size) : nullptr;
  if (out == nullptr) {
    ++slot.dropped_events;
    return;
  }
  ++slot.events;
  *out++ = length_tag(kEvents);
  out = put_varint(out, size);
  *out++ = static_cast<char>(tag(kEventTime, WireType::fixed64));
  out = otlp::put_fixed64(out, static_cast<std::uint64_t>(time_ns));
  out = put_text_field(out, kEventName, text);
  out = list.put(out);
  out = put_count(out, kEventDropped, list.dropped());
  slot.used = static_cast<std::uint32_t>(out - slot.record);
}

void put_link(SpanSlot& slot, const SpanLimits& limits, const SpanContext& target,
              Attributes attributes) noexcept {
  if (!target.is_valid()) return;
  char state[sdk::kMaxTraceStateBytes];
  const std::size_t state_size = sdk::tracestates().read(target.tracestate, state);
  AttributeList list(kLinkAttributes, attributes, limits.attributes_per_link, limits.value_bytes);
  const std::size_t size = 18 + 10 +
                           (state_size != 0 ? 1 + varint_size(state_size) + state_size : 0) +
                           list.size() + count_field_size(list.dropped()) + 5;
  char* out = slot.links < limits.links ? reserve(slot, 1 + varint_size(size) + size) : nullptr;
  if (out == nullptr) {
    ++slot.dropped_links;
    return;
  }
  ++slot.links;
  *out++ = length_tag(kLinks);
  out = put_varint(out, size);
  out = put_id(out, kTraceId, target.trace_id);
  out = put_id(out, kSpanId, target.span_id);
  if (state_size != 0) out = put_field(out, kLinkState, {state, state_size});
  out = list.put(out);
  out = put_count(out, kLinkDropped, list.dropped());
  *out++ = static_cast<char>(tag(kLinkFlags, WireType::fixed32));
  out = otlp::put_fixed32(out, target.flags | 0x100U | (target.remote ? 0x200U : 0U));
  slot.used = static_cast<std::uint32_t>(out - slot.record);
}

void put_status(SpanSlot& slot, StatusCode code, std::string_view description,
                std::uint32_t value_bytes) noexcept {
  if (code == StatusCode::unset || slot.status == StatusCode::ok) return;
  if (code == StatusCode::ok) description = {};
  Text text(description, value_bytes);
  std::size_t message = text.size != 0 ? text_field_size(text) : 0;
  std::size_t size = message + 2;
  if (reserve(slot, 1 + varint_size(size) + size) == nullptr) {
    message = 0;  // at least the code; its four bytes are within the reserve of a full record
    size = 2;
    if (reserve(slot, 1 + varint_size(size) + size) == nullptr) return;
  }
  if (slot.status_size != 0) erase(slot, slot.status_at, slot.status_size);
  slot.status = code;
  slot.status_at = static_cast<std::uint16_t>(slot.used);
  char* out = slot.record + slot.used;
  *out++ = length_tag(kStatus);
  out = put_varint(out, size);
  if (message != 0) out = put_text_field(out, kMessage, text);
  *out++ = static_cast<char>(tag(kCode, WireType::varint));
  *out++ = static_cast<char>(code);
  slot.used = static_cast<std::uint32_t>(out - slot.record);
  slot.status_size = static_cast<std::uint16_t>(slot.used - slot.status_at);
}

namespace {

// kind, two times and flags, which every span has.
constexpr std::size_t kFixedTail = 2 + 9 + 9 + 6;

std::size_t content_size(const SpanSlot& slot) noexcept {
  return slot.used + kFixedTail + count_field_size(slot.dropped_attributes) +
         count_field_size(slot.dropped_events) + count_field_size(slot.dropped_links);
}

}  // namespace

std::size_t finished_size(const SpanSlot& slot) noexcept {
  const std::size_t content = content_size(slot);
  return 1 + varint_size(content) + content;
}

char* finish_record(const SpanSlot& slot, const SpanTail& tail, char* out) noexcept {
  constexpr std::uint32_t kSpans = 2;  // of ScopeSpans
  *out++ = length_tag(kSpans);
  out = put_varint(out, content_size(slot));
  std::memcpy(out, slot.record, slot.used);
  out += slot.used;
  *out++ = static_cast<char>(tag(kKind, WireType::varint));
  *out++ = static_cast<char>(slot.kind);
  *out++ = static_cast<char>(tag(kStartTime, WireType::fixed64));
  out = otlp::put_fixed64(out, static_cast<std::uint64_t>(tail.start_ns));
  *out++ = static_cast<char>(tag(kEndTime, WireType::fixed64));
  out = otlp::put_fixed64(out, static_cast<std::uint64_t>(tail.end_ns));
  out = put_varint(out, tag(kFlags, WireType::fixed32));
  out = otlp::put_fixed32(out, slot.otlp_flags);
  out = put_count(out, kDroppedAttributes, slot.dropped_attributes);
  out = put_count(out, kDroppedEvents, slot.dropped_events);
  return put_count(out, kDroppedLinks, slot.dropped_links);
}

void release_record(SpanSlot& slot) noexcept {
  if (slot.record != slot.inline_record) give_overflow(slot.record, slot.capacity);
  slot.record = slot.inline_record;
  slot.capacity = SpanSlot::kInline;
}

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail

#endif
