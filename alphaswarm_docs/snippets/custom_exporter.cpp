// An exporter of one's own: see "Custom exporters" in observability.md.

#include <alphaswarm/observability/api/provider.hpp>
#include <alphaswarm/observability/tracing.hpp>
#include <cstdio>
#include <memory>

// [exporter]
#include <alphaswarm/observability/export/batch_sink.hpp>

namespace otel = alphaswarm::observability;

// Counts what goes out. `batch.request` is a whole ExportTraceServiceRequest in protobuf, ready for
// any OTLP receiver: its pieces(), where they lie, or joined() as a string.
class CountingSink final : public otel::BatchSink {
 public:
  otel::SinkResult send(const otel::Batch& batch, std::chrono::milliseconds /*timeout*/) override {
    ++requests;
    spans += batch.span_count;
    bytes += batch.request.size();
    return {};  // accepted; or {.status = retry, .retry_after = …}, or {.status = rejected,
                // .message = …}
  }
  std::size_t requests = 0, spans = 0, bytes = 0;
};
// [/exporter]

int main() {
  // [use]
  auto counts = std::make_shared<CountingSink>();
  auto tracing = otel::configure_tracing(otel::Config{.service_name = "desk", .sink = counts});
  // [/use]
  if (!tracing) return 1;
  {
    auto order = otel::span("order");
    auto submit = otel::span("submit");
  }
  tracing.force_flush();
  std::printf("%zu spans in %zu requests of %zu bytes\n", counts->spans, counts->requests,
              counts->bytes);
}
