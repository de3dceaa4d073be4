// Server and client against each other, over loopback.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>

#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/net/http_server.hpp"
#include "alphaswarm/net/task.hpp"

namespace alphaswarm::net {
namespace {

using namespace std::chrono_literals;

task<HttpResponse> echo(const HttpRequest& request) {
  HttpResponse response = HttpResponse::text(200, request.body);
  response.headers.add("X-Method", request.method);
  response.headers.add("X-Route", request.route);
  response.headers.add("X-Id", request.path_param("id").value_or("-"));
  response.headers.add("X-Query", request.query_param("q").value_or("-"));
  co_return response;
}

class HttpTest : public testing::Test {
 protected:
  void SetUp() override {
    router_.add({"GET", "/items/{id}", echo});
    router_.add({"DELETE", "/items/{id}", echo});
    router_.add({"GET", "/items/special", echo});
    router_.add({"POST", "/echo", echo});
    router_.add({"GET", "/files/{path*}", [](const HttpRequest& request) -> task<HttpResponse> {
                   co_return HttpResponse::text(200, std::string(*request.path_param("path")));
                 }});
    router_.add({"GET", "/throws", [](const HttpRequest&) -> task<HttpResponse> {
                   throw std::runtime_error("secret detail");
                   co_return HttpResponse();
                 }});
    router_.add({"GET", "/slow", [](const HttpRequest&) -> task<HttpResponse> {
                   (void)co_await sleep_for(10s);
                   co_return HttpResponse::text(200, "late");
                 }});
  }
  void start(HttpServerConfig config = {}) {
    auto server = HttpServer::start(runtime_, router_, std::move(config));
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }
  std::string url(std::string_view path) const {
    return "http://127.0.0.1:" + std::to_string(server_->port()) + std::string(path);
  }
  Result<HttpResponse> send(ClientRequest request) {
    return block_on(runtime_, client_.send(std::move(request)));
  }
  HttpResponse get(std::string_view path) {
    auto response = send({.method = "GET", .url = url(path)});
    EXPECT_TRUE(response) << response.error().message;
    return response ? *response : HttpResponse{.status = 0};
  }

  Runtime runtime_{"http", 2};
  Router router_;
  std::unique_ptr<HttpServer> server_;
  HttpClient client_{runtime_};
};

TEST_F(HttpTest, RoutesByTemplate) {
  start();
  const HttpResponse item = get("/items/a%20b?q=x%26y");
  EXPECT_EQ(item.status, 200);
  EXPECT_EQ(item.headers.get("x-route"), "/items/{id}");
  EXPECT_EQ(item.headers.get("X-Id"), "a b");
  EXPECT_EQ(item.headers.get("X-Query"), "x&y");
  EXPECT_EQ(get("/items/special").headers.get("X-Route"), "/items/special");
  EXPECT_EQ(get("/files/a/b/c.js").body, "a/b/c.js");
  EXPECT_EQ(get("/files/").body, "");
}

TEST_F(HttpTest, SaysWhatIsWrongAsJson) {
  start();
  EXPECT_EQ(get("/nowhere").status, 404);
  EXPECT_EQ(get("/nowhere").body, R"({"detail":"there is nothing at /nowhere"})");
  const auto wrong = send({.method = "PUT", .url = url("/items/1")});
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->status, 405);
  EXPECT_EQ(wrong->headers.get("Allow"), "GET, DELETE, HEAD, OPTIONS");
  const HttpResponse thrown = get("/throws");
  EXPECT_EQ(thrown.status, 500);
  EXPECT_EQ(thrown.body, R"({"detail":"internal error"})");
}

TEST_F(HttpTest, HeadHasTheLengthAndNoBody) {
  start();
  const auto head = send({.method = "HEAD", .url = url("/files/abc")});
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->headers.get("Content-Length"), "3");
  EXPECT_EQ(head->body, "");
  EXPECT_EQ(get("/files/abc").body, "abc");  // the connection is still in step
}

TEST_F(HttpTest, BodiesUpToTheLimit) {
  start({.max_body_bytes = 1000});
  const auto fits = send({.method = "POST", .url = url("/echo"), .body = std::string(1000, 'x')});
  ASSERT_TRUE(fits);
  EXPECT_EQ(fits->status, 200);
  EXPECT_EQ(fits->body.size(), 1000U);
  const auto big = send({.method = "POST", .url = url("/echo"), .body = std::string(1001, 'x')});
  ASSERT_TRUE(big) << big.error().message;
  EXPECT_EQ(big->status, 413);
}

TEST_F(HttpTest, BigBodiesBothWays) {
  start();
  std::string body(8U << 20, 'x');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 23);
  const auto echoed = send({.method = "POST", .url = url("/echo"), .body = body});
  ASSERT_TRUE(echoed) << echoed.error().message;
  EXPECT_TRUE(echoed->body == body);
}

TEST_F(HttpTest, KeepsOneConnectionAlive) {
  start();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(get("/items/1").status, 200);
  EXPECT_EQ(server_->connections(), 1U);
}

TEST_F(HttpTest, AClientTimesOut) {
  start();
  const auto begin = std::chrono::steady_clock::now();
  const auto late = send({.url = url("/slow"), .timeout = 50ms});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::deadline_exceeded);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s);
}

TEST_F(HttpTest, NobodyListens) {
  start();
  const std::string nowhere = url("/items/1");
  server_.reset();
  const auto refused = send({.url = nowhere});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(refused.error().retryable);
}

TEST_F(HttpTest, ABusyPortIsNamed) {
  start();
  const auto second = HttpServer::start(runtime_, router_, {.port = server_->port()});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::unavailable);
  EXPECT_NE(second.error().message.find(std::to_string(server_->port())), std::string::npos);
}

}  // namespace
}  // namespace alphaswarm::net
