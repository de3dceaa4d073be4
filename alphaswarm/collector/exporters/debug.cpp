#include "alphaswarm/collector/exporters/debug.hpp"

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/otlp/json_writer.hpp"

namespace alphaswarm::collector {
namespace {

std::string describe(const otlp::TraceBatch& batch, const otlp::SpanView& span, bool detailed) {
  std::string line(span.name);
  line += " trace=" + span.trace_id.to_hex() + " span=" + span.span_id.to_hex();
  line += " duration_ns=" + std::to_string(span.duration_ns());
  if (!detailed) return line;
  line += " parent=" + span.parent_span_id.to_hex() + " service=";
  line += batch.resource_of(span).service_name;
  line += " kind=" + std::string(otlp::to_string(span.kind));
  line += " status=" + std::string(otlp::to_string(span.status)) + " ";
  otlp::JsonWriter json(line);
  otlp::write_plain_attributes(json, span.attributes());
  return line;
}

}  // namespace

void DebugExporter::consume(Batches batches) {
  using Verbosity = DebugExporterConfig::Verbosity;
  const std::uint64_t spans = span_count(batches);
  counts_.received(spans);
  std::uint64_t resources = 0;
  for (const Batch& batch : batches) resources += batch->resources.size();
  log_info(counts_.id(), "traces: " + std::to_string(resources) + " resource spans, " +
                             std::to_string(spans) + " spans");
  if (config_.verbosity != Verbosity::basic) {
    for (const Batch& batch : batches) {
      for (const otlp::SpanView& span : batch->spans) {
        log_info(counts_.id(), describe(*batch, span, config_.verbosity == Verbosity::detailed));
      }
    }
  }
  counts_.sent(spans);
}

}  // namespace alphaswarm::collector
