// alphaswarm trace list|get|tree: asks a query server, ours or a Jaeger, by the Jaeger v3 API.

#include <boost/json.hpp>
#include <cstdio>
#include <string>

#include "alphaswarm/base/time.hpp"
#include "alphaswarm/cli/commands.hpp"
#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/net/url.hpp"
#include "alphaswarm/otlp/json_request.hpp"
#include "alphaswarm/otlp/views.hpp"
#include "alphaswarm/query/tree.hpp"

namespace alphaswarm::cli {
namespace {

namespace json = boost::json;

constexpr std::int64_t kNanosADay = 86'400'000'000'000;

std::string server_of(const TraceOptions& options) {
  std::string url = options.url.empty() ? "http://127.0.0.1:16686" : options.url;
  while (url.ends_with('/')) url.pop_back();
  return url;
}

net::task<Result<net::HttpResponse>> send(net::Runtime& runtime, std::string url) {
  net::HttpClient client(runtime);
  net::ClientRequest request;
  request.url = std::move(url);
  co_return co_await client.send(std::move(request));
}

Result<std::string> fetch(const TraceOptions& options, const std::string& path_and_query) {
  net::Runtime runtime("trace", 1);
  auto response = net::block_on(runtime, send(runtime, server_of(options) + path_and_query));
  if (!response) {
    return fail(response.error().code, "no answer from " + server_of(options) + ": " +
                                           response.error().message +
                                           ". Is `alphaswarm up` or `alphaswarm collector` running "
                                           "there? Another address: --url");
  }
  if (response->status == 404) {
    return fail(ErrorCode::not_found, server_of(options) + " has no such trace");
  }
  if (response->status != 200) {
    return fail(ErrorCode::internal, server_of(options) + " answered " +
                                         std::to_string(response->status) + ": " +
                                         response->body.substr(0, 200));
  }
  return std::move(response->body);
}

Result<std::string> fetch_trace(const TraceOptions& options) {
  const auto id = TraceId::from_hex(options.id);
  if (!id) {
    return fail(ErrorCode::invalid_argument,
                "'" + options.id + "' is not a trace id: 1 to 32 hex digits");
  }
  return fetch(options, "/api/v3/traces/" + id->to_hex());
}

std::uint64_t number_of(const json::value* value) {
  if (value == nullptr) return 0;
  if (value->is_string()) return std::stoull(std::string(value->as_string()));
  return value->to_number<std::uint64_t>();
}

std::string text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

query::TraceOverview overview_of(const json::object& summary) {
  query::TraceOverview row;
  row.id = TraceId::from_hex(text_of(summary, "traceId")).value_or(TraceId{});
  row.root_service = text_of(summary, "rootServiceName");
  row.root_name = text_of(summary, "rootOperationName");
  row.root_missing = row.root_name.empty();
  row.start_ns = number_of(summary.if_contains("minStartTimeUnixNano"));
  row.duration_ns = number_of(summary.if_contains("maxEndTimeUnixNano")) - row.start_ns;
  row.spans = number_of(summary.if_contains("spanCount"));
  row.errors = number_of(summary.if_contains("errorSpanCount"));
  row.orphans = number_of(summary.if_contains("orphanSpanCount"));
  if (const json::value* services = summary.if_contains("services")) {
    for (const json::value& service : services->as_array()) {
      const json::object& one = service.as_object();
      row.services.push_back({text_of(one, "name"), number_of(one.if_contains("spanCount")),
                              number_of(one.if_contains("errorSpanCount"))});
    }
  }
  return row;
}

// A reply {"result": {"resourceSpans": […]}} as views.
Result<otlp::TraceBatch> parse_trace(std::string_view body) {
  boost::system::error_code error;
  const json::value reply = json::parse(body, error);
  const json::value* result =
      !error && reply.is_object() ? reply.as_object().if_contains("result") : nullptr;
  if (result == nullptr) return fail(ErrorCode::data_loss, "it holds no \"result\"");
  auto request = otlp::json_to_trace_request(json::serialize(*result));
  if (!request) return std::unexpected(request.error());
  return otlp::parse_trace_request(SharedBytes(std::move(*request)));
}

}  // namespace

int run_trace_list(const TraceOptions& options) {
  const std::int64_t now = now_unix().value;
  std::string path = "/api/v3/trace-summaries?query.startTimeMin=" +
                     net::percent_encode(to_rfc3339({now - 30 * kNanosADay})) +
                     "&query.startTimeMax=" + net::percent_encode(to_rfc3339({now + kNanosADay})) +
                     "&query.searchDepth=" + std::to_string(options.limit);
  if (!options.service.empty()) {
    path += "&query.serviceName=" + net::percent_encode(options.service);
  }
  if (!options.operation.empty()) {
    path += "&query.operationName=" + net::percent_encode(options.operation);
  }
  const auto body = fetch(options, path);
  if (!body) return failed(body.error().message);
  std::vector<query::TraceOverview> rows;
  try {
    for (const json::value& summary : json::parse(*body).at("summaries").as_array()) {
      rows.push_back(overview_of(summary.as_object()));
    }
  } catch (const std::exception& error) {
    return failed(server_of(options) + " sent a reply that is no trace list: " + error.what());
  }
  if (rows.empty()) {
    std::puts("no traces in the last 30 days");
    return 0;
  }
  std::fputs(query::render_list(rows).c_str(), stdout);
  return 0;
}

int run_trace_get(const TraceOptions& options) {
  const auto body = fetch_trace(options);
  if (!body) return failed(body.error().message);
  std::puts(body->c_str());
  return 0;
}

int run_trace_tree(const TraceOptions& options) {
  const auto body = fetch_trace(options);
  if (!body) return failed(body.error().message);
  const auto batch = parse_trace(*body);
  if (!batch) return failed(server_of(options) + " sent a bad trace: " + batch.error().message);
  auto store = std::make_shared<tracestore::MemoryStore>();
  store->add(*batch);
  const auto trace = query::QueryService(store).trace(*TraceId::from_hex(options.id));
  if (!trace) return failed(server_of(options) + " sent another trace than " + options.id);
  std::fputs(query::render_tree(*trace, {.fold = !options.all, .durations = !options.no_durations})
                 .c_str(),
             stdout);
  return 0;
}

}  // namespace alphaswarm::cli
