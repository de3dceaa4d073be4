#pragma once

// One validating pass over an ExportTraceServiceRequest makes a table of views into its bytes:
// nothing is copied, and whoever works on spans later (processors, store, exporters) needs no
// second parse. Field numbers: opentelemetry-proto v1.x, trace/v1/trace.proto.

#include <cstdint>
#include <string_view>
#include <vector>

#include "alphaswarm/base/bytes.hpp"
#include "alphaswarm/base/error.hpp"
#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/otlp/any_value.hpp"

namespace alphaswarm::otlp {

enum class SpanKind : std::uint8_t { unspecified, internal, server, client, producer, consumer };
enum class StatusCode : std::uint8_t { unset, ok, error };

// "internal", "server", …; "unspecified" for values OTLP does not know.
[[nodiscard]] std::string_view to_string(SpanKind kind) noexcept;
[[nodiscard]] std::string_view to_string(StatusCode code) noexcept;

// Our SDK sets it on spans that were still open when their process shut down.
inline constexpr std::string_view kOpenSpanKey = "alphaswarm.span.open";

class EventView {
 public:
  explicit EventView(std::string_view encoded) noexcept;
  std::string_view name;
  std::uint64_t time_ns = 0;  // Unix
  std::uint32_t dropped_attributes = 0;
  [[nodiscard]] AttributeRange attributes() const noexcept { return {encoded_, 3}; }

 private:
  std::string_view encoded_;
};

class LinkView {
 public:
  explicit LinkView(std::string_view encoded) noexcept;
  TraceId trace_id;
  SpanId span_id;
  std::string_view trace_state;
  std::uint32_t flags = 0;
  std::uint32_t dropped_attributes = 0;
  [[nodiscard]] AttributeRange attributes() const noexcept { return {encoded_, 4}; }

 private:
  std::string_view encoded_;
};

struct SpanView {
  TraceId trace_id;
  SpanId span_id;
  SpanId parent_span_id;       // all zero: a root
  std::uint64_t start_ns = 0;  // Unix
  std::uint64_t end_ns = 0;    // Unix; may be before the start if the sender's clock was set
  std::string_view name;
  std::string_view trace_state;
  std::string_view status_message;
  std::string_view encoded;  // the whole Span message
  std::uint32_t flags = 0;   // W3C trace flags, 0x100 and 0x200: see trace.proto
  std::uint32_t scope = 0;   // index into TraceBatch::scopes
  std::uint32_t event_count = 0;
  std::uint32_t link_count = 0;
  std::uint32_t dropped_attributes = 0;
  std::uint32_t dropped_events = 0;
  std::uint32_t dropped_links = 0;
  SpanKind kind = SpanKind::unspecified;
  StatusCode status = StatusCode::unset;
  bool open = false;  // carries kOpenSpanKey = true

  [[nodiscard]] AttributeRange attributes() const noexcept { return {encoded, 9}; }
  [[nodiscard]] MessageRange<EventView> events() const noexcept { return {encoded, 11}; }
  [[nodiscard]] MessageRange<LinkView> links() const noexcept { return {encoded, 13}; }
  // Never negative.
  [[nodiscard]] std::uint64_t duration_ns() const noexcept {
    return end_ns > start_ns ? end_ns - start_ns : 0;
  }
};

struct ScopeView {
  std::string_view encoded;  // the InstrumentationScope message, may be empty
  std::string_view name;
  std::string_view version;
  std::string_view schema_url;
  std::uint32_t resource = 0;  // index into TraceBatch::resources
  [[nodiscard]] AttributeRange attributes() const noexcept { return {encoded, 3}; }
};

struct ResourceView {
  std::string_view encoded;       // the Resource message, may be empty
  std::string_view service_name;  // attribute service.name, "" without one
  std::string_view schema_url;
  [[nodiscard]] AttributeRange attributes() const noexcept { return {encoded, 1}; }
};

// The views point into `bytes` and live as long as it does.
struct TraceBatch {
  SharedBytes bytes;
  std::vector<ResourceView> resources;
  std::vector<ScopeView> scopes;
  std::vector<SpanView> spans;
  // Spans without a trace id or span id: not in `spans`; OTLP calls that partial success.
  std::uint32_t rejected_spans = 0;

  [[nodiscard]] const ResourceView& resource_of(const SpanView& span) const noexcept {
    return resources[scopes[span.scope].resource];
  }
};

inline constexpr unsigned kMaxValueDepth = 32;  // arrays and maps within one attribute's value

// Any thread. Errors are ErrorCode::invalid_argument and say what is wrong at which byte.
// Accepts fields in any order and repeated submessages (the last resource or scope wins); skips
// unknown fields; does not check UTF-8 (writers of JSON replace what is not).
[[nodiscard]] Result<TraceBatch> parse_trace_request(SharedBytes request);

// The view of one Span message that passed parse_trace_request before; `scope` is left 0 and `open`
// false: whoever keeps spans keeps those beside the bytes.
[[nodiscard]] SpanView view_span(std::string_view encoded) noexcept;

}  // namespace alphaswarm::otlp
