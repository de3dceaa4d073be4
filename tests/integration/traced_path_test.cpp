// One paper run is one trace over four services, and spans and database rows agree.

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/integration/picture.hpp"
#include "tests/integration/system.hpp"

namespace alphaswarm::testing {
namespace {

namespace json = boost::json;

TEST(TracedPath, OnePaperRunIsOneTraceOverFourServices) {
  System system;
  system.ingest(kPictureBars);
  const json::object run = system.run_paper("picture");
  const std::string id(run.at("trace_id").as_string());
  expect_picture(system.trace_url(), id);

  const Trace trace(system.traces(), id);
  expect_one_trace(trace);
  const auto number = [&](const char* key) { return run.at(key).to_number<std::size_t>(); };
  EXPECT_EQ(number("bars_seen"), static_cast<std::size_t>(kPictureBars));
  EXPECT_GT(number("fills_count"), 0U);
  EXPECT_EQ(trace.count("paper.session.bar"), number("bars_seen"));
  EXPECT_EQ(trace.count("paper.session.submit_order"), number("orders_submitted"));
  EXPECT_EQ(trace.events_of("paper.session.submit_order"), number("fills_count"));
  EXPECT_EQ(run.at("orders").as_array().size(), number("orders_submitted"));
  EXPECT_EQ(run.at("fills").as_array().size(), number("fills_count"));
  EXPECT_EQ(system.process().stop(), 0) << system.process().output();
}

TEST(TracedPath, HoldsWithExchangeAndCollectorInProcessesOfTheirOwn) {
  CollectorProcess collector;
  ExchangeProcess exchange({{"ALPHASWARM_OTEL_ENDPOINT", collector.url(4317)}});
  System system({{"ALPHASWARM_OTEL_ENDPOINT", collector.url(4317)},
                 {"ALPHASWARM_EXCHANGE_URL", exchange.url()}});
  system.ingest(kPictureBars);
  const json::object run = system.run_paper("apart");
  const std::string id(run.at("trace_id").as_string());
  expect_picture(collector.url(16686), id);
  expect_one_trace(Trace(collector.traces(), id));
  EXPECT_EQ(exchange.process().stop(), 0) << exchange.process().output();
}

// Off is off: without an endpoint nothing is traced and no connection is tried.
TEST(TracedPath, OffIsOff) {
  ExchangeProcess exchange({});
  Http http(exchange.url());
  net::ClientRequest request;
  request.url = exchange.url() + "/v2/account";
  request.headers.set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  request.headers.set("APCA-API-KEY-ID", "off");
  request.headers.set("APCA-API-SECRET-KEY", "off");
  const Http::Reply reply = http.send(std::move(request));
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_FALSE(reply.headers.contains("x-trace-id"));
  EXPECT_EQ(exchange.process().stop(), 0);
  EXPECT_EQ(exchange.process().output().find("tracing:"), std::string::npos)
      << exchange.process().output();
}

}  // namespace
}  // namespace alphaswarm::testing
