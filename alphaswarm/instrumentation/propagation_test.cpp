// The forms of OTEL_PROPAGATORS on the HTTP server and client: which headers each reads, which it
// writes, and that a trace goes on where two services have different ones.

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "alphaswarm/base/task_local.hpp"
#include "alphaswarm/instrumentation/http_client.hpp"
#include "alphaswarm/instrumentation/http_server.hpp"
#include "alphaswarm/instrumentation/spans_for_tests.hpp"
#include "alphaswarm/observability/api/propagators.hpp"

namespace alphaswarm::instrumentation {
namespace {

namespace otel = alphaswarm::observability;
using otel::Propagator;
using Fields = std::map<std::string, std::string>;

constexpr const char* kTrace = "0af7651916cd43dd8448eb211c80319c";
constexpr const char* kSpan = "b7ad6b7169203331";
const std::string kIds = std::string(kTrace) + "-" + kSpan;

// What OTEL_PROPAGATORS of this text configures.
std::vector<Propagator> propagators(std::string_view setting) {
  const std::map<std::string_view, Propagator> names = {
      {"tracecontext", Propagator::trace_context},
      {"baggage", Propagator::baggage},
      {"b3", Propagator::b3},
      {"b3multi", Propagator::b3_multi},
      {"jaeger", Propagator::jaeger},
  };
  std::vector<Propagator> found;
  while (setting != "none" && !setting.empty()) {
    const std::size_t end = std::min(setting.find(','), setting.size());
    found.push_back(names.at(setting.substr(0, end)));
    setting.remove_prefix(std::min(end + 1, setting.size()));
  }
  return found;
}

net::HttpRequest request_with(const Fields& fields) {
  net::HttpRequest request;
  request.method = "GET";
  request.path = request.route = "/a";
  for (const auto& [name, value] : fields) request.headers.add(name, value);
  return request;
}

struct Arrival {
  std::string setting;
  Fields fields;
  std::string parent;   // empty: a new trace
  std::string baggage;  // current while the handler runs
};

TEST(Propagation, WhatTheServerReads) {
  const std::string w3c = "00-" + kIds + "-03";
  const std::string other = "00-11111111111111111111111111111111-2222222222222222-01";
  const Arrival table[] = {
      {"tracecontext,baggage", {{"TraceParent", w3c}, {"Baggage", "desk=fx"}}, kSpan, "desk=fx"},
      {"tracecontext", {{"traceparent", w3c}, {"baggage", "desk=fx"}}, kSpan, ""},
      {"tracecontext", {{"b3", kIds + "-1"}}, "", ""},
      {"baggage", {{"traceparent", w3c}, {"baggage", "a=1,b=2"}}, "", "a=1,b=2"},
      {"b3", {{"B3", kIds + "-1"}}, kSpan, ""},
      {"b3", {{"traceparent", w3c}}, "", ""},
      {"b3multi",
       {{"X-B3-TraceId", kTrace}, {"X-B3-SpanId", kSpan}, {"X-B3-Sampled", "1"}},
       kSpan,
       ""},
      {"jaeger", {{"uber-trace-id", std::string(kTrace) + ":" + kSpan + ":0:1"}}, kSpan, ""},
      {"b3,tracecontext", {{"traceparent", w3c}, {"b3", "1111111111111111-22-1"}}, kSpan, ""},
      {"tracecontext,b3", {{"traceparent", other}, {"b3", kIds + "-1"}}, kSpan, ""},
      {"none", {{"traceparent", w3c}, {"baggage", "desk=fx"}}, "", ""},
  };
  for (const Arrival& each : table) {
    SCOPED_TRACE(each.setting);
    SpanKeeper keeper("test", 1.0, propagators(each.setting));
    TracingHttpServerObserver observer(keeper.provider());
    const net::HttpRequest request = request_with(each.fields);
    const net::ObserverToken token = start(observer, request);
    EXPECT_EQ(otel::current_baggage().to_header(), each.baggage);
    observer.finished(token, 200, nullptr);
    EXPECT_TRUE(otel::current_baggage().empty());
    const otel::FinishedSpan span = keeper.only();
    EXPECT_EQ(span.parent_id.is_valid() ? span.parent_id.to_hex() : "", each.parent);
    EXPECT_EQ(span.trace_id.to_hex() == kTrace, !each.parent.empty());
  }
}

TEST(Propagation, WhatTheServerReadsFromSeveralFieldsIsOneList) {
  SpanKeeper keeper;
  TracingHttpServerObserver observer(keeper.provider());
  net::HttpRequest request = request_with({{"baggage", "a=1"}});
  request.headers.add("traceparent", "00-" + kIds + "-01");
  request.headers.add("Baggage", "b=2");
  request.headers.add("tracestate", "x=1");
  request.headers.add("tracestate", "y=2");
  const net::ObserverToken token = start(observer, request);
  EXPECT_EQ(otel::current_baggage().to_header(), "a=1,b=2");
  observer.finished(token, 200, nullptr);
  EXPECT_EQ(keeper.only().tracestate, "x=1,y=2");
}

TEST(Propagation, WhatTheClientWrites) {
  struct Departure {
    std::string setting;
    Fields fields;  // TRACE and SPAN stand for the ids
  };
  const Departure table[] = {
      {"tracecontext,baggage", {{"traceparent", "00-TRACE-SPAN-03"}, {"baggage", "desk=fx"}}},
      {"tracecontext", {{"traceparent", "00-TRACE-SPAN-03"}}},
      {"baggage", {{"baggage", "desk=fx"}}},
      {"b3", {{"b3", "TRACE-SPAN-1"}}},
      {"b3multi", {{"x-b3-traceid", "TRACE"}, {"x-b3-spanid", "SPAN"}, {"x-b3-sampled", "1"}}},
      {"jaeger", {{"uber-trace-id", "TRACE:SPAN:0:1"}}},
      {"tracecontext,b3", {{"traceparent", "00-TRACE-SPAN-03"}, {"b3", "TRACE-SPAN-1"}}},
      {"none", {}},
  };
  otel::Baggage baggage;
  baggage.set("desk", "fx");
  for (const Departure& each : table) {
    SCOPED_TRACE(each.setting);
    SpanKeeper keeper("test", 1.0, propagators(each.setting));
    TracingHttpClientObserver observer;  // it is the current provider whose forms count
    net::Headers headers;
    {
      const otel::BaggageScope scope(baggage);
      const otel::Span root = otel::span("root", {.provider = keeper.provider()});
      net::HttpRequestInfo info{"GET", "http://api.example/", "api.example", 80, headers};
      observer.finished(observer.started(info, 0), 200, nullptr, {});
    }
    const otel::FinishedSpan span = keeper.find("GET");
    Fields written;
    for (const net::Header& field : headers) {
      std::string value = field.value;
      const auto replace = [&](const std::string& text, const char* by) {
        if (const auto at = value.find(text); at != value.npos) value.replace(at, text.size(), by);
      };
      replace(span.trace_id.to_hex(), "TRACE");
      replace(span.span_id.to_hex(), "SPAN");
      written.emplace(field.name, value);
    }
    EXPECT_EQ(written, each.fields);
  }
}

// One service speaks B3, the next W3C; the one between understands both.
TEST(Propagation, ATraceGoesOnAcrossForms) {
  SpanKeeper middle("middle", 1.0, propagators("b3,tracecontext"));
  TracingHttpServerObserver server(middle.provider());
  TracingHttpClientObserver client;
  const net::HttpRequest request = request_with({{"b3", kIds + "-1"}});
  const net::ObserverToken token = start(server, request);
  net::Headers headers;
  net::HttpRequestInfo info{"GET", "http://api.example/", "api.example", 80, headers};
  client.finished(client.started(info, 0), 200, nullptr, {});
  server.finished(token, 200, nullptr);
  SpanKeeper last("last");
  TracingHttpServerObserver end(last.provider());
  net::HttpRequest onward = request_with({});
  onward.headers = headers;
  end.finished(start(end, onward), 200, nullptr);
  EXPECT_EQ(last.only().trace_id.to_hex(), kTrace);
  EXPECT_EQ(last.only().parent_id, middle.find("GET").span_id);
}

}  // namespace
}  // namespace alphaswarm::instrumentation
