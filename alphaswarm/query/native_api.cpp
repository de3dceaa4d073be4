#include "alphaswarm/query/native_api.hpp"

#include <algorithm>

#include "alphaswarm/base/time.hpp"
#include "alphaswarm/net/task.hpp"
#include "alphaswarm/otlp/json_writer.hpp"
#include "alphaswarm/query/request.hpp"
#include "alphaswarm/query/tree.hpp"

namespace alphaswarm::query {
namespace {

using net::HttpRequest;
using net::HttpResponse;
using otlp::JsonWriter;

constexpr std::size_t kMaxResults = 10'000;

HttpResponse error_reply(int status, std::string_view message) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("error").begin_object().field("message", message).end_object();
  json.end_object();
  return HttpResponse::json(status, std::move(out));
}

HttpResponse error_reply(const Error& error) {
  return error_reply(error.code == ErrorCode::not_found ? 404 : 400, error.message);
}

std::string_view id_bytes(const auto& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

void write_counts(JsonWriter& json, const ServiceCount& count) {
  json.begin_object().field("name", count.name).field("spans", count.spans);
  json.field("errors", count.errors).end_object();
}

HttpResponse services(const QueryService& query, const HttpRequest&) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("services").begin_array();
  for (const ServiceOverview& service : query.services()) {
    json.begin_object().field("name", service.name).field("spans", service.spans);
    json.field("errors", service.errors).key("operations").begin_array();
    for (const auto& operation : service.operations) {
      json.begin_object().field("name", operation.name);
      json.field("kind", otlp::to_string(operation.kind)).field("spans", operation.spans);
      json.field("errors", operation.errors).end_object();
    }
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return HttpResponse::json(200, std::move(out));
}

Result<tracestore::SearchQuery> search_query(const HttpRequest& request) {
  const Parameters parameters(request);
  tracestore::SearchQuery query;
  query.filter.service = parameters.text({"service"});
  query.filter.operation = parameters.text({"operation"});
  const auto min = parameters.duration({"minDuration"}, 0);
  const auto max = parameters.duration({"maxDuration"}, UINT64_MAX);
  const auto start = parameters.number("start", 0);
  const auto end = parameters.number("end", UINT64_MAX);
  const auto limit = parameters.number("limit", 20);
  for (const auto* value : {&min, &max, &start, &end, &limit}) {
    if (!*value) return std::unexpected(value->error());
  }
  query.filter.min_duration_ns = *min;
  query.filter.max_duration_ns = *max;
  query.filter.start_min_ns = *start;
  query.filter.start_max_ns = *end;
  query.limit = std::min<std::size_t>(*limit, kMaxResults);
  auto conditions = tracestore::parse_conditions(parameters.text({"q"}));
  if (!conditions) return std::unexpected(conditions.error());
  query.filter.conditions = std::move(*conditions);
  const std::string mode = parameters.text({"mode"});
  if (!mode.empty() && mode != "traces" && mode != "spans") {
    return fail(ErrorCode::invalid_argument,
                "parameter mode: '" + mode + "' is neither traces nor spans");
  }
  query.spans = mode == "spans";
  return query;
}

void write_trace(JsonWriter& json, const TraceOverview& trace) {
  json.begin_object().key("traceId").hex(id_bytes(trace.id));
  json.field("rootService", trace.root_service).field("rootName", trace.root_name);
  json.field("rootMissing", trace.root_missing);
  json.key("startNs").quoted(trace.start_ns).key("durationNs").quoted(trace.duration_ns);
  json.field("spanCount", trace.spans).field("errorCount", trace.errors);
  json.key("services").begin_array();
  for (const ServiceCount& service : trace.services) write_counts(json, service);
  json.end_array().field("matched", trace.matched).end_object();
}

void write_span(JsonWriter& json, const tracestore::SpanMatch& match) {
  const tracestore::SpanRecord& record = match.record();
  const tracestore::BlockOperation& operation = match.block->operation(record);
  json.begin_object().key("traceId").hex(id_bytes(match.block->trace_id));
  json.key("spanId").hex(id_bytes(record.id)).field("service", operation.service);
  json.field("name", operation.name).key("startNs").quoted(record.start_ns);
  json.key("durationNs").quoted(record.duration_ns);
  json.field("status", otlp::to_string(record.status));
  json.field("kind", otlp::to_string(operation.kind));
  json.field("label", span_label({match.block->encoded(record), 9}));
  json.end_object();
}

HttpResponse search(const QueryService& query, const HttpRequest& request) {
  const std::int64_t started = monotonic_ns();
  const auto wanted = search_query(request);
  if (!wanted) return error_reply(wanted.error());
  const tracestore::SearchResult result = query.search(*wanted);
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  if (wanted->spans) {
    json.key("spans").begin_array();
    for (const tracestore::SpanMatch& match : result.spans) write_span(json, match);
    json.end_array();
  } else {
    json.key("traces").begin_array();
    for (const tracestore::TraceMatch& match : result.traces) {
      write_trace(json, QueryService::overview(match));
    }
    json.end_array();
  }
  json.field("complete", result.complete || result.more).field("more", result.more);
  json.key("elapsedNs").quoted(static_cast<std::uint64_t>(monotonic_ns() - started));
  json.field("scannedSpans", result.scanned_spans).end_object();
  return HttpResponse::json(200, std::move(out));
}

// The same search as a table for terminals.
HttpResponse list(const QueryService& query, const HttpRequest& request) {
  const auto wanted = search_query(request);
  if (!wanted) return error_reply(wanted.error());
  std::vector<TraceOverview> traces;
  for (const tracestore::TraceMatch& match : query.search(*wanted).traces) {
    traces.push_back(QueryService::overview(match));
  }
  return HttpResponse::text(200, render_list(traces));
}

HttpResponse counted(std::string_view name, std::string_view item, const CountedList& list) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key(name).begin_array();
  for (const Counted& counted : list.items) {
    json.begin_object().field(item, counted.text).field("count", counted.count).end_object();
  }
  json.end_array().field("complete", list.complete).end_object();
  return HttpResponse::json(200, std::move(out));
}

HttpResponse attribute_keys(const QueryService& query, const HttpRequest& request) {
  const Parameters parameters(request);
  const auto limit = parameters.number("limit", 200);
  if (!limit) return error_reply(limit.error());
  return counted("keys", "key", query.attribute_keys(parameters.text({"prefix"}), *limit));
}

HttpResponse attribute_values(const QueryService& query, const HttpRequest& request) {
  const Parameters parameters(request);
  const std::string key = parameters.text({"key"});
  if (key.empty()) return error_reply(400, "parameter key is missing");
  const auto limit = parameters.number("limit", 200);
  if (!limit) return error_reply(limit.error());
  return counted("values", "value",
                 query.attribute_values(key, parameters.text({"prefix"}), *limit));
}

Result<AssembledTrace> find_trace(const QueryService& query, const HttpRequest& request) {
  const std::string_view text = request.path_param("id").value_or("");
  const auto id = TraceId::from_hex(text);
  if (!id) {
    return fail(ErrorCode::invalid_argument,
                "'" + std::string(text) + "' is not a trace id: 1 to 32 hexadecimal digits");
  }
  auto trace = query.trace(*id);
  if (!trace) return fail(ErrorCode::not_found, "trace " + id->to_hex() + " is not in the store");
  return std::move(*trace);
}

HttpResponse trace(const QueryService& query, const HttpRequest& request) {
  const auto trace = find_trace(query, request);
  if (!trace) return error_reply(trace.error());
  return HttpResponse::json(200, trace_columns_json(*trace));
}

HttpResponse tree(const QueryService& query, const HttpRequest& request) {
  const Parameters parameters(request);
  TreeOptions options;
  for (const auto& [name, option] : {std::pair{"fold", &options.fold},
                                     {"durations", &options.durations},
                                     {"header", &options.header},
                                     {"byName", &options.by_name}}) {
    const auto value = parameters.flag(name, *option);
    if (!value) return error_reply(value.error());
    *option = *value;
  }
  const auto trace = find_trace(query, request);
  if (!trace) return error_reply(trace.error());
  return HttpResponse::text(200, render_tree(*trace, options));
}

HttpResponse span(const QueryService& query, const HttpRequest& request) {
  const auto trace = find_trace(query, request);
  if (!trace) return error_reply(trace.error());
  const std::string_view text = request.path_param("spanId").value_or("");
  const auto id = SpanId::from_hex(text);
  if (!id) {
    return error_reply(400,
                       "'" + std::string(text) + "' is not a span id: 1 to 16 hexadecimal digits");
  }
  const std::int32_t index = trace->find(*id);
  if (index < 0) {
    return error_reply(404, "span " + id->to_hex() + " is not in trace " + trace->id().to_hex());
  }
  return HttpResponse::json(200, span_json(*trace, static_cast<std::uint32_t>(index)));
}

bool contains_ignoring_case(std::string_view text, std::string_view lower) {
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
  return std::ranges::search(text, lower, same).begin() != text.end() || lower.empty();
}

bool mentions(const otlp::SpanView& span, std::string_view lower) {
  const auto any = [lower](otlp::AttributeRange attributes) {
    for (const otlp::KeyValueView attribute : attributes) {
      if (contains_ignoring_case(attribute.key(), lower) ||
          contains_ignoring_case(otlp::to_text(attribute.value()), lower)) {
        return true;
      }
    }
    return false;
  };
  if (contains_ignoring_case(span.name, lower) || any(span.attributes()) ||
      contains_ignoring_case(span.status_message, lower)) {
    return true;
  }
  for (const otlp::EventView event : span.events()) {
    if (contains_ignoring_case(event.name, lower) || any(event.attributes())) return true;
  }
  return contains_ignoring_case(span.span_id.to_hex(), lower);
}

HttpResponse search_in_trace(const QueryService& query, const HttpRequest& request) {
  const auto trace = find_trace(query, request);
  if (!trace) return error_reply(trace.error());
  std::string text = Parameters(request).text({"q"});
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("spanIds").begin_array();
  for (std::uint32_t i = 0; i < trace->spans().size() && !text.empty(); ++i) {
    const auto& candidate = trace->spans()[i];
    if (contains_ignoring_case(trace->services()[candidate.service], text) ||
        mentions(candidate.view(), text)) {
      json.number(i);
    }
  }
  json.end_array().end_object();
  return HttpResponse::json(200, std::move(out));
}

HttpResponse operation_stats(const QueryService& query, const HttpRequest& request) {
  const Parameters parameters(request);
  const std::string operation = parameters.text({"operation"});
  if (operation.empty()) return error_reply(400, "parameter operation is missing");
  const auto duration = parameters.number("spanDurationNs", 0);
  if (!duration) return error_reply(duration.error());
  const DurationStats stats = query.durations(parameters.text({"service"}), operation, *duration);
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("count", stats.count).key("percentile").number(stats.percentile);
  json.key("buckets").begin_array();
  for (const DurationBucket& bucket : stats.buckets) {
    json.begin_object().field("lowNs", bucket.low_ns).field("highNs", bucket.high_ns);
    json.field("count", bucket.count).end_object();
  }
  json.end_array().field("complete", stats.complete).end_object();
  return HttpResponse::json(200, std::move(out));
}

using Answer = HttpResponse (*)(const QueryService&, const HttpRequest&);

}  // namespace

void add_native_routes(net::Router& router, std::shared_ptr<const QueryService> service) {
  const auto add = [&](std::string path, Answer answer, std::string summary) {
    auto handler = [service, answer](const HttpRequest& request) -> net::task<HttpResponse> {
      co_return answer(*service, request);
    };
    router.add({.method = "GET",
                .path = "/api/alphaswarm/v1" + std::move(path),
                .handler = std::move(handler),
                .summary = std::move(summary),
                .tag = "traces"});
  };
  add("/services", services, "Services and their operations, with counts");
  add("/search", search, "Traces, or spans, that match");
  add("/list", list, "Traces that match, as a text table");
  add("/attributes/keys", attribute_keys, "Attribute keys, for completion");
  add("/attributes/values", attribute_values, "Values of one attribute, for completion");
  add("/traces/{id}", trace, "One trace as columns");
  add("/traces/{id}/tree", tree, "One trace as a text tree");
  add("/traces/{id}/search", search_in_trace, "Indices of the spans that mention a text");
  add("/traces/{id}/spans/{spanId}", span, "One span in full");
  add("/operations/stats", operation_stats, "How long spans of one operation take");
}

}  // namespace alphaswarm::query
