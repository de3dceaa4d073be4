// How a trace goes on in another process: see "Manual spans" in observability.md.

#include <alphaswarm/observability/api/propagators.hpp>
#include <alphaswarm/observability/api/provider.hpp>
#include <alphaswarm/observability/export/memory.hpp>
#include <alphaswarm/observability/tracing.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <string>

namespace otel = alphaswarm::observability;

namespace {

using Headers = std::map<std::string, std::string, std::less<>>;

Headers call() {
  otel::Baggage baggage;
  baggage.set("tenant", "desk-7");
  const otel::BaggageScope scope(baggage);
  // [inject]
  auto span = otel::span("GET /quote", {.kind = otel::SpanKind::client});
  Headers headers;
  otel::HeadersOut out(
      [&](std::string_view name, std::string_view value) { headers[std::string(name)] = value; });
  otel::inject(span.context(),
               out);  // traceparent, tracestate, baggage, or what OTEL_PROPAGATORS says
  // [/inject]
  return headers;
}

void serve(const Headers& headers) {
  // [extract]
  otel::HeadersIn in([&](std::string_view name) {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  });
  const otel::Extracted from = otel::extract(in);
  const otel::BaggageScope baggage(from.baggage);
  auto span = otel::span("GET /quote", {.kind = otel::SpanKind::server, .parent = &from.parent});
  // [/extract]
  if (const std::string* tenant = from.baggage.find("tenant")) span.set("tenant", *tenant);
}

}  // namespace

int main() {
  const auto memory = std::make_shared<otel::MemorySink>();
  auto tracing = otel::configure_tracing(otel::Config{.service_name = "both", .sink = memory});
  if (!tracing) return 1;
  serve(call());
  tracing.force_flush();
  std::fputs(memory->tree().c_str(), stdout);
  for (const auto& span : memory->spans()) {
    const auto tenant = span.attributes.find("tenant");
    if (tenant != span.attributes.end()) std::printf("tenant: %s\n", tenant->second.c_str());
  }
}
