#include <algorithm>
#include <charconv>
#include <limits>

#include "alphaswarm/base/time.hpp"
#include "alphaswarm/net/task.hpp"
#include "alphaswarm/otlp/json_writer.hpp"
#include "alphaswarm/query/jaeger/routes.hpp"
#include "alphaswarm/query/request.hpp"
#include "alphaswarm/query/span_rates.hpp"

namespace alphaswarm::query::jaeger {
namespace {

using net::HttpRequest;
using net::HttpResponse;
using otlp::JsonWriter;

HttpResponse refuse(std::string_view message) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("data").null().field("total", 0).field("limit", 0).field("offset", 0);
  json.key("errors").begin_array().begin_object().field("code", 400).field("msg", message);
  json.end_object().end_array().end_object();
  return HttpResponse::text(400, std::move(out));
}

std::optional<otlp::SpanKind> kind_of(std::string name) {
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  if (name.starts_with("span_kind_")) name.erase(0, 10);
  for (unsigned kind = 0; kind <= 5; ++kind) {
    if (name == otlp::to_string(static_cast<otlp::SpanKind>(kind))) {
      return static_cast<otlp::SpanKind>(kind);
    }
  }
  return std::nullopt;
}

Result<std::uint64_t> milliseconds(const Parameters& parameters, std::string_view name,
                                   std::uint64_t otherwise_ms) {
  const auto value = parameters.number(name, otherwise_ms);
  if (!value) return value;
  return std::min<std::uint64_t>(*value, std::numeric_limits<std::int64_t>::max() / 1'000'000) *
         1'000'000;
}

Result<RateQuery> rate_query(const HttpRequest& request, RateQuery::What what) {
  const Parameters parameters(request);
  RateQuery query;
  query.what = what;
  query.services = request.query_params("service");
  if (query.services.empty()) {
    return fail(ErrorCode::invalid_argument,
                "unable to parse param 'service': please provide at least one service name");
  }
  const auto now_ms = static_cast<std::uint64_t>(now_unix().value) / 1'000'000;
  const auto end = milliseconds(parameters, "endTs", now_ms);
  const auto lookback = milliseconds(parameters, "lookback", 3'600'000);
  const auto step = milliseconds(parameters, "step", 5'000);
  const auto window = milliseconds(parameters, "ratePer", 600'000);
  for (const auto* value : {&end, &lookback, &step, &window}) {
    if (!*value) return std::unexpected(value->error());
  }
  query.end_ns = *end;
  query.lookback_ns = *lookback;
  query.step_ns = *step;
  query.window_ns = *window;
  const auto grouped = parameters.flag("groupByOperation", false);
  if (!grouped) return std::unexpected(grouped.error());
  query.by_operation = *grouped;
  if (const auto kinds = request.query_params("spanKind"); !kinds.empty()) {
    query.kinds.clear();
    for (const std::string& name : kinds) {
      const auto kind = kind_of(name);
      if (!kind) {
        return fail(ErrorCode::invalid_argument, "unsupported span kind: '" + name + "'");
      }
      query.kinds.push_back(*kind);
    }
  }
  if (what != RateQuery::What::latencies) return query;
  const std::string text = parameters.text({"quantile"});
  const auto [last, code] = std::from_chars(text.data(), text.data() + text.size(), query.quantile);
  if (code != std::errc() || last != text.data() + text.size() || !(query.quantile > 0) ||
      query.quantile > 1) {
    return fail(ErrorCode::invalid_argument,
                "unable to parse param 'quantile': '" + text + "' is not in (0, 1]");
  }
  return query;
}

struct Family {
  std::string name;
  std::string help;
};

Family family_of(const RateQuery& query, const HttpRequest& request) {
  const std::string by = query.by_operation ? "service & operation" : "service";
  const std::string prefix = query.by_operation ? "service_operation_" : "service_";
  switch (query.what) {
    case RateQuery::What::calls:
      return {prefix + "call_rate", "calls/sec, grouped by " + by};
    case RateQuery::What::errors:
      return {prefix + "error_rate",
              "error rate, computed as a fraction of errors/sec over calls/sec, grouped by " + by};
    case RateQuery::What::latencies:
      return {prefix + "latencies",
              Parameters(request).text({"quantile"}) + "th quantile latency, grouped by " + by};
  }
  return {};
}

HttpResponse reply(const QueryService& service, const HttpRequest& request, RateQuery::What what) {
  const auto query = rate_query(request, what);
  if (!query) return refuse(query.error().message);
  const Rates rates = span_rates(service, *query);
  const Family family = family_of(*query, request);
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("name", family.name).field("type", "GAUGE").field("help", family.help);
  json.key("metrics").begin_array();
  for (const RateSeries& series : rates.series) {
    json.begin_object().key("labels").begin_array();
    if (query->by_operation) {
      json.begin_object().field("name", "operation").field("value", series.operation).end_object();
    }
    json.begin_object().field("name", "service_name").field("value", series.service).end_object();
    json.end_array().key("metricPoints").begin_array();
    for (std::size_t i = 0; i < series.values.size(); ++i) {
      json.begin_object().key("gaugeValue").begin_object().key("doubleValue");
      json.number(series.values[i]).end_object();
      const std::string time = to_rfc3339({static_cast<std::int64_t>(rates.times_ns[i])});
      json.field("timestamp", time).end_object();
    }
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return HttpResponse::json(200, std::move(out));
}

}  // namespace

void add_metrics_routes(net::Router& router, Service service) {
  const auto add = [&](std::string path, RateQuery::What what) {
    auto handler = [service, what](const HttpRequest& request) -> net::task<HttpResponse> {
      co_return reply(*service, request, what);
    };
    router.add({.method = "GET",
                .path = std::move(path),
                .handler = std::move(handler),
                .summary = "Over time, from the spans in the store",
                .tag = "jaeger"});
  };
  add("/api/metrics/latencies", RateQuery::What::latencies);
  add("/api/metrics/calls", RateQuery::What::calls);
  add("/api/metrics/errors", RateQuery::What::errors);
  auto min_step = [](const HttpRequest&) -> net::task<HttpResponse> {
    co_return HttpResponse::json(200, R"({"data":1,"total":0,"limit":0,"offset":0,"errors":null})");
  };
  router.add({.method = "GET",
              .path = "/api/metrics/minstep",
              .handler = std::move(min_step),
              .summary = "The smallest step, in ms",
              .tag = "jaeger"});
}

}  // namespace alphaswarm::query::jaeger
