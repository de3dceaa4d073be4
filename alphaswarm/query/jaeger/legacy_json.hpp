#pragma once

// The JSON of Jaeger's first query API (jaeger/model/json), as its UI and Grafana read it.

#include <string>
#include <string_view>

#include "alphaswarm/otlp/json_writer.hpp"
#include "alphaswarm/query/assembled_trace.hpp"

namespace alphaswarm::query::jaeger {

// As Jaeger prints it: 16 digits when the high half is zero, else 32.
[[nodiscard]] std::string trace_id_text(const TraceId& id);

// {traceID, spans, processes, warnings}. Times are in µs, rounded down: the format has no more.
void write_trace(otlp::JsonWriter& json, const AssembledTrace& trace);

}  // namespace alphaswarm::query::jaeger
