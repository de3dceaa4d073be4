// A server among clients that are slow, broken, gone or hostile.

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/net/http_server.hpp"
#include "alphaswarm/net/raw_socket_for_tests.hpp"
#include "alphaswarm/net/task.hpp"

namespace alphaswarm::net {
namespace {

using namespace std::chrono_literals;

class ServerFaults : public testing::Test {
 protected:
  void start(HttpServerConfig config = {}) {
    Router router;
    const auto echo = [](const HttpRequest& request) -> task<HttpResponse> {
      co_return HttpResponse::text(200, request.path + "|" + request.body);
    };
    router.add({"GET", "/{path*}", echo});
    router.add({"POST", "/{path*}", echo});
    router.add({"GET", "/big", [](const HttpRequest&) -> task<HttpResponse> {
                  co_return HttpResponse::text(200, std::string(32U << 20, 'x'));
                }});
    router.add({"GET", "/wait", [this](const HttpRequest&) -> task<HttpResponse> {
                  entered_.set();
                  const auto released = co_await release_.wait();
                  co_return HttpResponse::text(200, released ? "released" : "stopped");
                }});
    auto server = HttpServer::start(runtime_, std::move(router), std::move(config));
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }
  RawSocket connect() { return RawSocket::connect(server_->port()); }
  // The whole answer to bytes after which the server is expected to close.
  std::string answer_to(std::string_view bytes) {
    RawSocket socket = connect();
    socket.write(bytes);
    return socket.read_to_end();
  }
  void wait_for(AsyncEvent& event) {
    auto wait = [&]() -> task<void> { (void)co_await event.wait(); };
    block_on(runtime_, wait());
  }
  std::string url(std::string_view path) const {
    return "http://127.0.0.1:" + std::to_string(server_->port()) + std::string(path);
  }

  Runtime runtime_{"server", 2};
  AsyncEvent entered_;
  AsyncEvent release_;
  std::unique_ptr<HttpServer> server_;
};

bool has_status(const std::string& answer, int status) {
  return answer.starts_with("HTTP/1.1 " + std::to_string(status) + " ");
}

TEST_F(ServerFaults, WhatIsNotHttpIsRefusedAndClosed) {
  start();
  EXPECT_TRUE(has_status(answer_to("\x16\x03\x01\x02 this is TLS\r\n\r\n"), 400));
  EXPECT_TRUE(has_status(answer_to("GET\r\n\r\n"), 400));
  EXPECT_TRUE(has_status(answer_to("GET / HTTP/1.1\r\nbad header\r\n\r\n"), 400));
  EXPECT_TRUE(has_status(answer_to("GET / HTTP/2.0\r\n\r\n"), 505));
  EXPECT_TRUE(has_status(answer_to("POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"), 400));
  EXPECT_TRUE(has_status(
      answer_to("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nnot a size\r\n"), 400));
}

// Two lengths are how requests are smuggled past a proxy.
TEST_F(ServerFaults, AmbiguousLengthsAreRefused) {
  start();
  EXPECT_TRUE(has_status(answer_to("POST / HTTP/1.1\r\nContent-Length: 3\r\n"
                                   "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                         400));
  EXPECT_TRUE(has_status(
      answer_to("POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), 400));
}

TEST_F(ServerFaults, APathWithABadEscapeIsRefused) {
  start();
  EXPECT_TRUE(has_status(answer_to("GET /%zz HTTP/1.1\r\nConnection: close\r\n\r\n"), 400));
}

TEST_F(ServerFaults, AHeaderTooBigIsRefused) {
  start({.max_header_bytes = 2000});
  const std::string big(3000, 'x');
  EXPECT_TRUE(has_status(answer_to("GET / HTTP/1.1\r\nA: " + big + "\r\n\r\n"), 431));
  EXPECT_TRUE(has_status(answer_to("GET /" + big + " HTTP/1.1\r\n\r\n"), 431));
}

TEST_F(ServerFaults, ABodyTooBigIsRefusedBeforeItIsRead) {
  start({.max_body_bytes = 10});
  EXPECT_TRUE(has_status(answer_to("POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n"), 413));
  EXPECT_TRUE(has_status(answer_to("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                                   "b\r\nhello world\r\n0\r\n\r\n"),
                         413));
}

TEST_F(ServerFaults, ChunkHeadersAndTrailersAreBounded) {
  start({.max_header_bytes = 2000});
  const std::string head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string endless(100'000, 'x');
  EXPECT_TRUE(has_status(answer_to(head + "5;" + endless), 431));
  EXPECT_TRUE(has_status(answer_to(head + "0\r\nA: " + endless), 431));
}

TEST_F(ServerFaults, ChunkedBodiesArrivePieceByPiece) {
  start();
  RawSocket socket = connect();
  const std::string request =
      "POST /c HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n";
  for (const char c : request) ASSERT_TRUE(socket.write({&c, 1}));
  EXPECT_TRUE(socket.read_to_end().ends_with("/c|hello world"));
}

TEST_F(ServerFaults, PipelinedRequestsAreAnsweredInOrder) {
  start();
  RawSocket socket = connect();
  socket.write(
      "GET /1 HTTP/1.1\r\n\r\nPOST /2 HTTP/1.1\r\nContent-Length: 2\r\n\r\nab"
      "GET /3 HTTP/1.1\r\nConnection: close\r\n\r\n");
  const std::string all = socket.read_to_end();
  const std::size_t first = all.find("/1|");
  const std::size_t second = all.find("/2|ab");
  const std::size_t third = all.find("/3|");
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_NE(third, std::string::npos);
}

TEST_F(ServerFaults, OldClientsAreServed) {
  start();
  const std::string answer = answer_to("GET /old HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.0 200 "));
  EXPECT_TRUE(answer.ends_with("/old|"));
  const std::string absolute =
      answer_to("GET http://any.host/abs?q HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(absolute.ends_with("/abs|"));
}

TEST_F(ServerFaults, AClientMayAskBeforeItSendsItsBody) {
  start();
  RawSocket socket = connect();
  socket.write(
      "POST /e HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
      "Connection: close\r\n\r\n");
  EXPECT_EQ(socket.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  socket.write("ok");
  EXPECT_TRUE(socket.read_to_end().ends_with("/e|ok"));
}

TEST_F(ServerFaults, ASilentConnectionIsClosed) {
  start({.idle_timeout = 30ms});
  RawSocket socket = connect();
  EXPECT_TRUE(socket.at_end());
}

TEST_F(ServerFaults, AHeaderThatDripsInIsGivenUp) {
  start({.head_timeout = 100ms});
  RawSocket socket = connect();
  const auto begin = std::chrono::steady_clock::now();
  std::atomic<bool> done = false;
  // A byte every few milliseconds: no single wait is long.
  const std::jthread drip = start_thread("drip", [&](std::stop_token) {
    socket.write("GET / HTTP/1.1\r\nA: ");
    while (!done && socket.write("x")) std::this_thread::sleep_for(5ms);
  });
  const std::string answer = socket.read_until("\r\n\r\n");
  done = true;
  EXPECT_TRUE(has_status(answer, 408)) << answer;
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
}

TEST_F(ServerFaults, ABodyThatDoesNotComeIsGivenUp) {
  start({.body_timeout = 50ms});
  EXPECT_TRUE(has_status(answer_to("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc"), 408));
}

TEST_F(ServerFaults, AClientThatVanishesInItsBodyCostsNothing) {
  start();
  for (int i = 0; i < 20; ++i) {
    RawSocket socket = connect();
    socket.write("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
  }
  EXPECT_TRUE(answer_to("GET /ok HTTP/1.1\r\nConnection: close\r\n\r\n").ends_with("/ok|"));
  while (server_->connections() > 0) std::this_thread::yield();
}

TEST_F(ServerFaults, AClientThatDoesNotReadIsDropped) {
  start({.write_timeout = 50ms});
  RawSocket socket = connect();
  socket.write("GET /big HTTP/1.1\r\n\r\n");
  while (server_->connections() == 0) std::this_thread::yield();
  while (server_->connections() > 0) std::this_thread::yield();  // more than the buffers hold
}

TEST_F(ServerFaults, OneConnectionTooManyGets503) {
  start({.max_connections = 2});
  RawSocket first = connect();
  RawSocket second = connect();
  first.write("GET /1 HTTP/1.1\r\n\r\n");
  second.write("GET /2 HTTP/1.1\r\n\r\n");
  first.read_until("|");
  second.read_until("|");
  EXPECT_TRUE(has_status(answer_to("GET / HTTP/1.1\r\n\r\n"), 503));
  first.close();
  while (server_->connections() > 1) std::this_thread::yield();
  EXPECT_TRUE(has_status(answer_to("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"), 200));
}

TEST_F(ServerFaults, OutOfDescriptorsItWaitsAndServesAgain) {
  start();
  const Counter& failures = counter("alphaswarm_http_server_accept_failures_total", "", "");
  const std::uint64_t failures_before = failures.value();
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit few{256, before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &few);
  std::vector<int> hoard;
  for (int copy = ::dup(0); copy >= 0; copy = ::dup(0)) hoard.push_back(copy);
  ::close(hoard.back());  // one is left, for our own socket
  hoard.pop_back();
  RawSocket socket = connect();
  socket.write("GET /late HTTP/1.1\r\nConnection: close\r\n\r\n");
  while (failures.value() == failures_before) std::this_thread::yield();
  for (const int copy : hoard) ::close(copy);
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(socket.read_to_end().ends_with("/late|"));
}

TEST_F(ServerFaults, AClientThatGoesBeforeItsResponse) {
  start();
  {
    RawSocket socket = connect();
    socket.write("GET /wait HTTP/1.1\r\n\r\n");
    wait_for(entered_);
  }
  release_.set();
  while (server_->connections() > 0) std::this_thread::yield();
}

TEST_F(ServerFaults, StopLetsARequestFinish) {
  start({.stop_limit = 5s});
  RawSocket busy = connect();
  RawSocket idle = connect();
  busy.write("GET /wait HTTP/1.1\r\n\r\n");
  wait_for(entered_);
  const std::jthread stopper = start_thread("stopper", [&](std::stop_token) { server_->stop(); });
  EXPECT_TRUE(idle.at_end());  // the server drains
  release_.set();
  const std::string answer = busy.read_to_end();
  EXPECT_TRUE(has_status(answer, 200));
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("released"));
}

TEST_F(ServerFaults, StopCancelsAHandlerThatTakesTooLong) {
  start({.stop_limit = 20ms});
  RawSocket socket = connect();
  socket.write("GET /wait HTTP/1.1\r\n\r\n");
  wait_for(entered_);
  const auto begin = std::chrono::steady_clock::now();
  server_->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s);
  EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(ServerFaults, StopUnderLoadIsQuickAndThePortIsFree) {
  start();
  Runtime clients("clients", 2);
  HttpClient client(clients);
  const std::string target = url("/load");
  std::atomic<bool> stopping = false;
  std::atomic<int> served = 0;
  std::atomic<int> lost_before_stop = 0;
  auto hammer = [&]() -> task<std::monostate> {
    for (;;) {
      ClientRequest request{.method = "POST", .url = target, .body = "0123456789"};
      const auto response = co_await client.send(std::move(request));
      if (!response) {
        if (!stopping) lost_before_stop.fetch_add(1);
        co_return std::monostate();
      }
      served.fetch_add(1);
    }
  };
  auto all_of_them = [&]() -> task<void> {
    std::vector<task<std::monostate>> work;
    for (int i = 0; i < 16; ++i) work.push_back(hammer());
    co_await all(std::move(work));
  };
  std::jthread load =
      start_thread("load", [&](std::stop_token) { block_on(clients, all_of_them()); });
  while (served < 500) std::this_thread::yield();
  stopping = true;
  const std::uint16_t port = server_->port();
  const auto begin = std::chrono::steady_clock::now();
  server_->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s);
  EXPECT_EQ(lost_before_stop, 0);
  EXPECT_EQ(server_->connections(), 0U);
  load.join();
  start({.port = port});
}

}  // namespace
}  // namespace alphaswarm::net
