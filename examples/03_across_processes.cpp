// A trace goes on in another process by two headers, as the W3C recommendation has them.

#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "alphaswarm/observability/api/propagation.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/tracing.hpp"

namespace otel = alphaswarm::observability;

namespace {

using Headers = std::map<std::string, std::string>;

Headers call() {
  const auto span = otel::span("GET /quote", {.kind = otel::SpanKind::client});
  return {{"traceparent", otel::to_traceparent(span.context())},
          {"tracestate", otel::to_tracestate(span.context())}};
}

void serve(const Headers& headers) {
  const auto parent =
      otel::extract_traceparent(headers.at("traceparent"), headers.at("tracestate"));
  const auto span = otel::span(
      "GET /quote", {.kind = otel::SpanKind::server, .parent = parent ? &*parent : nullptr});
}

}  // namespace

int main() {
  const auto memory = std::make_shared<otel::MemorySink>();
  auto tracing = otel::configure_tracing(otel::Config{.service_name = "both", .sink = memory});
  if (!tracing) return 1;
  serve(call());
  tracing.force_flush();
  const auto spans = memory->spans();
  const bool same = spans.size() == 2 && spans[0].trace_id == spans[1].trace_id &&
                    spans[1].parent_id == spans[0].span_id;
  std::printf("same trace: %s\n", same ? "yes" : "no");
  return 0;
}
