#include "alphaswarm/observability/export/console.hpp"

#include <cstdio>
#include <string>

#include "alphaswarm/otlp/views.hpp"

namespace alphaswarm::observability {
namespace {

std::string duration_text(std::uint64_t ns) {
  char text[32];
  if (ns < 1'000) {
    std::snprintf(text, sizeof text, "%llu ns", static_cast<unsigned long long>(ns));
  } else if (ns < 1'000'000) {
    std::snprintf(text, sizeof text, "%.1f µs", static_cast<double>(ns) / 1e3);
  } else if (ns < 1'000'000'000) {
    std::snprintf(text, sizeof text, "%.1f ms", static_cast<double>(ns) / 1e6);
  } else {
    std::snprintf(text, sizeof text, "%.3f s", static_cast<double>(ns) / 1e9);
  }
  return text;
}

}  // namespace

SinkResult ConsoleSink::send(const Batch& batch, std::chrono::milliseconds) {
  const auto parsed = otlp::parse_trace_request(SharedBytes(std::string(batch.request)));
  if (!parsed) return {.status = SinkResult::rejected, .message = parsed.error().message};
  std::string text;
  for (const otlp::SpanView& span : parsed->spans) {
    text.append("span ").append(parsed->resource_of(span).service_name).append(" \"");
    text.append(span.name).append("\" ").append(otlp::to_string(span.kind)).append(" ");
    text.append(duration_text(span.duration_ns())).append(" ");
    text.append(otlp::to_string(span.status)).append(" trace=").append(span.trace_id.to_hex());
    text.append(" span=").append(span.span_id.to_hex());
    if (span.parent_span_id.is_valid())
      text.append(" parent=").append(span.parent_span_id.to_hex());
    for (const otlp::KeyValueView pair : span.attributes()) {
      text.append(" ").append(pair.key()).append("=").append(otlp::to_text(pair.value()));
    }
    for (const otlp::EventView event : span.events()) {
      text.append(" [").append(event.name).append("]");
    }
    text += '\n';
  }
  std::fwrite(text.data(), 1, text.size(), stderr);
  return {};
}

}  // namespace alphaswarm::observability
