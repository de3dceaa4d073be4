#include "alphaswarm/observability/api/propagation.hpp"

#if ALPHASWARM_OTEL

#include <cstring>

#include "alphaswarm/observability/sdk/tracestate_table.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE {
namespace {

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;  // upper case is malformed here
  return -1;
}

template <class Bytes>
bool read_hex(std::string_view hex, Bytes& out) {
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = nibble(hex[i]);
    const int low = nibble(hex[i + 1]);
    if (high < 0 || low < 0) return false;
    out[i / 2] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return true;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<SpanContext> extract_traceparent(std::string_view traceparent,
                                               std::string_view tracestate) {
  const std::string_view text = trim(traceparent);
  if (text.size() < kTraceparentBytes) return {};
  if (text[2] != '-' || text[35] != '-' || text[52] != '-') return {};
  std::array<std::uint8_t, 1> version{};
  std::array<std::uint8_t, 1> flags{};
  SpanContext context;
  if (!read_hex(text.substr(0, 2), version) ||
      !read_hex(text.substr(3, 32), context.trace_id.bytes) ||
      !read_hex(text.substr(36, 16), context.span_id.bytes) ||
      !read_hex(text.substr(53, 2), flags)) {
    return {};
  }
  if (version[0] == 0xff || !context.is_valid()) return {};
  // A later version may carry more behind another dash; version 00 may not.
  if (text.size() > kTraceparentBytes && (version[0] == 0 || text[kTraceparentBytes] != '-'))
    return {};
  context.flags = flags[0] & (SpanContext::kSampled | SpanContext::kRandom);
  context.remote = true;
  if (!tracestate.empty()) {
    context.tracestate = sdk::tracestates().intern(sdk::normalise_tracestate(tracestate));
  }
  return context;
}

void write_traceparent(const SpanContext& context, char* out) noexcept {
  std::memcpy(out, "00-", 3);
  alphaswarm::detail::write_hex(context.trace_id.bytes.data(), 16, out + 3);
  out[35] = '-';
  alphaswarm::detail::write_hex(context.span_id.bytes.data(), 8, out + 36);
  out[52] = '-';
  alphaswarm::detail::write_hex(&context.flags, 1, out + 53);
}

std::string to_traceparent(const SpanContext& context) {
  if (!context.is_valid()) return {};
  char text[kTraceparentBytes];
  write_traceparent(context, text);
  return {text, sizeof text};
}

std::string to_tracestate(const SpanContext& context) {
  char text[sdk::kMaxTraceStateBytes];
  return {text, sdk::tracestates().read(context.tracestate, text)};
}

std::string to_traceresponse(const SpanContext& context) { return to_traceparent(context); }

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE

#endif
