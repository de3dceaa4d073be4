#pragma once

// W3C trace context (https://www.w3.org/TR/trace-context-2/): strict parser and writers.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "alphaswarm/observability/api/span_context.hpp"
#include "alphaswarm/observability/api/switch.hpp"

namespace alphaswarm::observability {
inline namespace ALPHASWARM_OTEL_NAMESPACE {

inline constexpr std::size_t kTraceparentBytes = 55;

#if ALPHASWARM_OTEL

// nullopt unless `traceparent` is well-formed: lower-case hex, version not ff, ids not zero, and
// nothing behind version 00. A malformed `tracestate` is dropped alone; at most 32 members and 512
// bytes of it are kept (long members go first, then the last ones), as the recommendation says.
[[nodiscard]] std::optional<SpanContext> extract_traceparent(std::string_view traceparent,
                                                             std::string_view tracestate = {});

// "00-<trace id>-<span id>-<flags>"; empty for an invalid context.
[[nodiscard]] std::string to_traceparent(const SpanContext& context);
// The tracestate header's value; empty if there is none.
[[nodiscard]] std::string to_tracestate(const SpanContext& context);
// The traceresponse header a server returns: the form of traceparent.
[[nodiscard]] std::string to_traceresponse(const SpanContext& context);
// The same without a string: kTraceparentBytes at `out`, of a context that is valid.
void write_traceparent(const SpanContext& context, char* out) noexcept;

#else

[[nodiscard]] inline std::optional<SpanContext> extract_traceparent(std::string_view,
                                                                    std::string_view = {}) {
  return std::nullopt;
}
[[nodiscard]] inline std::string to_traceparent(const SpanContext&) { return {}; }
[[nodiscard]] inline std::string to_tracestate(const SpanContext&) { return {}; }
[[nodiscard]] inline std::string to_traceresponse(const SpanContext&) { return {}; }
inline void write_traceparent(const SpanContext&, char*) noexcept {}

#endif

}  // namespace ALPHASWARM_OTEL_NAMESPACE
}  // namespace alphaswarm::observability
