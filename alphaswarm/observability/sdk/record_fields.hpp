#pragma once

// The parts that the files writing records share: field numbers, small writers, room.

#include <cstdint>
#include <cstring>
#include <string_view>

#include "alphaswarm/observability/sdk/attribute_writer.hpp"
#include "alphaswarm/observability/sdk/span_slot.hpp"
#include "alphaswarm/otlp/encode.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {

using otlp::put_varint;
using otlp::tag;
using otlp::varint_size;
using otlp::WireType;
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

inline char* put_field(char* out, std::uint32_t field, std::string_view bytes) noexcept {
  *out++ = length_tag(field);
  return otlp::put_bytes(put_varint(out, bytes.size()), bytes);
}

template <class Id>
inline char* put_id(char* out, std::uint32_t field, const Id& id) noexcept {
  *out++ = length_tag(field);
  *out++ = static_cast<char>(id.bytes.size());
  std::memcpy(out, id.bytes.data(), id.bytes.size());
  return out + id.bytes.size();
}

inline char* put_id_word(char* out, std::uint32_t field, std::uint64_t id) noexcept {
  *out++ = length_tag(field);
  *out++ = 8;
  std::memcpy(out, &id, 8);
  return out + 8;
}

inline char* put_text_field(char* out, std::uint32_t field, const Text& text) noexcept {
  *out++ = length_tag(field);
  return sdk::put_text(put_varint(out, text.size), text);
}

inline std::size_t text_field_size(const Text& text) noexcept {
  return 1 + varint_size(text.size) + text.size;
}

inline std::size_t count_field_size(std::uint32_t count) noexcept {
  return count == 0 ? 0 : 1 + varint_size(count);
}
inline char* put_count(char* out, std::uint32_t field, std::uint32_t count) noexcept {
  if (count == 0) return out;
  *out++ = static_cast<char>(tag(field, WireType::varint));
  return put_varint(out, count);
}

// The first and the last eight bytes of a text, or what it has of them; the same for equal texts.
struct TextEnds {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

// Copies 1 to 64 bytes. `seen` is the OR of all of them, to tell whether they are ASCII.
struct ShortCopy {
  TextEnds ends;
  std::uint64_t seen;
};
[[gnu::always_inline]] inline ShortCopy copy_short(char* out, const char* from,
                                                   std::size_t size) noexcept {
  const auto move = [&]<class Word>(Word, std::size_t at) {
    Word word = 0;
    std::memcpy(&word, from + at, sizeof word);
    std::memcpy(out + at, &word, sizeof word);
    return static_cast<std::uint64_t>(word);
  };
  if (size >= 8) {
    const std::uint64_t first = move(std::uint64_t{}, 0);
    const std::uint64_t last = move(std::uint64_t{}, size - 8);
    std::uint64_t seen = first | last;
    for (std::size_t at = 8; at + 8 < size; at += 8) seen |= move(std::uint64_t{}, at);
    return {{first, last}, seen};
  }
  if (size >= 4) {
    const std::uint64_t first = move(std::uint32_t{}, 0);
    const std::uint64_t last = move(std::uint32_t{}, size - 4);
    return {{first, last}, first | last};
  }
  const std::uint64_t first = move(std::uint8_t{}, 0);
  const std::uint64_t middle = move(std::uint8_t{}, size / 2);
  const std::uint64_t last = move(std::uint8_t{}, size - 1);
  return {{first | middle << 8U, last}, first | middle | last};
}

constexpr std::uint64_t kHighBits = 0x8080808080808080U;
constexpr std::size_t kShort = 48;  // of key and text: the whole attribute stays below 128 bytes

// Room for `size` more bytes at the end, moving the record to a larger chunk where needed. Null:
// there is none.
[[nodiscard]] char* reserve_more(SpanSlot& slot, std::size_t size) noexcept;
[[nodiscard]] inline char* reserve(SpanSlot& slot, std::size_t size) noexcept {
  if (slot.used + size <= slot.capacity) [[likely]] {
    return slot.record + slot.used;
  }
  return reserve_more(slot, size);
}

// Takes out the bytes [at, at + size) and mends what points behind them.
void erase(SpanSlot& slot, std::size_t at, std::size_t size) noexcept;

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail
