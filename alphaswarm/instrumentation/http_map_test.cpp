// The HTTP rows of the instrumentation map, one table each, over real connections: names, kinds,
// attributes and statuses, exactly.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include "alphaswarm/instrumentation/http_client.hpp"
#include "alphaswarm/instrumentation/http_server.hpp"
#include "alphaswarm/instrumentation/spans_for_tests.hpp"
#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/net/http_server.hpp"
#include "alphaswarm/net/raw_socket_for_tests.hpp"
#include "alphaswarm/net/task.hpp"

namespace alphaswarm::instrumentation {
namespace {

namespace otel = alphaswarm::observability;
using otel::StatusCode;
using otel::TextAttributes;

net::task<net::HttpResponse> run_of(const net::HttpRequest& request) {
  const bool known = request.path_param("id") != "missing";
  co_return known ? net::HttpResponse::text(200, "") : net::HttpResponse::detail(404, "no run");
}
net::task<net::HttpResponse> refused(const net::HttpRequest&) {
  co_return net::HttpResponse::detail(422, "no");
}
net::task<net::HttpResponse> broken(const net::HttpRequest&) {
  throw std::runtime_error("it broke");
  co_return net::HttpResponse();
}
net::task<net::HttpResponse> away(const net::HttpRequest&) {
  co_return net::HttpResponse::detail(503, "away");
}
net::task<net::HttpResponse> slow(const net::HttpRequest&) {
  (void)co_await net::sleep_for(std::chrono::seconds(20));
  co_return net::HttpResponse::text(200, "");
}
net::task<void> socket_of(const net::HttpRequest&, net::WebSocket&) { co_return; }

net::Router routes() {
  net::Router router;
  router.add({"GET", "/runs/{id}", run_of});
  router.add({"GET", "/health", run_of});
  router.add({"POST", "/refused", refused});
  router.add({"GET", "/broken", broken});
  router.add({"GET", "/away", away});
  router.add({"GET", "/slow", slow});
  router.add_websocket("/stream/{id}", socket_of);
  return router;
}

std::uint16_t local_port(const net::RawSocket& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(socket.descriptor(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

struct ServerRow {
  std::string request;  // first line and further headers
  std::string name;     // empty: no span
  TextAttributes attributes;
  StatusCode status = StatusCode::unset;
  std::string description{};
};

const ServerRow kServer[] = {
    {"GET /runs/7?limit=5&api_key=hunter2&X-Amz-Signature=x HTTP/1.1\r\n"
     "User-Agent: curl/8\r\nAuthorization: Bearer hunter2\r\n",
     "GET /runs/{id}",
     {{"http.request.method", "GET"},
      {"http.route", "/runs/{id}"},
      {"url.path", "/runs/7"},
      {"url.query", "limit=5&api_key=REDACTED&X-Amz-Signature=REDACTED"},
      {"user_agent.original", "curl/8"},
      {"http.response.status_code", "200"}}},
    {"HEAD /runs/7 HTTP/1.1\r\n",
     "HEAD /runs/{id}",
     {{"http.request.method", "HEAD"},
      {"http.route", "/runs/{id}"},
      {"url.path", "/runs/7"},
      {"http.response.status_code", "200"}}},
    {"GET /runs/7 HTTP/1.0\r\n",
     "GET /runs/{id}",
     {{"http.request.method", "GET"},
      {"http.route", "/runs/{id}"},
      {"url.path", "/runs/7"},
      {"network.protocol.version", "1.0"},
      {"http.response.status_code", "200"}}},
    {"GET /nowhere?token=t HTTP/1.1\r\n",
     "GET",
     {{"http.request.method", "GET"},
      {"url.path", "/nowhere"},
      {"url.query", "token=REDACTED"},
      {"http.response.status_code", "404"}}},
    {"GET /runs/missing HTTP/1.1\r\n",
     "GET /runs/{id}",
     {{"http.request.method", "GET"},
      {"http.route", "/runs/{id}"},
      {"url.path", "/runs/missing"},
      {"http.response.status_code", "404"}}},
    {"POST /refused HTTP/1.1\r\nContent-Length: 0\r\n",
     "POST /refused",
     {{"http.request.method", "POST"},
      {"http.route", "/refused"},
      {"url.path", "/refused"},
      {"http.response.status_code", "422"}}},
    {"DELETE /runs/7 HTTP/1.1\r\n",
     "DELETE /runs/{id}",
     {{"http.request.method", "DELETE"},
      {"http.route", "/runs/{id}"},
      {"url.path", "/runs/7"},
      {"http.response.status_code", "405"}}},
    {"FROB /runs/7 HTTP/1.1\r\n",
     "HTTP /runs/{id}",
     {{"http.request.method", "_OTHER"},
      {"http.request.method_original", "FROB"},
      {"http.route", "/runs/{id}"},
      {"url.path", "/runs/7"},
      {"http.response.status_code", "405"}}},
    {"FROB /nowhere HTTP/1.1\r\n",
     "HTTP",
     {{"http.request.method", "_OTHER"},
      {"http.request.method_original", "FROB"},
      {"url.path", "/nowhere"},
      {"http.response.status_code", "404"}}},
    {"GET /broken HTTP/1.1\r\n",
     "GET /broken",
     {{"http.request.method", "GET"},
      {"http.route", "/broken"},
      {"url.path", "/broken"},
      {"http.response.status_code", "500"},
      {"error.type", "500"}},
     StatusCode::error,
     "it broke"},
    {"GET /away HTTP/1.1\r\n",
     "GET /away",
     {{"http.request.method", "GET"},
      {"http.route", "/away"},
      {"url.path", "/away"},
      {"http.response.status_code", "503"},
      {"error.type", "503"}},
     StatusCode::error},
    {"GET /stream/7 HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
     "GET /stream/{id}",
     {{"http.request.method", "GET"},
      {"http.route", "/stream/{id}"},
      {"url.path", "/stream/7"},
      {"http.response.status_code", "101"}}},
    {"GET /health HTTP/1.1\r\n", "", {}},
};

TEST(HttpMap, ServerRows) {
  for (const ServerRow& row : kServer) {
    SCOPED_TRACE(row.request);
    SpanKeeper keeper;
    TracingHttpServerObserver observer(keeper.provider(), *UrlFilter::parse("^/health,^/metrics"));
    net::Runtime runtime("map", 1);
    auto server = net::HttpServer::start(runtime, routes(), {.observer = &observer});
    ASSERT_TRUE(server);
    auto socket = net::RawSocket::connect((*server)->port());
    const bool websocket = row.request.find("Upgrade") != std::string::npos;
    ASSERT_TRUE(socket.write(row.request + (websocket ? "" : "Connection: close\r\n") +
                             "Host: api.example:8443\r\n\r\n"));
    const std::string reply = socket.read_to_end();
    const std::uint16_t port = local_port(socket);
    socket.close();
    (*server)->stop();  // its spans have ended
    if (row.name.empty()) {
      EXPECT_TRUE(keeper.spans().empty());
      EXPECT_EQ(reply.find("x-trace-id"), std::string::npos);
      continue;
    }
    const otel::FinishedSpan span = keeper.only();
    TextAttributes wanted = row.attributes;
    wanted.insert({{"url.scheme", "http"},
                   {"server.address", "api.example"},
                   {"server.port", "8443"},
                   {"client.address", "127.0.0.1"},
                   {"client.port", std::to_string(port)},
                   {"network.protocol.version", "1.1"}});
    EXPECT_EQ(span.name, row.name);
    EXPECT_EQ(span.kind, otel::SpanKind::server);
    EXPECT_EQ(span.attributes, wanted);
    EXPECT_EQ(span.status, row.status);
    EXPECT_EQ(span.status_message, row.description);
    EXPECT_TRUE(span.events.empty());
    EXPECT_NE(reply.find("x-trace-id: " + span.trace_id.to_hex()), std::string::npos) << reply;
    EXPECT_NE(reply.find("traceresponse: 00-" + span.trace_id.to_hex()), std::string::npos);
  }
}

struct ClientRow {
  std::string method;
  std::string target;  // behind the host and port
  std::string name;
  TextAttributes attributes;  // PORT stands for the server's
  StatusCode status = StatusCode::unset;
  int resend_count = 0;
  std::string user_info{};
  bool reaches_somebody = true;
};

const ClientRow kClient[] = {
    {"GET",
     "/runs/7",
     "GET",
     {{"http.request.method", "GET"},
      {"url.full", "http://127.0.0.1:PORT/runs/7"},
      {"http.response.status_code", "200"}}},
    {.method = "GET",
     .target = "/runs/7?x=1&apikey=hunter2&password=hunter2&access_token=hunter2#hunter2",
     .name = "GET",
     .attributes = {{"http.request.method", "GET"},
                    {"url.full",
                     "http://REDACTED:REDACTED@127.0.0.1:PORT/runs/7?x=1&apikey=REDACTED&"
                     "password=REDACTED&access_token=REDACTED"},
                    {"http.response.status_code", "200"}},
     .user_info = "me:hunter2@"},
    {"GET",
     "/nowhere",
     "GET",
     {{"http.request.method", "GET"},
      {"url.full", "http://127.0.0.1:PORT/nowhere"},
      {"http.response.status_code", "404"},
      {"error.type", "404"}},
     StatusCode::error},
    {"POST",
     "/refused",
     "POST",
     {{"http.request.method", "POST"},
      {"url.full", "http://127.0.0.1:PORT/refused"},
      {"http.request.resend_count", "2"},
      {"http.response.status_code", "422"},
      {"error.type", "422"}},
     StatusCode::error,
     2},
    {"GET",
     "/away",
     "GET",
     {{"http.request.method", "GET"},
      {"url.full", "http://127.0.0.1:PORT/away"},
      {"http.response.status_code", "503"},
      {"error.type", "503"}},
     StatusCode::error},
    {"FROB",
     "/runs/7",
     "HTTP",
     {{"http.request.method", "_OTHER"},
      {"http.request.method_original", "FROB"},
      {"url.full", "http://127.0.0.1:PORT/runs/7"},
      {"http.response.status_code", "405"},
      {"error.type", "405"}},
     StatusCode::error},
    {"GET",
     "/slow",
     "GET",
     {{"http.request.method", "GET"},
      {"url.full", "http://127.0.0.1:PORT/slow"},
      {"error.type", "deadline_exceeded"}},
     StatusCode::error},
    {.method = "GET",
     .target = "/runs/7",
     .name = "GET",
     .attributes = {{"http.request.method", "GET"},
                    {"url.full", "http://127.0.0.1:PORT/runs/7"},
                    {"error.type", "unavailable"}},
     .status = StatusCode::error,
     .reaches_somebody = false},
};

TEST(HttpMap, ClientRows) {
  for (const ClientRow& row : kClient) {
    SCOPED_TRACE(row.method + " " + row.target);
    SpanKeeper keeper;
    TracingHttpClientObserver observer(keeper.provider());
    net::Runtime runtime("map", 1);
    net::HttpServerConfig quick;
    quick.stop_limit = std::chrono::milliseconds(0);
    auto server = net::HttpServer::start(runtime, routes(), quick);
    ASSERT_TRUE(server);
    const std::string port = std::to_string((*server)->port());
    if (!row.reaches_somebody) (*server)->stop();
    net::HttpClient client(runtime, {.observer = &observer});
    net::ClientRequest request;
    request.method = row.method;
    request.url = "http://" + row.user_info + "127.0.0.1:" + port + row.target;
    request.resend_count = row.resend_count;
    if (row.target == "/slow") request.timeout = std::chrono::milliseconds(50);
    const auto response = net::block_on(runtime, client.send(std::move(request)));
    (*server)->stop();
    const otel::FinishedSpan span = keeper.only();
    TextAttributes wanted = row.attributes;
    std::string& url = wanted.at("url.full");
    url.replace(url.find("PORT"), 4, port);
    wanted.insert({{"server.address", "127.0.0.1"}, {"server.port", port}});
    if (row.reaches_somebody) {
      wanted.insert({{"network.peer.address", "127.0.0.1"}, {"network.peer.port", port}});
    }
    EXPECT_EQ(span.name, row.name);
    EXPECT_EQ(span.kind, otel::SpanKind::client);
    EXPECT_EQ(span.attributes, wanted);
    EXPECT_EQ(span.status, row.status);
    // Of a response the status code says all.
    EXPECT_EQ(span.status_message, response ? "" : response.error().message);
    EXPECT_EQ(span.status_message.find("hunter2"), std::string::npos);
  }
}

}  // namespace
}  // namespace alphaswarm::instrumentation
