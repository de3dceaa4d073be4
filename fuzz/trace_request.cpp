// An ExportTraceServiceRequest from anywhere: validated, walked in full, encoded again, stored.
#include <cstdlib>

#include "alphaswarm/otlp/reencode.hpp"
#include "alphaswarm/otlp/trace_json.hpp"
#include "alphaswarm/otlp/views.hpp"
#include "alphaswarm/tracestore/memory_store.hpp"
#include "alphaswarm/tracestore/search.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace alphaswarm;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto batch = otlp::parse_trace_request(SharedBytes(std::move(bytes)));
  if (!batch) return 0;
  std::string json;
  for (const otlp::SpanView& span : batch->spans) {
    otlp::JsonWriter writer(json);
    otlp::write_otlp_span(writer, span);
    otlp::write_otlp_attributes(writer, batch->resource_of(span).attributes());
  }
  const auto again = otlp::parse_trace_request(SharedBytes(otlp::encode_spans(*batch)));
  if (!again || again->spans.size() != batch->spans.size()) std::abort();
  tracestore::MemoryStore store({.max_bytes = 100'000});
  store.add(*batch);
  tracestore::SearchQuery query;
  query.filter.conditions = tracestore::parse_conditions("a>1 error=true").value();
  (void)tracestore::search(store, query);
  const auto stats = store.stats();
  if (stats.added_spans != stats.spans + stats.evicted_spans) std::abort();
  return 0;
}
