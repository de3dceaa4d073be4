#include "alphaswarm/instrumentation/http_server.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "alphaswarm/instrumentation/spans_for_tests.hpp"

namespace alphaswarm::instrumentation {
namespace {

namespace otel = alphaswarm::observability;
using Attributes = otel::TextAttributes;

net::HttpRequest request(std::string method, std::string path, std::string_view route) {
  net::HttpRequest out;
  out.method = std::move(method);
  out.path = std::move(path);
  out.route = route;
  out.peer_address = "10.0.0.9";
  out.peer_port = 4711;
  out.server_address = "127.0.0.1";
  out.server_port = 8000;
  return out;
}

// What every request here has in common.
Attributes with(Attributes own) {
  own.insert({{"url.scheme", "http"},
              {"server.address", "127.0.0.1"},
              {"server.port", "8000"},
              {"client.address", "10.0.0.9"},
              {"client.port", "4711"},
              {"network.protocol.version", "1.1"}});
  return own;
}

struct Case {
  net::HttpRequest request;
  int status;
  std::optional<Error> error;
  std::string name;
  Attributes attributes;
  otel::StatusCode span_status;
  std::string description;
};

void check(const Case& c) {
  SpanKeeper keeper;
  TracingHttpServerObserver observer(keeper.provider());
  const net::ObserverToken token = start(observer, c.request);
  net::HttpResponse response;
  response.status = c.status;
  std::string fields;
  observer.responding(token, c.request, response, fields);
  observer.finished(token, c.status, c.error ? &*c.error : nullptr);
  const otel::FinishedSpan span = keeper.only();
  SCOPED_TRACE(c.name);
  EXPECT_EQ(span.name, c.name);
  EXPECT_EQ(span.kind, otel::SpanKind::server);
  EXPECT_EQ(span.attributes, c.attributes);
  EXPECT_EQ(span.status, c.span_status);
  EXPECT_EQ(span.status_message, c.description);
  EXPECT_FALSE(span.parent_id.is_valid());
  EXPECT_EQ(fields, "traceresponse: 00-" + span.trace_id.to_hex() + "-" + span.span_id.to_hex() +
                        "-03\r\nx-trace-id: " + span.trace_id.to_hex() + "\r\n");
}

TEST(HttpServerSpans, ARoute) {
  net::HttpRequest r = request("GET", "/paper/runs/7", "/paper/runs/{id}");
  r.query = "limit=5&api_key=hunter2";
  r.headers.add("User-Agent", "curl/8");
  r.headers.add("Authorization", "Bearer hunter2");
  check({r,
         200,
         {},
         "GET /paper/runs/{id}",
         with({{"http.request.method", "GET"},
               {"http.route", "/paper/runs/{id}"},
               {"url.path", "/paper/runs/7"},
               {"url.query", "limit=5&api_key=REDACTED"},
               {"user_agent.original", "curl/8"},
               {"http.response.status_code", "200"}}),
         otel::StatusCode::unset,
         ""});
}

TEST(HttpServerSpans, NoRoute) {
  check({request("GET", "/nowhere", ""),
         404,
         {},
         "GET",
         with({{"http.request.method", "GET"},
               {"url.path", "/nowhere"},
               {"http.response.status_code", "404"}}),
         otel::StatusCode::unset,
         ""});
}

TEST(HttpServerSpans, AnUnknownMethod) {
  check({request("FROB", "/a", "/a"),
         405,
         {},
         "HTTP /a",
         with({{"http.request.method", "_OTHER"},
               {"http.request.method_original", "FROB"},
               {"http.route", "/a"},
               {"url.path", "/a"},
               {"http.response.status_code", "405"}}),
         otel::StatusCode::unset,
         ""});
}

TEST(HttpServerSpans, AServerErrorIsAnError) {
  check({request("POST", "/a", "/a"),
         503,
         {},
         "POST /a",
         with({{"http.request.method", "POST"},
               {"http.route", "/a"},
               {"url.path", "/a"},
               {"http.response.status_code", "503"},
               {"error.type", "503"}}),
         otel::StatusCode::error,
         ""});
}

TEST(HttpServerSpans, AHandlersException) {
  check({request("POST", "/a", "/a"), 500, Error{ErrorCode::internal, "it broke"}, "POST /a",
         with({{"http.request.method", "POST"},
               {"http.route", "/a"},
               {"url.path", "/a"},
               {"http.response.status_code", "500"},
               {"error.type", "500"}}),
         otel::StatusCode::error, "it broke"});
}

TEST(HttpServerSpans, AResponseThatCouldNotBeSent) {
  check({request("GET", "/a", "/a"), 0, Error{ErrorCode::unavailable, "peer gone"}, "GET /a",
         with({{"http.request.method", "GET"},
               {"http.route", "/a"},
               {"url.path", "/a"},
               {"error.type", "unavailable"}}),
         otel::StatusCode::error, "peer gone"});
}

TEST(HttpServerSpans, TheHostHeaderNamesTheServer) {
  struct Host {
    std::string_view header, address, port;
  };
  for (const Host& host :
       {Host{"api.example", "api.example", "80"}, Host{"api.example:8443", "api.example", "8443"},
        Host{"[::1]:81", "::1", "81"}, Host{"[::1]", "::1", "80"},
        Host{"api.example:x", "api.example", "8000"}}) {
    SpanKeeper keeper;
    TracingHttpServerObserver observer(keeper.provider());
    net::HttpRequest r = request("GET", "/", "/");
    r.headers.add("Host", host.header);
    observer.finished(start(observer, r), 200, nullptr);
    const Attributes attributes = keeper.only().attributes;
    EXPECT_EQ(attributes.at("server.address"), host.address);
    EXPECT_EQ(attributes.at("server.port"), host.port);
  }
}

// A proxy sends the requests of many clients, to many hosts, over one connection.
TEST(HttpServerSpans, EachRequestOfAConnectionIsDescribedAsItself) {
  SpanKeeper keeper;
  TracingHttpServerObserver observer(keeper.provider());
  std::shared_ptr<void> notes;
  const auto serve = [&](std::string_view host, std::string_view agent, unsigned version) {
    net::HttpRequest r = request("GET", "/", "/");
    r.http_version = version;
    if (!host.empty()) r.headers.add("Host", host);
    if (!agent.empty()) r.headers.add("User-Agent", agent);
    observer.finished(observer.started(r, notes), 200, nullptr);
    return keeper.spans().back().attributes;
  };
  for (int again = 0; again < 2; ++again) {
    EXPECT_EQ(serve("one.example", "curl/8", 11).at("server.address"), "one.example");
  }
  EXPECT_EQ(serve("two.example", "curl/8", 11).at("server.address"), "two.example");
  EXPECT_EQ(serve("two.example", "wget", 11).at("user_agent.original"), "wget");
  EXPECT_EQ(serve("two.example", "wget", 10).at("network.protocol.version"), "1.0");
  const Attributes nameless = serve("", "", 10);
  EXPECT_EQ(nameless.at("server.address"), "127.0.0.1");
  EXPECT_FALSE(nameless.contains("user_agent.original"));
}

TEST(HttpServerSpans, ContinuesTheCallersTrace) {
  SpanKeeper keeper;
  TracingHttpServerObserver observer(keeper.provider());
  net::HttpRequest r = request("GET", "/a", "/a");
  r.headers.add("TraceParent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03");
  r.headers.add("tracestate", "vendor=x");
  observer.finished(start(observer, r), 200, nullptr);
  const otel::FinishedSpan span = keeper.only();
  EXPECT_EQ(span.trace_id.to_hex(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(span.parent_id.to_hex(), "b7ad6b7169203331");
  EXPECT_EQ(span.tracestate, "vendor=x");
  EXPECT_EQ(span.flags & 0x300U, 0x300U) << "the parent is remote";
}

TEST(HttpServerSpans, ABrokenTraceparentStartsANewTrace) {
  SpanKeeper keeper;
  TracingHttpServerObserver observer(keeper.provider());
  net::HttpRequest r = request("GET", "/a", "/a");
  r.headers.add("traceparent", "00-zzz");
  observer.finished(start(observer, r), 200, nullptr);
  EXPECT_FALSE(keeper.only().parent_id.is_valid());
}

TEST(HttpServerSpans, ANotSampledRequestIsNotRecordedButHasItsId) {
  SpanKeeper keeper;
  TracingHttpServerObserver observer(keeper.provider());
  net::HttpRequest r = request("GET", "/a", "/a");
  r.headers.add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
  const net::ObserverToken token = start(observer, r);
  net::HttpResponse response;
  std::string fields;
  observer.responding(token, r, response, fields);
  observer.finished(token, 200, nullptr);
  EXPECT_TRUE(keeper.spans().empty());
  EXPECT_TRUE(fields.ends_with("\r\nx-trace-id: 0af7651916cd43dd8448eb211c80319c\r\n")) << fields;
}

TEST(HttpServerSpans, NothingOfAnExcludedUrlIsRecorded) {
  SpanKeeper keeper;
  TracingHttpServerObserver observer(keeper.provider(), *UrlFilter::parse("^/health"));
  net::HttpRequest r = request("GET", "/health", "/health");
  r.headers.add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  const net::ObserverToken token = start(observer, r);
  {
    const otel::Span inner = otel::span("SELECT 1");
  }
  net::HttpResponse response;
  std::string fields;
  observer.responding(token, r, response, fields);
  observer.finished(token, 200, nullptr);
  EXPECT_TRUE(keeper.spans().empty());
  EXPECT_EQ(fields, "");
  {
    const otel::Span later = otel::span("after", {.provider = keeper.provider()});
  }
  EXPECT_EQ(keeper.only().name, "after") << "the next request is traced again";
}

}  // namespace
}  // namespace alphaswarm::instrumentation
