#include "alphaswarm/instrumentation/http_client.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "alphaswarm/instrumentation/spans_for_tests.hpp"

namespace alphaswarm::instrumentation {
namespace {

namespace otel = alphaswarm::observability;
using Attributes = otel::TextAttributes;

struct Case {
  std::string method;
  std::string url;
  int resend_count;
  int status;
  std::optional<Error> error;
  net::PeerAddress peer;
  std::string name;
  Attributes attributes;
  otel::StatusCode span_status;
  std::string description;
};

void check(const Case& c) {
  SpanKeeper keeper;
  TracingHttpClientObserver observer(keeper.provider());
  net::Headers headers = {{"traceparent", "someone else's"}, {"tracestate", "old=1"}};
  net::HttpRequestInfo info{c.method, c.url, "api.example", 8100, headers};
  void* token = observer.started(info, c.resend_count);
  observer.finished(token, c.status, c.error ? &*c.error : nullptr, c.peer);
  const otel::FinishedSpan span = keeper.only();
  SCOPED_TRACE(c.name);
  EXPECT_EQ(span.name, c.name);
  EXPECT_EQ(span.kind, otel::SpanKind::client);
  EXPECT_EQ(span.attributes, c.attributes);
  EXPECT_EQ(span.status, c.span_status);
  EXPECT_EQ(span.status_message, c.description);
  EXPECT_EQ(headers.get("traceparent"),
            "00-" + span.trace_id.to_hex() + "-" + span.span_id.to_hex() + "-03");
  EXPECT_EQ(headers.get("tracestate").value_or(""), span.tracestate);
}

Attributes with(Attributes own) {
  own.insert({{"server.address", "api.example"}, {"server.port", "8100"}});
  return own;
}

const net::PeerAddress kPeer{"10.1.2.3", 8100};

TEST(HttpClientSpans, Success) {
  check({"GET",
         "http://me:pw@api.example:8100/v2/account?api_key=k&x=1",
         0,
         200,
         {},
         kPeer,
         "GET",
         with({{"http.request.method", "GET"},
               {"url.full",
                "http://REDACTED:REDACTED@api.example:8100/v2/account?api_key=REDACTED&x=1"},
               {"network.peer.address", "10.1.2.3"},
               {"network.peer.port", "8100"},
               {"http.response.status_code", "200"}}),
         otel::StatusCode::unset,
         ""});
}

TEST(HttpClientSpans, ClientAndServerErrorsAreErrors) {
  for (const int status : {404, 429, 500}) {
    check({"POST",
           "http://api.example:8100/",
           2,
           status,
           {},
           kPeer,
           "POST",
           with({{"http.request.method", "POST"},
                 {"url.full", "http://api.example:8100/"},
                 {"http.request.resend_count", "2"},
                 {"network.peer.address", "10.1.2.3"},
                 {"network.peer.port", "8100"},
                 {"http.response.status_code", std::to_string(status)},
                 {"error.type", std::to_string(status)}}),
           otel::StatusCode::error,
           ""});
  }
}

TEST(HttpClientSpans, NoConnection) {
  check({"GET",
         "http://api.example:8100/",
         0,
         0,
         Error{ErrorCode::unavailable, "refused"},
         {},
         "GET",
         with({{"http.request.method", "GET"},
               {"url.full", "http://api.example:8100/"},
               {"error.type", "unavailable"}}),
         otel::StatusCode::error,
         "refused"});
}

TEST(HttpClientSpans, AnUnknownMethod) {
  check({"FROB",
         "http://api.example:8100/",
         0,
         200,
         {},
         {},
         "HTTP",
         with({{"http.request.method", "_OTHER"},
               {"http.request.method_original", "FROB"},
               {"url.full", "http://api.example:8100/"},
               {"http.response.status_code", "200"}}),
         otel::StatusCode::unset,
         ""});
}

TEST(HttpClientSpans, WithoutTracingNothingIsAdded) {
  TracingHttpClientObserver observer;
  net::Headers headers;
  net::HttpRequestInfo info{"GET", "http://api.example/", "api.example", 80, headers};
  void* token = observer.started(info, 0);
  observer.finished(token, 200, nullptr, kPeer);
  EXPECT_TRUE(headers.empty());
}

TEST(HttpClientSpans, ANotSampledTraceTravelsOnAsSuch) {
  SpanKeeper keeper("test", 0.0);
  TracingHttpClientObserver observer(keeper.provider());
  net::Headers headers;
  net::HttpRequestInfo info{"GET", "http://api.example/", "api.example", 80, headers};
  void* token = observer.started(info, 0);
  observer.finished(token, 200, nullptr, kPeer);
  EXPECT_TRUE(headers.get("traceparent").value_or("").ends_with("-02"));
  EXPECT_TRUE(keeper.spans().empty());
}

}  // namespace
}  // namespace alphaswarm::instrumentation
