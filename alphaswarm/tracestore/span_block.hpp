#pragma once

// What the store keeps of one trace out of one batch: the spans' own bytes, packed, and a compact
// record for each, so that most questions are answered without decoding a span.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/otlp/views.hpp"

namespace alphaswarm::tracestore {

// Spreads all bits of a key over all bits of the result, differently in each process, so that ids
// that count up (or are chosen to) do not pile up in one place of a hash table.
[[nodiscard]] std::uint64_t spread(std::uint64_t key) noexcept;
[[nodiscard]] std::uint64_t spread(const TraceId& id) noexcept;
[[nodiscard]] std::uint64_t spread(const SpanId& id) noexcept;

// A Resource or InstrumentationScope message. Shared by all blocks whose sender is the same.
struct Resource {
  std::string encoded;
  std::string service;  // service.name; "unknown_service" without one, as OpenTelemetry says
  std::string schema_url;
  [[nodiscard]] otlp::AttributeRange attributes() const noexcept { return {encoded, 1}; }
};
struct Scope {
  std::string encoded;
  std::string name;
  std::string version;
  std::string schema_url;
  [[nodiscard]] otlp::AttributeRange attributes() const noexcept { return {encoded, 3}; }
};
struct Origin {
  std::shared_ptr<const Resource> resource;
  std::shared_ptr<const Scope> scope;
};

struct SpanRecord {
  SpanId id;
  SpanId parent;               // all zero: a root
  std::uint64_t start_ns = 0;  // Unix
  std::uint64_t duration_ns = 0;
  std::uint32_t offset = 0;  // of the Span message in SpanBlock::bytes
  std::uint32_t size = 0;
  std::uint32_t operation = 0;    // index into SpanBlock::operations
  std::uint32_t origin = 0;       // index into SpanBlock::origins
  std::uint16_t event_count = 0;  // stays at 65535 when there are more
  otlp::StatusCode status = otlp::StatusCode::unset;
  bool open = false;

  [[nodiscard]] std::uint64_t end_ns() const noexcept { return start_ns + duration_ns; }
  [[nodiscard]] bool failed() const noexcept { return status == otlp::StatusCode::error; }
};

// Counts over the whole store by service, name and kind.
struct OperationStats {
  std::string service;
  std::string name;
  otlp::SpanKind kind = otlp::SpanKind::unspecified;
  std::uint64_t spans = 0;
  std::uint64_t errors = 0;
};

struct BlockOperation {
  std::string_view service;  // into the block's resources
  std::string_view name;     // into the block's bytes
  otlp::SpanKind kind = otlp::SpanKind::unspecified;
  std::uint32_t spans = 0;
  std::uint32_t errors = 0;
  OperationStats* catalog = nullptr;  // the store's, only under its lock
};

// Immutable once the store has it; shared between the store and its readers, so that a trace that
// is evicted while someone reads it stays whole for that reader.
struct SpanBlock {
  TraceId trace_id;
  std::vector<SpanRecord> records;  // in the order received
  std::vector<BlockOperation> operations;
  std::vector<Origin> origins;
  std::string bytes;
  std::uint64_t min_start_ns = UINT64_MAX;
  std::uint64_t max_end_ns = 0;
  std::uint64_t max_duration_ns = 0;

  [[nodiscard]] std::string_view encoded(const SpanRecord& record) const noexcept {
    return std::string_view(bytes).substr(record.offset, record.size);
  }
  [[nodiscard]] otlp::SpanView view(const SpanRecord& record) const noexcept {
    otlp::SpanView span = otlp::view_span(encoded(record));
    span.open = record.open;
    return span;
  }
  [[nodiscard]] const BlockOperation& operation(const SpanRecord& record) const noexcept {
    return operations[record.operation];
  }
  [[nodiscard]] const Origin& origin(const SpanRecord& record) const noexcept {
    return origins[record.origin];
  }
  // Heap bytes, without the shared origins.
  [[nodiscard]] std::size_t memory() const noexcept;
};

using BlockPtr = std::shared_ptr<const SpanBlock>;

// One trace as it was at one moment.
struct StoredTrace {
  TraceId id;
  std::vector<BlockPtr> blocks;
};

}  // namespace alphaswarm::tracestore
