#include "alphaswarm/observability/sdk/record.hpp"

#if ALPHASWARM_OTEL

#include <algorithm>

#include "alphaswarm/observability/sdk/chunk_pool.hpp"
#include "alphaswarm/observability/sdk/record_fields.hpp"
#include "alphaswarm/observability/sdk/record_hot.hpp"
#include "alphaswarm/observability/sdk/scope_table.hpp"
#include "alphaswarm/observability/sdk/tracestate_table.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {
namespace {

using sdk::ChunkPool;

void give_overflow(char* record, std::uint32_t capacity) noexcept {
  if (capacity == ChunkPool::kSmallBytes) {
    sdk::chunk_pool().give_small(record);
  } else {
    sdk::chunk_pool().give_block(record);
  }
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

}  // namespace

char* reserve_more(SpanSlot& slot, std::size_t size) noexcept {
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

void begin_rest(SpanSlot& slot, const ContextWords& own, std::string_view name,
                std::uint32_t value_bytes) noexcept {
  if (const TraceState state = own.tracestate(); state.handle != 0) {
    char text[sdk::kMaxTraceStateBytes];
    const std::size_t size = sdk::tracestates().read(state, text);
    if (size != 0 && reserve(slot, size + 3) != nullptr) {
      const char* end = put_field(slot.record + slot.used, kTraceState, {text, size});
      slot.used = static_cast<std::uint32_t>(end - slot.record);
    }
  }
  slot.name_at = static_cast<std::uint16_t>(slot.used);
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

std::size_t content_size(const SpanSlot& slot) noexcept {
  return slot.used + kFixedTail + count_field_size(slot.dropped_attributes) +
         count_field_size(slot.dropped_events) + count_field_size(slot.dropped_links);
}

}  // namespace

std::size_t finished_size(const SpanSlot& slot) noexcept {
  const std::size_t content = content_size(slot);
  const std::size_t mark = slot.scope != 0 ? sdk::kScopeMarkBytes + kCopySlack : 0;
  return mark + 1 + varint_size(content) + content;
}

char* finish_record(const SpanSlot& slot, const SpanTail& tail, char* out) noexcept {
  constexpr std::uint32_t kSpans = 2;  // of ScopeSpans
  if (slot.scope != 0) {
    out = sdk::put_scope_mark(out, slot.scope);
    if (fits_short_record(slot)) return finish_short_record(slot, tail, out);
  }
  *out++ = length_tag(kSpans);
  out = put_varint(out, content_size(slot));
  std::memcpy(out, slot.record, slot.used);
  out += slot.used;
  out = put_fixed_tail(out, slot, tail);
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
