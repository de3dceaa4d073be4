#include <boost/json.hpp>

#include <set>

#include "alphaswarm/base/time.hpp"
#include "alphaswarm/net/task.hpp"
#include "alphaswarm/otlp/json_request.hpp"
#include "alphaswarm/query/jaeger/legacy_json.hpp"
#include "alphaswarm/query/jaeger/routes.hpp"
#include "alphaswarm/query/request.hpp"
#include "alphaswarm/query/service_graph.hpp"

namespace alphaswarm::query::jaeger {
namespace {

using net::HttpRequest;
using net::HttpResponse;
using otlp::JsonWriter;

constexpr std::size_t kMaxTraces = 1'500;  // what Jaeger's UI allows at most

// {"data": … , "total":0, "limit":0, "offset":0, "errors":null}
template <class Write>
HttpResponse envelope(Write write_data) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("data");
  write_data(json);
  json.field("total", 0).field("limit", 0).field("offset", 0).key("errors").null().end_object();
  return HttpResponse::json(200, std::move(out));
}

// Jaeger answers errors as JSON that says it is text.
HttpResponse refuse(int status, std::string_view message) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("data").null().field("total", 0).field("limit", 0).field("offset", 0);
  json.key("errors").begin_array().begin_object().field("code", status).field("msg", message);
  json.end_object().end_array().end_object();
  return HttpResponse::text(status, std::move(out));
}

HttpResponse services(const QueryService& query, const HttpRequest&) {
  return envelope([&](JsonWriter& json) {
    json.begin_array();
    for (const ServiceOverview& service : query.services()) json.string(service.name);
    json.end_array();
  });
}

HttpResponse operation_names(const QueryService& query, const HttpRequest& request) {
  const std::string_view wanted = request.path_param("service").value_or("");
  std::set<std::string> names;
  for (auto& operation : query.store().operations()) {
    if (operation.service == wanted) names.insert(std::move(operation.name));
  }
  return envelope([&](JsonWriter& json) {
    json.begin_array();
    for (const std::string& name : names) json.string(name);
    json.end_array();
  });
}

HttpResponse operations(const QueryService& query, const HttpRequest& request) {
  const Parameters parameters(request);
  const std::string service = parameters.text({"service"});
  if (service.empty()) return refuse(400, "unable to parse param 'service': parameter is required");
  const std::string kind = parameters.text({"spanKind"});
  return envelope([&](JsonWriter& json) {
    json.begin_array();
    for (const auto& operation : query.store().operations()) {
      const std::string_view its_kind = operation.kind == otlp::SpanKind::unspecified
                                            ? std::string_view()
                                            : otlp::to_string(operation.kind);
      if (operation.service != service || (!kind.empty() && kind != its_kind)) continue;
      json.begin_object().field("name", operation.name).field("spanKind", its_kind).end_object();
    }
    json.end_array();
  });
}

// tag=key:value, repeated, and tags={"key":"value"}.
Result<std::vector<tracestore::AttributeCondition>> tags(const HttpRequest& request) {
  using tracestore::AttributeCondition;
  std::vector<AttributeCondition> conditions;
  for (const std::string& tag : request.query_params("tag")) {
    const std::size_t colon = tag.find(':');
    if (colon == std::string::npos) {
      return fail(ErrorCode::invalid_argument,
                  "malformed 'tag' parameter, expecting key:value, received: " + tag);
    }
    conditions.push_back(
        {tag.substr(0, colon), AttributeCondition::Operator::equal, tag.substr(colon + 1)});
  }
  for (const std::string& text : request.query_params("tags")) {
    if (text.empty()) continue;
    boost::system::error_code wrong;
    const boost::json::value parsed = boost::json::parse(text, wrong);
    if (wrong || !parsed.is_object()) {
      return fail(ErrorCode::invalid_argument,
                  "malformed 'tags' parameter, cannot unmarshal JSON: " + text);
    }
    for (const auto& [key, value] : parsed.get_object()) {
      if (!value.is_string()) {
        return fail(ErrorCode::invalid_argument, "malformed 'tags' parameter: the value of '" +
                                                     std::string(key) + "' must be a string");
      }
      conditions.push_back(
          {std::string(key), AttributeCondition::Operator::equal, std::string(value.get_string())});
    }
  }
  return conditions;
}

Result<std::uint64_t> microseconds(const Parameters& parameters, std::string_view name,
                                   std::uint64_t otherwise_ns) {
  const auto value = parameters.number(name, UINT64_MAX);
  if (!value) return value;
  if (*value == UINT64_MAX) return otherwise_ns;
  return *value > UINT64_MAX / 1'000 ? UINT64_MAX : *value * 1'000;
}

Result<tracestore::SearchQuery> search_query(const HttpRequest& request) {
  const Parameters parameters(request);
  tracestore::SearchQuery query;
  query.filter.service = parameters.text({"service"});
  if (query.filter.service.empty()) {
    return fail(ErrorCode::invalid_argument, "parameter 'service' is required");
  }
  query.filter.operation = parameters.text({"operation"});
  const auto start = microseconds(parameters, "start", 0);
  const auto end = microseconds(parameters, "end", UINT64_MAX);
  const auto limit = parameters.number("limit", 100);
  const auto min = parameters.duration({"minDuration"}, 0);
  const auto max = parameters.duration({"maxDuration"}, UINT64_MAX);
  for (const auto* value : {&start, &end, &limit, &min, &max}) {
    if (!*value) return std::unexpected(value->error());
  }
  if (*max < *min) {
    return fail(ErrorCode::invalid_argument, "'maxDuration' should be greater than 'minDuration'");
  }
  auto conditions = tags(request);
  if (!conditions) return std::unexpected(conditions.error());
  query.filter.start_min_ns = *start;
  query.filter.start_max_ns = *end;
  query.filter.min_duration_ns = *min;
  query.filter.max_duration_ns = *max;
  query.filter.conditions = std::move(*conditions);
  query.limit = std::min<std::size_t>(*limit, kMaxTraces);
  return query;
}

HttpResponse traces_by_id(const QueryService& query, const std::vector<std::string>& ids) {
  std::string out;
  JsonWriter json(out);
  std::vector<std::string> missing;
  json.begin_object().key("data").begin_array();
  for (const std::string& text : ids) {
    const auto id = TraceId::from_hex(text);
    if (!id) return refuse(400, "cannot parse traceID param: '" + text + "' is not hexadecimal");
    if (const auto trace = query.trace(*id)) {
      write_trace(json, *trace);
    } else {
      missing.push_back(trace_id_text(*id));
    }
  }
  json.end_array().field("total", 0).field("limit", 0).field("offset", 0).key("errors");
  if (missing.empty()) {
    json.null();
  } else {
    json.begin_array();
    for (const std::string& id : missing) {
      json.begin_object().field("code", 404).field("msg", "trace not found");
      json.field("traceID", id).end_object();
    }
    json.end_array();
  }
  json.end_object();
  return HttpResponse::json(200, std::move(out));
}

HttpResponse traces(const QueryService& query, const HttpRequest& request) {
  const auto ids = request.query_params("traceID");
  if (!ids.empty()) return traces_by_id(query, ids);
  const auto wanted = search_query(request);
  if (!wanted) return refuse(400, wanted.error().message);
  const auto found = query.search(*wanted);
  return envelope([&](JsonWriter& json) {
    json.begin_array();
    for (const tracestore::TraceMatch& match : found.traces) {
      write_trace(json, AssembledTrace(match.trace));
    }
    json.end_array();
  });
}

HttpResponse trace(const QueryService& query, const HttpRequest& request) {
  const std::string_view text = request.path_param("id").value_or("");
  const auto id = TraceId::from_hex(text);
  if (!id) {
    return refuse(400, "malformed parameter traceID: '" + std::string(text) +
                           "' is not 1 to 32 hexadecimal digits");
  }
  const auto found = query.trace(*id);
  if (!found) return refuse(404, "trace not found");
  return envelope([&](JsonWriter& json) {
    json.begin_array();
    write_trace(json, *found);
    json.end_array();
  });
}

// Shows OTLP JSON that somebody has in a file; nothing is kept.
HttpResponse transform(const QueryService&, const HttpRequest& request) {
  auto bytes = otlp::json_to_trace_request(request.body);
  if (!bytes) return refuse(400, "cannot unmarshal OTLP: " + bytes.error().message);
  const auto batch = otlp::parse_trace_request(SharedBytes(std::move(*bytes)));
  if (!batch) return refuse(400, "cannot unmarshal OTLP: " + batch.error().message);
  tracestore::MemoryStore store({.max_bytes = SIZE_MAX});
  store.add(*batch);
  return envelope([&](JsonWriter& json) {
    json.begin_array();
    for (const auto& summary : store.list([](const auto&) { return true; })) {
      write_trace(json, AssembledTrace(*store.find(summary.id)));
    }
    json.end_array();
  });
}

HttpResponse archive(const QueryService& query, const HttpRequest& request) {
  const auto id = TraceId::from_hex(request.path_param("id").value_or(""));
  if (!id) return refuse(400, "malformed parameter traceID");
  if (!query.store().pin(*id)) return refuse(404, "trace not found");
  return envelope([](JsonWriter& json) { json.begin_array().end_array(); });
}

HttpResponse dependencies(const QueryService& query, const HttpRequest& request) {
  const Parameters parameters(request);
  const auto now_ms = static_cast<std::uint64_t>(now_unix().value) / 1'000'000;
  const auto end = parameters.number("endTs", now_ms);
  const auto lookback = parameters.number("lookback", 24ULL * 3'600'000);
  if (!end) return refuse(400, end.error().message);
  if (!lookback) return refuse(400, lookback.error().message);
  constexpr std::uint64_t kMaxMs = UINT64_MAX / 1'000'000;
  const std::uint64_t to = std::min(*end, kMaxMs) * 1'000'000;
  const std::uint64_t span = std::min(*lookback, kMaxMs) * 1'000'000;
  return envelope([&](JsonWriter& json) {
    json.begin_array();
    for (const ServiceEdge& edge : service_graph(query, to > span ? to - span : 0, to)) {
      json.begin_object().field("parent", edge.parent).field("child", edge.child);
      json.field("callCount", edge.calls).end_object();
    }
    json.end_array();
  });
}

using Answer = HttpResponse (*)(const QueryService&, const HttpRequest&);

}  // namespace

void add_legacy_routes(net::Router& router, Service service) {
  const auto add = [&](std::string method, std::string path, Answer answer, std::string summary) {
    auto handler = [service, answer](const HttpRequest& request) -> net::task<HttpResponse> {
      co_return answer(*service, request);
    };
    router.add({.method = std::move(method),
                .path = std::move(path),
                .handler = std::move(handler),
                .summary = std::move(summary),
                .tag = "jaeger"});
  };
  add("GET", "/api/services", services, "Service names");
  add("GET", "/api/services/{service}/operations", operation_names, "Operation names of a service");
  add("GET", "/api/operations", operations, "Operations of a service, with span kinds");
  add("GET", "/api/traces", traces, "Search, or traces by id");
  add("GET", "/api/traces/{id}", trace, "One trace");
  add("POST", "/api/transform", transform, "OTLP JSON as Jaeger shows it");
  add("POST", "/api/archive/{id}", archive, "Keeps a trace from being evicted");
  add("GET", "/api/dependencies", dependencies, "Calls between services");
}

}  // namespace alphaswarm::query::jaeger
