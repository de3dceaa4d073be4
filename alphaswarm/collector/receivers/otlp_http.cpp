#include "alphaswarm/collector/receivers/otlp_http.hpp"

#include <algorithm>

#include "alphaswarm/collector/receivers/decompress.hpp"
#include "alphaswarm/collector/receivers/rpc_status.hpp"
#include "alphaswarm/net/task.hpp"
#include "alphaswarm/otlp/json_request.hpp"

namespace alphaswarm::collector {
namespace {

using net::HttpRequest;
using net::HttpResponse;

constexpr std::string_view kProtobuf = "application/x-protobuf";
constexpr std::string_view kJson = "application/json";

// The media type without parameters, in lower case.
std::string media_type(const HttpRequest& request) {
  std::string type(request.headers.get("content-type").value_or(""));
  type.resize(std::min(type.size(), type.find(';')));
  while (type.ends_with(' ')) type.pop_back();
  std::ranges::transform(type, type.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return type;
}

HttpResponse reply(int status, bool json, std::string body) {
  return HttpResponse::text(status, std::move(body), json ? kJson : kProtobuf);
}

HttpResponse refusal(int status, bool json, const Error& error) {
  auto response = reply(status, json, json ? rpc_status_json(error) : encode_rpc_status(error));
  if (error.retryable && status == 503) {
    response.headers.set("retry-after", std::to_string(kRetryDelay.count()));
  }
  return response;
}

HttpResponse take(const OtlpHttpReceiverConfig& config, Intake& intake,
                  const HttpRequest& request) {
  const std::string type = media_type(request);
  const bool json = type == kJson;
  if (!json && type != kProtobuf) {
    return HttpResponse::text(415, "415 unsupported media type, supported: [" + std::string(kJson) +
                                       ", " + std::string(kProtobuf) + "]");
  }
  const std::string_view encoding = request.headers.get("content-encoding").value_or("");
  auto body = decompress(encoding, request.body, config.max_body_bytes);
  if (!body) {
    const bool too_long = body.error().code == ErrorCode::resource_exhausted;
    return refusal(too_long ? 413 : 400, json, body.error());
  }
  if (json) {
    body = otlp::json_to_trace_request(*body);
    if (!body) return refusal(400, json, body.error());
  }
  const auto taken = intake.take(SharedBytes(std::move(*body)));
  if (!taken) return refusal(http_status(taken.error()), json, taken.error());
  return reply(200, json, json ? response_json(*taken) : encode_response(*taken));
}

bool origin_allowed(const CorsConfig& cors, std::string_view origin) {
  return std::ranges::any_of(cors.allowed_origins, [origin](const std::string& pattern) {
    return wildcard_match(pattern, origin);
  });
}

void add_cors(const CorsConfig& cors, const HttpRequest& request, HttpResponse& response) {
  const auto origin = request.headers.get("origin");
  if (!origin || !origin_allowed(cors, *origin)) return;
  response.headers.set("access-control-allow-origin", *origin);
  response.headers.add("vary", "Origin");
}

HttpResponse preflight(const CorsConfig& cors, const HttpRequest& request) {
  HttpResponse response{.status = 204, .headers = {}, .body = {}};
  add_cors(cors, request, response);
  if (!response.headers.contains("access-control-allow-origin")) return response;
  response.headers.set("access-control-allow-methods", "POST");
  std::string allowed = "content-type,content-encoding";
  for (const std::string& header : cors.allowed_headers) allowed += "," + header;
  if (std::ranges::find(cors.allowed_headers, "*") != cors.allowed_headers.end()) {
    allowed = request.headers.get("access-control-request-headers").value_or(allowed);
  }
  response.headers.set("access-control-allow-headers", allowed);
  if (cors.max_age.count() > 0) {
    response.headers.set("access-control-max-age", std::to_string(cors.max_age.count()));
  }
  return response;
}

}  // namespace

bool wildcard_match(std::string_view pattern, std::string_view text) noexcept {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;  // the last "*" seen …
  std::size_t resume = 0;                     // … and where in the text its run ends for now
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

Result<std::unique_ptr<OtlpHttpReceiver>> OtlpHttpReceiver::start(net::Runtime& runtime,
                                                                  OtlpHttpReceiverConfig config,
                                                                  Intake& intake) {
  net::HttpServerConfig http;
  http.address = config.endpoint.host == "localhost" ? "127.0.0.1" : config.endpoint.host;
  http.port = config.endpoint.port;
  http.max_body_bytes = config.max_body_bytes;
  net::Router router;
  const auto shared = std::make_shared<const OtlpHttpReceiverConfig>(std::move(config));
  auto handle = [shared, &intake](const HttpRequest& request) -> net::task<HttpResponse> {
    HttpResponse response = take(*shared, intake, request);
    add_cors(shared->cors, request, response);
    co_return response;
  };
  router.add({.method = "POST", .path = "/v1/traces", .handler = std::move(handle)});
  if (!shared->cors.allowed_origins.empty()) {
    auto ask = [shared](const HttpRequest& request) -> net::task<HttpResponse> {
      co_return preflight(shared->cors, request);
    };
    router.add({.method = "OPTIONS", .path = "/v1/traces", .handler = std::move(ask)});
  }
  auto server = net::HttpServer::start(runtime, std::move(router), http);
  if (!server) return std::unexpected(server.error());
  return std::unique_ptr<OtlpHttpReceiver>(new OtlpHttpReceiver(std::move(*server)));
}

}  // namespace alphaswarm::collector
