#include "alphaswarm/api/routes/pages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <string>
#include <utility>
#include <vector>

#include "alphaswarm/api/routes/docs.hpp"
#include "alphaswarm/api/testing/service.hpp"
#include "alphaswarm/instrumentation/spans_for_tests.hpp"

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

// The path with something in place of each parameter.
std::string filled(std::string_view path) {
  std::string out;
  bool inside = false;
  for (const char c : path) {
    if (c == '{') out += 'x';
    inside = c == '{' || (inside && c != '}');
    if (!inside && c != '}') out += c;
  }
  return out;
}

std::string upper_case(std::string_view method) {
  std::string upper(method);
  std::ranges::transform(upper, upper.begin(), [](char c) { return c - 'a' + 'A'; });
  return upper;
}

void connect_and_close(Service& service, const std::string& path) {
  const auto meet = [](std::string url) -> net::task<std::string> {
    Result<net::WebSocket> socket = co_await net::connect_websocket(std::move(url));
    if (!socket) co_return socket.error().message;
    co_await socket->close();
    co_return "";
  };
  EXPECT_EQ(net::block_on(service.client_runtime(), meet(service.websocket_url(path))), "") << path;
}

TEST(DocsRoutes, DescribeEveryRouteThatIsServed) {
  Service service(with_pages);
  const net::HttpResponse response = service.get("/openapi.json");
  ASSERT_EQ(response.status, 200);
  const boost::json::value document = boost::json::parse(response.body);
  EXPECT_EQ(document.at("info").at("version").as_string(), "0.0.0-test");
  const std::string no_route = service.refusal("GET", "/no/such/route", "", 404);
  std::size_t described = 0;
  for (const auto& [path, methods] : document.at("paths").as_object()) {
    for (const auto& [method, operation] : methods.as_object()) {
      ++described;
      EXPECT_FALSE(operation.at("summary").as_string().empty()) << path;
      const std::string upper = upper_case(method);
      if (path.starts_with("/chat/")) continue;  // a WebSocket, with tests of its own
      const net::HttpResponse answer = service.send(upper, filled(path));
      EXPECT_NE(answer.status, 405) << upper << " " << path;
      EXPECT_EQ(answer.body.find(no_route), std::string::npos) << upper << " " << path;
      const std::string status = std::to_string(answer.status);
      EXPECT_TRUE(operation.at("responses").as_object().contains(status))
          << upper << " " << path << " answered " << status << ", which it does not describe";
    }
  }
  EXPECT_EQ(described, 37U);
}

// What the document describes is what the instrumentation map promises: a SERVER span each, with
// the template and not the path, of whatever answer.
TEST(DocsRoutes, EveryRouteDescribedIsASpan) {
  instrumentation::SpanKeeper keeper;
  instrumentation::TracingHttpServerObserver observer(keeper.provider());
  using Names = std::vector<std::pair<std::string, std::string>>;  // span, http.route
  Names wanted;
  {
    Service service(with_pages, {.observer = &observer});
    const boost::json::value document = boost::json::parse(service.get("/openapi.json").body);
    wanted.emplace_back("GET /openapi.json", "/openapi.json");
    for (const auto& [path, methods] : document.at("paths").as_object()) {
      for (const auto& [method, operation] : methods.as_object()) {
        const std::string upper = upper_case(method);
        wanted.emplace_back(upper + " " + std::string(path), path);
        if (path.starts_with("/chat/")) {
          connect_and_close(service, filled(path));
        } else {
          (void)service.send(upper, filled(path));
        }
      }
    }
  }
  Names seen;
  for (const auto& span : keeper.spans()) {
    if (span.kind != observability::SpanKind::server) continue;
    const auto route = span.attributes.find("http.route");
    seen.emplace_back(span.name, route == span.attributes.end() ? "" : route->second);
    // The document has no sign for a parameter of several segments, the router has.
    std::erase(seen.back().first, '*');
    std::erase(seen.back().second, '*');
    EXPECT_FALSE(span.attributes.at("http.response.status_code").empty()) << span.name;
  }
  EXPECT_GT(wanted.size(), 30U);
  EXPECT_THAT(seen, ::testing::UnorderedElementsAreArray(wanted));
}

}  // namespace
}  // namespace alphaswarm::api
