#include "alphaswarm/api/route_table.hpp"

#include <gtest/gtest.h>

#include <boost/json/value.hpp>

#include <string>

#include "alphaswarm/api/testing/service.hpp"

namespace alphaswarm::api {
namespace {

net::HttpRequest from(std::string origin) {
  net::HttpRequest request;
  request.headers.set("host", "127.0.0.1:8000");
  if (!origin.empty()) request.headers.set("origin", origin);
  return request;
}

TEST(SameOrigin, IsTheHostThatWasAsked) {
  EXPECT_TRUE(is_same_origin(from("")));
  EXPECT_TRUE(is_same_origin(from("http://127.0.0.1:8000")));
  EXPECT_TRUE(is_same_origin(from("HTTP://127.0.0.1:8000")));
  EXPECT_FALSE(is_same_origin(from("http://127.0.0.1:16686")));
  EXPECT_FALSE(is_same_origin(from("https://evil.example")));
  EXPECT_FALSE(is_same_origin(from("http://127.0.0.1:8000.evil.example")));
  EXPECT_FALSE(is_same_origin(from("null")));
}

TEST(RouteTable, RefusesChangesFromOtherSites) {
  testing::Service service;
  const std::string body = R"({"engage":true,"reason":"drive-by"})";
  const net::HttpResponse refused =
      service.send("POST", "/portfolio/kill_switch", body, {{"origin", "https://evil.example"}});
  EXPECT_EQ(refused.status, 403);
  EXPECT_FALSE(service.get_json("/portfolio/kill_switch", "KillSwitch").at("engaged").as_bool());
  EXPECT_EQ(service.send("GET", "/health", "", {{"origin", "https://evil.example"}}).status, 200);
}

}  // namespace
}  // namespace alphaswarm::api
