#pragma once

// Builds trace requests for tests, field by field, as a sender would.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/otlp/encode.hpp"
#include "alphaswarm/otlp/views.hpp"

namespace alphaswarm::testing {

[[nodiscard]] inline std::string_view id_bytes(const auto& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

// Ids with a number in their last bytes, so that failures can be read.
[[nodiscard]] inline TraceId trace_id(std::uint32_t number) {
  TraceId id{};
  id.bytes[0] = 0xaa;
  for (int i = 0; i < 4; ++i) id.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return id;
}
[[nodiscard]] inline SpanId span_id(std::uint32_t number) {
  SpanId id{};
  id.bytes[0] = 0xbb;
  for (int i = 0; i < 4; ++i) id.bytes[7 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return id;
}

struct SpanSpec {
  TraceId trace = trace_id(1);
  SpanId id = span_id(1);
  SpanId parent{};
  std::string name = "work";
  otlp::SpanKind kind = otlp::SpanKind::internal;
  std::uint64_t start_ns = 1'000'000'000;
  std::uint64_t duration_ns = 1'000;
  otlp::StatusCode status = otlp::StatusCode::unset;
  std::string message{};
  std::vector<std::string> attributes{};  // encoded KeyValues: text(), integer(), …
  std::vector<std::string> events{};      // encoded Events: event()
  std::vector<std::string> links{};       // encoded Links
};

[[nodiscard]] inline std::string text(std::string_view key, std::string_view value) {
  return otlp::string_key_value(key, value);
}
[[nodiscard]] inline std::string integer(std::string_view key, std::int64_t value) {
  return otlp::integer_key_value(key, value);
}
// `field` of AnyValue: 2 bool, 3 int.
[[nodiscard]] inline std::string boolean(std::string_view key, bool value) {
  otlp::MessageWriter any;
  any.varint(2, value ? 1 : 0);
  return otlp::MessageWriter().bytes(1, key).bytes(2, any.str()).str();
}
[[nodiscard]] inline std::string real(std::string_view key, double value) {
  otlp::MessageWriter any;
  any.number(4, value);
  return otlp::MessageWriter().bytes(1, key).bytes(2, any.str()).str();
}
[[nodiscard]] inline std::string event(std::string_view name, std::uint64_t time_ns,
                                       const std::vector<std::string>& attributes = {}) {
  otlp::MessageWriter out;
  out.fixed64(1, time_ns).bytes(2, name);
  for (const std::string& attribute : attributes) out.bytes(3, attribute);
  return out.str();
}
[[nodiscard]] inline std::string link(const TraceId& trace, const SpanId& span) {
  return otlp::MessageWriter().bytes(1, id_bytes(trace)).bytes(2, id_bytes(span)).str();
}

[[nodiscard]] inline std::string encode(const SpanSpec& span) {
  otlp::MessageWriter out;
  out.bytes(1, id_bytes(span.trace)).bytes(2, id_bytes(span.id));
  if (span.parent.is_valid()) out.bytes(4, id_bytes(span.parent));
  out.bytes(5, span.name).varint(6, static_cast<std::uint64_t>(span.kind));
  out.fixed64(7, span.start_ns).fixed64(8, span.start_ns + span.duration_ns);
  for (const std::string& attribute : span.attributes) out.bytes(9, attribute);
  for (const std::string& one : span.events) out.bytes(11, one);
  for (const std::string& one : span.links) out.bytes(13, one);
  if (span.status != otlp::StatusCode::unset || !span.message.empty()) {
    otlp::MessageWriter status;
    status.bytes(2, span.message).varint(3, static_cast<std::uint64_t>(span.status));
    out.bytes(15, status.str());
  }
  return out.str();
}

// One ResourceSpans with one scope, as a complete request; requests may be concatenated.
[[nodiscard]] inline std::string request(std::string_view service,
                                         const std::vector<SpanSpec>& spans) {
  otlp::MessageWriter resource;
  resource.bytes(1, text("service.name", service)).bytes(1, text("host.name", "test"));
  otlp::MessageWriter scope;
  scope.bytes(1, "tests").bytes(2, "1.0");
  otlp::MessageWriter scope_spans;
  scope_spans.bytes(1, scope.str());
  for (const SpanSpec& span : spans) scope_spans.bytes(2, encode(span));
  otlp::MessageWriter resource_spans;
  resource_spans.bytes(1, resource.str()).bytes(2, scope_spans.str());
  return otlp::MessageWriter().bytes(1, resource_spans.str()).str();
}

[[nodiscard]] inline otlp::TraceBatch batch(std::string_view service,
                                            const std::vector<SpanSpec>& spans) {
  return otlp::parse_trace_request(SharedBytes(request(service, spans))).value();
}

}  // namespace alphaswarm::testing
