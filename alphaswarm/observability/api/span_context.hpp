#pragma once

// What identifies a span across processes.

#include <cstdint>

#include "alphaswarm/base/ids.hpp"

namespace alphaswarm::observability {

// A handle to the W3C tracestate kept in a bounded table of the process; 0 is the empty one. When
// more distinct ones are alive than the table holds, the oldest are forgotten and read as empty.
struct TraceState {
  std::uint32_t handle = 0;
  friend bool operator==(const TraceState&, const TraceState&) = default;
};

struct SpanContext {
  static constexpr std::uint8_t kSampled = 0x01;
  static constexpr std::uint8_t kRandom =
      0x02;  // W3C level 2: the trace id's low 56 bits are random

  TraceId trace_id;
  SpanId span_id;
  std::uint8_t flags = 0;
  bool remote = false;  // came from another process
  TraceState tracestate;

  [[nodiscard]] bool is_valid() const noexcept { return trace_id.is_valid() && span_id.is_valid(); }
  [[nodiscard]] bool sampled() const noexcept { return (flags & kSampled) != 0; }
};

enum class SpanKind : std::uint8_t {  // the numbers of OTLP
  unspecified = 0,
  internal = 1,
  server = 2,
  client = 3,
  producer = 4,
  consumer = 5,
};

enum class StatusCode : std::uint8_t { unset = 0, ok = 1, error = 2 };  // the numbers of OTLP

}  // namespace alphaswarm::observability
