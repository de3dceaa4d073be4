#include "alphaswarm/instrumentation/http_server.hpp"

#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "alphaswarm/instrumentation/http_headers.hpp"
#include "alphaswarm/instrumentation/http_method.hpp"
#include "alphaswarm/instrumentation/redact.hpp"
#include "alphaswarm/observability/api/prepared_attributes.hpp"
#include "alphaswarm/observability/api/propagation.hpp"
#include "alphaswarm/observability/tracing.hpp"

namespace alphaswarm::instrumentation {
namespace otel = alphaswarm::observability;
namespace {

// What the token carries beside the span, for the few requests that need it.
struct Beside {
  std::optional<otel::BaggageScope> baggage;
  bool excluded = false;
};

Beside* beside(net::ObserverToken token) { return static_cast<Beside*>(token.second); }

std::string span_name(const net::HttpRequest& request, bool known) {
  std::string name = known ? request.method : "HTTP";
  if (!request.route.empty()) name.append(" ").append(request.route);
  return name;
}

// What the client called us: the Host header, else the address it reached.
struct ServerName {
  std::string_view address;
  std::uint16_t port;
};

std::string_view host_of(const net::HttpRequest& request) {
  return request.headers.get("Host").value_or("");
}

ServerName server_name(const net::HttpRequest& request) {
  const std::string_view host = host_of(request);
  if (host.empty()) return {request.server_address, request.server_port};
  const std::size_t bracket = host.rfind(']');  // of an IPv6 address
  const std::size_t colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  ServerName name{host.substr(0, colon), 80};  // the default port of http is not written
  if (colon != std::string_view::npos) {
    const std::string_view port = host.substr(colon + 1);
    if (std::from_chars(port.data(), port.data() + port.size(), name.port).ec != std::errc()) {
      name.port = request.server_port;
    }
  }
  if (name.address.starts_with('[') && name.address.ends_with(']')) {
    name.address = name.address.substr(1, name.address.size() - 2);
  }
  return name;
}

// What a connection's requests have in common, as long as they call us alike. Not the user agent:
// a proxy sends those of many clients over one connection.
struct Connection {
  explicit Connection(const net::HttpRequest& request)
      : host(host_of(request)), http_version(request.http_version) {
    const ServerName server = server_name(request);
    attributes = otel::PreparedAttributes(
        {{"url.scheme", "http"},
         {"server.address", server.address},
         {"server.port", server.port},
         {"client.address", request.peer_address},
         {"client.port", request.peer_port},
         {"network.protocol.version", http_version == 10 ? "1.0" : "1.1"}});
  }
  [[nodiscard]] bool fits(const net::HttpRequest& request) const {
    return host == host_of(request) && http_version == request.http_version;
  }

  const std::string host;
  const unsigned http_version;
  otel::PreparedAttributes attributes;
};

void describe(otel::Span& span, const net::HttpRequest& request, bool known,
              std::shared_ptr<void>& notes) {
  if (notes == nullptr || !static_cast<Connection*>(notes.get())->fits(request)) {
    notes = std::make_shared<Connection>(request);
  }
  span.set(static_cast<Connection*>(notes.get())->attributes);
  span.set({{"http.request.method", known ? std::string_view(request.method) : "_OTHER"},
            {"url.path", request.path}});
  if (!request.route.empty()) span.set("http.route", request.route);
  if (!known) span.set("http.request.method_original", request.method);
  if (!request.query.empty()) span.set("url.query", redact_query(request.query));
  if (const auto agent = request.headers.get("User-Agent")) span.set("user_agent.original", *agent);
}

// A parent that nobody recorded: what hangs below it is not recorded either.
otel::SpanContext unrecorded_parent() {
  otel::SpanContext parent;
  parent.trace_id = TraceId::random();
  parent.span_id = SpanId::random();
  parent.remote = true;
  return parent;
}

}  // namespace

TracingHttpServerObserver::TracingHttpServerObserver(otel::TracerProvider* provider,
                                                     UrlFilter excluded)
    : provider_(provider), excluded_(std::move(excluded)) {}

net::ObserverToken TracingHttpServerObserver::started(const net::HttpRequest& request,
                                                      std::shared_ptr<void>& notes) {
  std::unique_ptr<Beside> other;
  otel::Extracted caller = otel::extract(HeadersReader(request.headers), provider_);
  const bool excluded = excluded_.excludes(request.path);
  if (excluded || !caller.baggage.empty()) {
    other = std::make_unique<Beside>();
    other->excluded = excluded;
    if (!caller.baggage.empty()) other->baggage.emplace(caller.baggage);
  }
  if (excluded) caller.parent = unrecorded_parent();
  const bool continues = caller.parent.is_valid();
  otel::SpanOptions options;
  options.kind = otel::SpanKind::server;
  options.provider = provider_;
  options.parent = continues ? &caller.parent : nullptr;
  options.root = !continues;
  const bool known = is_known_method(request.method);
  otel::Span span = otel::span(span_name(request, known), options);
  if (span.recording()) describe(span, request, known, notes);
  return {span.release(), other.release()};
}

void TracingHttpServerObserver::responding(net::ObserverToken token, const net::HttpRequest&,
                                           const net::HttpResponse&, std::string& fields) {
  const Beside* const other = beside(token);
  if (other != nullptr && other->excluded) return;
  otel::Span span = otel::Span::adopt(token.first);
  const otel::SpanContext context = span.context();
  (void)span.release();  // `finished` gets the same token
  if (!context.is_valid()) return;
  char text[otel::kTraceparentBytes];  // 00-<trace id>-<span id>-<flags>
  otel::write_traceparent(context, text);
  fields.reserve(fields.size() + 128);
  fields.append("traceresponse: ").append(text, sizeof text);
  fields.append("\r\nx-trace-id: ").append(text + 3, 32).append("\r\n");
}

void TracingHttpServerObserver::finished(net::ObserverToken token, int status, const Error* error) {
  const std::unique_ptr<Beside> other(beside(token));  // its baggage ends after the span
  otel::Span span = otel::Span::adopt(token.first);
  if (!span.recording()) return;
  if (status != 0) span.set("http.response.status_code", status);
  if (status >= 500) {
    span.set("error.type", std::to_string(status));
    span.error(error != nullptr ? std::string_view(error->message) : std::string_view());
  } else if (error != nullptr) {
    span.set("error.type", to_string(error->code));
    span.error(error->message);
  }
}

}  // namespace alphaswarm::instrumentation
