#include "alphaswarm/api/routes/health.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <latch>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "alphaswarm/api/testing/service.hpp"
#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/base/thread.hpp"

namespace alphaswarm::api {
namespace {

using testing::Service;

TEST(HealthRoutes, TellEachDependency) {
  std::atomic<bool> exchange_there{true};
  Service service([&](ApiDependencies& dependencies) {
    dependencies.health_checks.push_back(
        {"exchange", true, [&]() -> net::task<Result<std::string>> {
           // Relaxed: the test's own requests order it.
           if (exchange_there.load(std::memory_order_relaxed)) co_return std::string("answers");
           co_return fail(ErrorCode::unavailable, "the exchange does not answer");
         }});
  });
  const auto well = service.get_json("/health", "Health");
  EXPECT_EQ(well.at("status").as_string(), "ok");
  EXPECT_EQ(well.at("dependencies").as_object().size(), 3U);
  EXPECT_EQ(well.at("dependencies").at("database").at("detail").as_string(), "sqlite test.db");
  (void)service.get_json("/health/ready", "Health");

  exchange_there.store(false, std::memory_order_relaxed);
  const auto ill = service.get_json("/health", "Health");
  EXPECT_EQ(ill.at("status").as_string(), "degraded");
  EXPECT_EQ(ill.at("dependencies").at("exchange").at("status").as_string(), "away");
  EXPECT_EQ(ill.at("dependencies").at("exchange").at("detail").as_string(),
            "the exchange does not answer");
  (void)service.call("GET", "/health/ready", "", 503, "Health");
}

TEST(HealthRoutes, AnOptionalDependencyDoesNotMakeTheServiceUnready) {
  Service service([](ApiDependencies& dependencies) {
    dependencies.health_checks.push_back({"worker", false, []() -> net::task<Result<std::string>> {
                                            co_return fail(ErrorCode::unavailable, "no worker");
                                          }});
  });
  EXPECT_EQ(service.get_json("/health/ready", "Health").at("status").as_string(), "degraded");
}

TEST(HealthRoutes, LiveAsksNothing) {
  std::atomic<int> asked{0};
  Service service([&](ApiDependencies& dependencies) {
    dependencies.health_checks.push_back(
        {"exchange", true, [&]() -> net::task<Result<std::string>> {
           asked.fetch_add(1, std::memory_order_relaxed);  // relaxed: the test's requests order it
           co_return fail(ErrorCode::unavailable, "the exchange does not answer");
         }});
  });
  EXPECT_EQ(service.get_json("/health/live", "Alive").at("status").as_string(), "ok");
  EXPECT_EQ(asked.load(std::memory_order_relaxed), 0);
  (void)service.call("GET", "/health/ready", "", 503, "Health");
  EXPECT_EQ(asked.load(std::memory_order_relaxed), 1);
}

TEST(HealthRoutes, LiveAnswersWhileEveryHandlerHangs) {
  constexpr int kHandlers = 4;  // as many as the service has threads for calls that wait
  std::latch hanging{kHandlers};
  std::latch released{1};
  Service service([&](ApiDependencies& dependencies) {
    dependencies.health_checks.push_back(
        {"hangs", true, [&]() -> net::task<Result<std::string>> {
           const auto hang = [&] {
             hanging.count_down();
             released.wait();  // holds its thread, as a database that does not answer does
           };
           co_await net::blocking(hang);
           co_return std::string("answers");
         }});
  });
  std::vector<std::jthread> clients;
  for (int i = 0; i < kHandlers; ++i) {
    clients.push_back(start_thread(
        "client", [&](const std::stop_token&) { (void)service.get_json("/health", "Health"); }));
  }
  hanging.wait();
  EXPECT_EQ(service.get_json("/health/live", "Alive").at("status").as_string(), "ok");
  released.count_down();
}

TEST(HealthRoutes, RootSaysWhereThingsAre) {
  Service service;
  const auto root = service.get_json("/", "ServiceInfo");
  EXPECT_EQ(root.at("traces").as_string(), "http://127.0.0.1:16686");
}

TEST(HealthRoutes, MetricsAreCountersByFamily) {
  Service service([](ApiDependencies& dependencies) {
    dependencies.more_metrics = [] { return std::string("more_metric 1\n"); };
  });
  counter("api_test_total", R"(kind="a")", "Counted by a test.").add(2);
  counter("api_test_total", R"(kind="b")", "Counted by a test.").add(3);
  const net::HttpResponse response = service.get("/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(response.body.find("# HELP api_test_total Counted by a test.\n"
                               "# TYPE api_test_total counter\n"
                               "api_test_total{kind=\"a\"} 2\napi_test_total{kind=\"b\"} 3\n"),
            std::string::npos)
      << response.body;
  EXPECT_TRUE(response.body.ends_with("more_metric 1\n"));
}

}  // namespace
}  // namespace alphaswarm::api
