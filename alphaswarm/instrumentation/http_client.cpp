#include "alphaswarm/instrumentation/http_client.hpp"

#include <string>

#include "alphaswarm/instrumentation/http_headers.hpp"
#include "alphaswarm/instrumentation/http_method.hpp"
#include "alphaswarm/instrumentation/redact.hpp"
#include "alphaswarm/observability/api/propagation.hpp"
#include "alphaswarm/observability/tracing.hpp"

namespace alphaswarm::instrumentation {
namespace otel = alphaswarm::observability;

void* TracingHttpClientObserver::started(net::HttpRequestInfo& request, int resend_count) {
  const bool known = is_known_method(request.method);
  otel::SpanOptions options;
  options.kind = otel::SpanKind::client;
  options.provider = provider_;
  otel::Span span = otel::span(known ? request.method : std::string_view("HTTP"), options);
  HeadersWriter headers(request.headers);
  otel::inject(span.context(), headers, provider_);
  if (span.recording()) {
    span.set("http.request.method", known ? request.method : std::string_view("_OTHER"));
    if (!known) span.set("http.request.method_original", request.method);
    span.set("url.full", redact_url(request.url));
    span.set("server.address", request.host);
    span.set("server.port", request.port);
    if (resend_count > 0) span.set("http.request.resend_count", resend_count);
  }
  return span.release();
}

void TracingHttpClientObserver::finished(void* token, int status, const Error* error,
                                         const net::PeerAddress& peer) {
  otel::Span span = otel::Span::adopt(token);
  if (!span.recording()) return;
  if (!peer.address.empty()) {
    span.set("network.peer.address", peer.address);
    span.set("network.peer.port", peer.port);
  }
  if (status != 0) span.set("http.response.status_code", status);
  if (status >= 400) {
    span.set("error.type", std::to_string(status));
    span.error("");
  } else if (error != nullptr) {
    span.set("error.type", to_string(error->code));
    span.error(error->message);
  }
}

}  // namespace alphaswarm::instrumentation
