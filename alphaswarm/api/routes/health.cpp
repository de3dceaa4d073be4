#include "alphaswarm/api/routes/health.hpp"

#include <string>
#include <utility>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/net/runtime.hpp"
#include "alphaswarm/persistence/database.hpp"
#include "alphaswarm/tasks/bus.hpp"

namespace alphaswarm::api {
namespace {

struct Finding {
  std::string name;
  bool required = false;
  Result<std::string> state;
};

Result<std::string> check_database(persistence::Database& database) {
  if (Result<void> alive = database.ping(); !alive) return std::unexpected(alive.error());
  return std::string(database.system()) + " " + std::string(database.name());
}

net::task<Result<std::string>> check_bus(tasks::Bus& bus) {
  // A key nobody sets: the question is whether there is an answer.
  Result<std::optional<std::string>> answer = co_await bus.get("alphaswarm:health");
  if (!answer) co_return std::unexpected(answer.error());
  co_return std::string("answers");
}

net::task<std::vector<Finding>> examine(const ApiDependencies& service) {
  std::vector<Finding> findings;
  Result<std::string> database =
      co_await net::blocking([&] { return check_database(service.database); });
  findings.push_back({"database", true, std::move(database)});
  Result<std::string> bus = co_await check_bus(service.bus);
  findings.push_back({"bus", true, std::move(bus)});
  for (const HealthCheck& each : service.health_checks) {
    Result<std::string> state = co_await each.check();
    findings.push_back({each.name, each.required, std::move(state)});
  }
  co_return findings;
}

void write_health(JsonWriter& json, const std::vector<Finding>& findings,
                  std::string_view version) {
  bool degraded = false;
  for (const Finding& finding : findings) degraded |= !finding.state.has_value();
  json.begin_object().field("status", degraded ? "degraded" : "ok").field("version", version);
  json.key("dependencies").begin_object();
  for (const Finding& finding : findings) {
    json.key(finding.name)
        .begin_object()
        .field("status", finding.state ? "ok" : "away")
        .field("required", finding.required)
        .field("detail", finding.state ? *finding.state : finding.state.error().message)
        .end_object();
  }
  json.end_object().end_object();
}

net::task<net::HttpResponse> health(const ApiDependencies& service, const net::HttpRequest&) {
  const std::vector<Finding> findings = co_await examine(service);
  JsonWriter json;
  write_health(json, findings, service.version);
  co_return reply(std::move(json));
}

net::task<net::HttpResponse> ready(const ApiDependencies& service, const net::HttpRequest&) {
  const std::vector<Finding> findings = co_await examine(service);
  bool missing = false;
  for (const Finding& finding : findings) missing |= finding.required && !finding.state;
  JsonWriter json;
  write_health(json, findings, service.version);
  co_return reply(std::move(json), missing ? 503 : 200);
}

// For whoever restarts a process that hangs. A restart mends neither database nor bus, so this asks
// neither, and answers while they do not.
net::HttpResponse live(const ApiDependencies& service, const net::HttpRequest&) {
  JsonWriter json;
  json.begin_object().field("status", "ok").field("version", service.version).end_object();
  return reply(std::move(json));
}

net::HttpResponse root(const ApiDependencies& service, const net::HttpRequest&) {
  JsonWriter json;
  json.begin_object()
      .field("service", "alphaswarm-api")
      .field("version", service.version)
      .field("health", "/health")
      .field("docs", "/docs")
      .field("openapi", "/openapi.json")
      .field("dashboard", "/dash")
      .field_or_null("traces", service.trace_ui_url)
      .end_object();
  return reply(std::move(json));
}

// https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4.
net::HttpResponse metrics(const ApiDependencies& service, const net::HttpRequest&) {
  std::string text;
  std::string family;
  visit_counters([&](const CounterSample& sample) {
    if (family != sample.name) {
      family = sample.name;
      text += "# HELP " + family + " " + std::string(sample.help) + "\n";
      text += "# TYPE " + family + (sample.gauge ? " gauge\n" : " counter\n");
    }
    text += family;
    if (!sample.labels.empty()) text += "{" + std::string(sample.labels) + "}";
    text += " ";
    text += sample.is_time() ? std::to_string(sample.seconds()) : std::to_string(sample.value);
    text += "\n";
  });
  if (service.more_metrics) text += service.more_metrics();
  return net::HttpResponse::text(200, std::move(text), "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace

void add_health_routes(RouteTable& table, const Context& context) {
  table.add({.method = "GET",
             .path = "/",
             .tag = "service",
             .summary = "Where things are",
             .response = "ServiceInfo"},
            quick_handler(context, root));
  table.add({.method = "GET",
             .path = "/health",
             .tag = "service",
             .summary = "How the service and what it needs are",
             .response = "Health"},
            handler(context, health));
  table.add({.method = "GET",
             .path = "/health/live",
             .tag = "service",
             .summary = "Whether the process answers; nothing it needs is asked",
             .response = "Alive"},
            quick_handler(context, live));
  table.add({.method = "GET",
             .path = "/health/ready",
             .tag = "service",
             .summary = "Whether the service can work",
             .response = "Health",
             .errors = {503}},
            handler(context, ready));
  table.add({.method = "GET",
             .path = "/metrics",
             .tag = "service",
             .summary = "Counters in Prometheus' text format",
             .response = "text/plain"},
            quick_handler(context, metrics));
}

}  // namespace alphaswarm::api
