#include "alphaswarm/api/routes/pages.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <string>

#include "alphaswarm/api/routes/docs.hpp"
#include "alphaswarm/api/testing/service.hpp"

namespace alphaswarm::api {
namespace {

using testing::Service;

std::optional<Page> page_at(std::string_view path) {
  if (path == "/dash") return Page{"text/html; charset=utf-8", "", "<dash>", false};
  if (path == "/docs") return Page{"text/html; charset=utf-8", "", "<docs>", false};
  if (path == "/dash/assets/app-1a2b.js") return Page{"text/javascript", "gzip", "\x1f\x8b", true};
  return std::nullopt;
}

void with_pages(ApiDependencies& dependencies) { dependencies.pages = page_at; }

TEST(PageRoutes, ServeTheDashboardItsFilesAndDeepLinks) {
  Service service(with_pages);
  const net::HttpResponse page = service.get("/dash");
  EXPECT_EQ(page.body, "<dash>");
  EXPECT_EQ(page.headers.get("content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(page.headers.get("cache-control"), "no-cache");
  EXPECT_EQ(service.get("/dash/sessions/2f1e8d1c").body, "<dash>");
  EXPECT_EQ(service.get("/dash/").body, "<dash>");
  const net::HttpResponse script = service.get("/dash/assets/app-1a2b.js");
  EXPECT_EQ(script.headers.get("content-encoding"), "gzip");
  EXPECT_EQ(script.headers.get("cache-control"), "public, max-age=31536000, immutable");
  (void)service.refusal("GET", "/dash/assets/old.js", "", 404);
  EXPECT_EQ(service.get("/docs").body, "<docs>");
}

TEST(PageRoutes, TellTheDashboardWhereTheTracesAre) {
  Service service(with_pages);
  const auto config = service.get_json("/dash/config.json", "DashboardConfig");
  EXPECT_EQ(config.at("traceUiUrl").as_string(), "http://127.0.0.1:16686");
}

TEST(PageRoutes, WithoutPagesTheySaySo) {
  Service service;
  EXPECT_NE(service.refusal("GET", "/dash", "", 404).find("no web pages"), std::string::npos);
  EXPECT_NE(service.refusal("GET", "/docs", "", 404).find("/openapi.json"), std::string::npos);
}

TEST(DocsRoutes, DescribeEveryRouteThatIsServed) {
  Service service;
  const net::HttpResponse response = service.get("/openapi.json");
  ASSERT_EQ(response.status, 200);
  const boost::json::value document = boost::json::parse(response.body);
  EXPECT_EQ(document.at("info").at("version").as_string(), "0.0.0-test");
  std::size_t described = 0;
  for (const auto& [path, methods] : document.at("paths").as_object()) {
    described += methods.as_object().size();
    for (const auto& [method, operation] : methods.as_object()) {
      // Each is there: a path that no route serves would be 404 without a sentence of a route.
      EXPECT_FALSE(operation.at("summary").as_string().empty()) << path;
    }
  }
  EXPECT_GE(described, 30U);
  for (const char* path : {"/backtest/run", "/paper/stop/{task_id}", "/portfolio/kill_switch",
                           "/data/{vt_symbol}/bars", "/brokers/{venue}/orders/{id}",
                           "/chat/stream/{task_id}", "/openapi.json", "/dash/{path}"}) {
    EXPECT_TRUE(document.at("paths").as_object().contains(path)) << path;
  }
}

}  // namespace
}  // namespace alphaswarm::api
