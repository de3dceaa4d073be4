#include <boost/json.hpp>

#include <algorithm>

#include "alphaswarm/base/time.hpp"
#include "alphaswarm/net/task.hpp"
#include "alphaswarm/otlp/trace_json.hpp"
#include "alphaswarm/query/jaeger/routes.hpp"
#include "alphaswarm/query/request.hpp"

namespace alphaswarm::query::jaeger {
namespace {

using net::HttpRequest;
using net::HttpResponse;
using otlp::JsonWriter;

constexpr std::size_t kMaxTraces = 10'000;

HttpResponse refuse(int status, std::string_view message) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("error").begin_object().field("httpCode", status);
  json.field("message", message).end_object().end_object();
  return HttpResponse::json(status, std::move(out));
}

std::string_view id_bytes(const TraceId& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

HttpResponse services(const QueryService& query, const HttpRequest&) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("services").begin_array();
  for (const ServiceOverview& service : query.services()) json.string(service.name);
  json.end_array().end_object();
  return HttpResponse::json(200, std::move(out));
}

HttpResponse operations(const QueryService& query, const HttpRequest& request) {
  const Parameters parameters(request);
  const std::string service = parameters.text({"service"});
  if (service.empty()) return refuse(400, "malformed parameter service: it is required");
  const std::string kind = parameters.text({"spanKind", "span_kind"});
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("operations").begin_array();
  for (const auto& operation : query.store().operations()) {
    const std::string_view its_kind = operation.kind == otlp::SpanKind::unspecified
                                          ? std::string_view()
                                          : otlp::to_string(operation.kind);
    if (operation.service != service || (!kind.empty() && kind != its_kind)) continue;
    json.begin_object().field("name", operation.name).field("spanKind", its_kind).end_object();
  }
  json.end_array().end_object();
  return HttpResponse::json(200, std::move(out));
}

// The spans of one trace, grouped by resource and scope.
void write_resource_spans(JsonWriter& json, const AssembledTrace& trace) {
  struct Group {
    const tracestore::Resource* resource;
    const tracestore::Scope* scope;
    std::vector<const AssembledTrace::Span*> spans;
  };
  std::vector<Group> groups;  // in the order of their first span; there are few
  for (const AssembledTrace::Span& span : trace.spans()) {
    auto group = std::ranges::find_if(groups, [&](const Group& known) {
      return known.resource == &span.resource() && known.scope == &span.scope();
    });
    if (group == groups.end()) {
      group = groups.insert(group, {&span.resource(), &span.scope(), {}});
    }
    group->spans.push_back(&span);
  }
  for (const auto& [resource, scope, spans] : groups) {
    json.begin_object().key("resource").begin_object().key("attributes");
    otlp::write_otlp_attributes(json, resource->attributes());
    json.end_object().key("scopeSpans").begin_array();
    json.begin_object().key("scope").begin_object();
    if (!scope->name.empty()) json.field("name", scope->name);
    if (!scope->version.empty()) json.field("version", scope->version);
    if (!scope->attributes().empty()) {
      json.key("attributes");
      otlp::write_otlp_attributes(json, scope->attributes());
    }
    json.end_object().key("spans").begin_array();
    for (const AssembledTrace::Span* span : spans) otlp::write_otlp_span(json, span->view());
    json.end_array();
    if (!scope->schema_url.empty()) json.field("schemaUrl", scope->schema_url);
    json.end_object();
    json.end_array();
    if (!resource->schema_url.empty()) json.field("schemaUrl", resource->schema_url);
    json.end_object();
  }
}

HttpResponse trace(const QueryService& query, const HttpRequest& request) {
  const std::string_view text = request.path_param("id").value_or("");
  const auto id = TraceId::from_hex(text);
  if (!id) return refuse(400, "malformed parameter trace_id: '" + std::string(text) + "'");
  const auto found = query.trace(*id);
  if (!found) return refuse(404, "No traces found");
  std::string out;
  out.reserve(found->spans().size() * 512);
  JsonWriter json(out);
  json.begin_object().key("result").begin_object().key("resourceSpans").begin_array();
  write_resource_spans(json, *found);
  json.end_array().end_object().end_object();
  return HttpResponse::json(200, std::move(out));
}

Result<std::uint64_t> time_of(const Parameters& parameters,
                              std::initializer_list<std::string_view> names) {
  const std::string text = parameters.text(names);
  if (text.empty()) {
    return fail(ErrorCode::invalid_argument,
                "malformed parameter " + std::string(*names.begin()) + ": it is required");
  }
  const auto time = from_rfc3339(text);
  if (!time) {
    return fail(ErrorCode::invalid_argument, "malformed parameter " + std::string(*names.begin()) +
                                                 ": '" + text + "' is not an RFC 3339 time");
  }
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, time->value));
}

Result<std::vector<tracestore::AttributeCondition>> attributes(const std::string& text) {
  std::vector<tracestore::AttributeCondition> conditions;
  if (text.empty()) return conditions;
  boost::system::error_code wrong;
  const boost::json::value parsed = boost::json::parse(text, wrong);
  if (wrong || !parsed.is_object()) {
    return fail(ErrorCode::invalid_argument,
                "malformed parameter query.attributes: a JSON object is expected");
  }
  for (const auto& [key, value] : parsed.get_object()) {
    if (!value.is_string()) {
      return fail(ErrorCode::invalid_argument,
                  "malformed parameter query.attributes: the value of '" + std::string(key) +
                      "' must be a string");
    }
    conditions.push_back({std::string(key), tracestore::AttributeCondition::Operator::equal,
                          std::string(value.get_string())});
  }
  return conditions;
}

Result<tracestore::SearchQuery> search_query(const HttpRequest& request) {
  const Parameters parameters(request);
  if (!parameters.text({"query.filter"}).empty()) {
    return fail(ErrorCode::invalid_argument,
                "parameter query.filter is not supported; use query.attributes");
  }
  tracestore::SearchQuery query;
  query.filter.service = parameters.text({"query.serviceName", "query.service_name"});
  query.filter.operation = parameters.text({"query.operationName", "query.operation_name"});
  const auto start = time_of(parameters, {"query.startTimeMin", "query.start_time_min"});
  const auto end = time_of(parameters, {"query.startTimeMax", "query.start_time_max"});
  const auto min = parameters.duration({"query.durationMin", "query.duration_min"}, 0);
  const auto max = parameters.duration({"query.durationMax", "query.duration_max"}, UINT64_MAX);
  const auto raw = parameters.flag("query.rawTraces", false);
  for (const auto* value : {&start, &end, &min, &max}) {
    if (!*value) return std::unexpected(value->error());
  }
  if (!raw) return std::unexpected(raw.error());
  std::uint64_t depth = 100;
  for (const std::string_view name :
       {"query.searchDepth", "query.search_depth", "query.num_traces", "query.numTraces"}) {
    const auto number = parameters.number(name, depth);
    if (!number) return std::unexpected(number.error());
    depth = *number;
  }
  auto conditions = attributes(parameters.text({"query.attributes"}));
  if (!conditions) return std::unexpected(conditions.error());
  query.filter.start_min_ns = *start;
  query.filter.start_max_ns = *end;
  query.filter.min_duration_ns = *min;
  query.filter.max_duration_ns = *max;
  query.filter.conditions = std::move(*conditions);
  query.limit = std::min<std::size_t>(depth, kMaxTraces);
  return query;
}

HttpResponse traces(const QueryService& query, const HttpRequest& request) {
  const auto wanted = search_query(request);
  if (!wanted) return refuse(400, wanted.error().message);
  const auto found = query.search(*wanted);
  if (found.traces.empty()) return refuse(404, "No traces found");
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("result").begin_object().key("resourceSpans").begin_array();
  for (const tracestore::TraceMatch& match : found.traces) {
    write_resource_spans(json, AssembledTrace(match.trace));
  }
  json.end_array().end_object().end_object();
  return HttpResponse::json(200, std::move(out));
}

void optional_count(JsonWriter& json, std::string_view key, std::uint64_t count) {
  if (count != 0) json.field(key, count);
}

HttpResponse summaries(const QueryService& query, const HttpRequest& request) {
  const auto wanted = search_query(request);
  if (!wanted) return refuse(400, wanted.error().message);
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("summaries").begin_array();
  for (const tracestore::TraceMatch& match : query.search(*wanted).traces) {
    const TraceOverview trace = QueryService::overview(match, true);
    json.begin_object().key("traceId").hex(id_bytes(trace.id));
    if (!trace.root_missing) {
      json.field("rootServiceName", trace.root_service);
      json.field("rootOperationName", trace.root_name);
    }
    json.key("minStartTimeUnixNano").quoted(trace.start_ns);
    json.key("maxEndTimeUnixNano").quoted(trace.start_ns + trace.duration_ns);
    optional_count(json, "spanCount", trace.spans);
    optional_count(json, "errorSpanCount", trace.errors);
    optional_count(json, "orphanSpanCount", trace.orphans);
    json.key("services").begin_array();
    for (const ServiceCount& service : trace.services) {
      json.begin_object().field("name", service.name);
      optional_count(json, "spanCount", service.spans);
      optional_count(json, "errorSpanCount", service.errors);
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return HttpResponse::json(200, std::move(out));
}

using Answer = HttpResponse (*)(const QueryService&, const HttpRequest&);

}  // namespace

void add_v3_routes(net::Router& router, Service service) {
  const auto add = [&](std::string path, Answer answer, std::string summary) {
    auto handler = [service, answer](const HttpRequest& request) -> net::task<HttpResponse> {
      co_return answer(*service, request);
    };
    router.add({.method = "GET",
                .path = std::move(path),
                .handler = std::move(handler),
                .summary = std::move(summary),
                .tag = "jaeger v3"});
  };
  add("/api/v3/services", services, "Service names");
  add("/api/v3/operations", operations, "Operations of a service");
  add("/api/v3/traces", traces, "Search; OTLP JSON");
  add("/api/v3/traces/{id}", trace, "One trace; OTLP JSON");
  add("/api/v3/trace-summaries", summaries, "Search; what a list of results shows");
}

}  // namespace alphaswarm::query::jaeger
