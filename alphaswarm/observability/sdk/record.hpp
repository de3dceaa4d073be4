#pragma once

// Writing into an open span's record. The caller owns the slot (see span_slot.hpp).

#include <cstdint>
#include <string_view>

#include "alphaswarm/observability/api/config.hpp"
#include "alphaswarm/observability/sdk/span_slot.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {

// Everything of a span beyond this is dropped and counted: a finished span must fit a chunk.
inline constexpr std::size_t kMaxRecordBytes = 65'536 - 512;

// The part of begin_record() that is rarely needed: tracestate, and names of any kind.
void begin_rest(SpanSlot& slot, const ContextWords& own, std::string_view name,
                std::uint32_t value_bytes) noexcept;
void put_attribute(SpanSlot& slot, const SpanLimits& limits, std::string_view key,
                   const AttributeValue& value) noexcept;
void put_event(SpanSlot& slot, const SpanLimits& limits, std::int64_t time_ns,
               std::string_view name, Attributes attributes) noexcept;
void put_link(SpanSlot& slot, const SpanLimits& limits, const SpanContext& target,
              Attributes attributes) noexcept;
void put_status(SpanSlot& slot, StatusCode code, std::string_view description,
                std::uint32_t value_bytes) noexcept;
void put_name(SpanSlot& slot, std::string_view name, std::uint32_t value_bytes) noexcept;

// The finished span as the field `ScopeSpans.spans`, behind the mark of its scope if it has one.
struct SpanTail {
  std::int64_t start_ns;
  std::int64_t end_ns;
};
[[nodiscard]] std::size_t finished_size(const SpanSlot& slot) noexcept;  // at most
// Writes at most finished_size() bytes at `out`; returns the end.
char* finish_record(const SpanSlot& slot, const SpanTail& tail, char* out) noexcept;

// Gives back what the record took beyond the slot.
void release_record(SpanSlot& slot) noexcept;

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail
