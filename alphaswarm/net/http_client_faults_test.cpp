// A client among servers that are slow, broken or gone.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>

#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/net/http_server.hpp"
#include "alphaswarm/net/raw_socket_for_tests.hpp"
#include "alphaswarm/net/task.hpp"

namespace alphaswarm::net {
namespace {

using namespace std::chrono_literals;

class ClientFaults : public testing::Test {
 protected:
  Result<HttpResponse> send(ClientRequest request) {
    return block_on(runtime_, client_->send(std::move(request)));
  }
  Result<HttpResponse> get(const std::string& url) { return send({.url = url}); }
  void use(HttpClientConfig config) {
    client_ = std::make_unique<HttpClient>(runtime_, std::move(config));
  }

  Runtime runtime_{"client", 2};
  std::unique_ptr<HttpClient> client_ = std::make_unique<HttpClient>(runtime_);
};

ErrorCode code_of(const Result<HttpResponse>& response) {
  return response ? ErrorCode::internal : response.error().code;
}

TEST_F(ClientFaults, AServerGoneInMidBody) {
  RawServer server([](RawSocket& socket) {
    socket.read_until("\r\n\r\n");
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
  });
  const auto response = get(server.url());
  EXPECT_EQ(code_of(response), ErrorCode::unavailable);
  EXPECT_TRUE(response.error().retryable);
}

TEST_F(ClientFaults, AServerThatSaysNothing) {
  std::atomic<int> requests = 0;
  RawServer server([&](RawSocket& socket) {
    socket.read_until("\r\n\r\n");
    ++requests;
  });
  EXPECT_EQ(code_of(get(server.url())), ErrorCode::unavailable);
  EXPECT_EQ(requests, 1) << "a request that may have been processed was sent again";
}

TEST_F(ClientFaults, AServerThatIsNotHttp) {
  RawServer server([](RawSocket& socket) {
    socket.read_until("\r\n\r\n");
    socket.write("220 mail.example ESMTP\r\n\r\n");
  });
  EXPECT_EQ(code_of(get(server.url())), ErrorCode::data_loss);
}

TEST_F(ClientFaults, ResponsesAreBounded) {
  use({.max_header_bytes = 4000, .max_response_bytes = 1000});
  RawServer body([](RawSocket& socket) {
    socket.read_until("\r\n\r\n");
    socket.write("HTTP/1.1 200 OK\r\n\r\n" + std::string(5000, 'x'));
  });
  EXPECT_EQ(code_of(get(body.url())), ErrorCode::resource_exhausted);
  RawServer head([](RawSocket& socket) {
    socket.read_until("\r\n\r\n");
    socket.write("HTTP/1.1 200 OK\r\nA: " + std::string(5000, 'x') + "\r\n\r\n");
  });
  EXPECT_EQ(code_of(get(head.url())), ErrorCode::resource_exhausted);
}

TEST_F(ClientFaults, ChunkHeadersAreBounded) {
  RawServer server([](RawSocket& socket) {
    socket.read_until("\r\n\r\n");
    socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;");
    while (socket.write(std::string(10'000, 'x'))) {
    }
  });
  EXPECT_EQ(code_of(get(server.url())), ErrorCode::resource_exhausted);
}

TEST_F(ClientFaults, ABodyMayEndWithItsConnection) {
  RawServer server([](RawSocket& socket) {
    socket.read_until("\r\n\r\n");
    socket.write("HTTP/1.0 200 OK\r\n\r\nall of it");
  });
  const auto response = get(server.url());
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "all of it");
}

TEST_F(ClientFaults, InterimResponsesAreSkipped) {
  RawServer server([](RawSocket& socket) {
    socket.read_until("\r\n\r\n");
    socket.write(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        "HTTP/1.1 204 No Content\r\n\r\n");
  });
  const auto response = get(server.url());
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 204);
}

TEST_F(ClientFaults, AnAnswerBeforeTheBodyWasReadIsHeard) {
  RawServer server([](RawSocket& socket) {
    socket.read_until("\r\n\r\n");
    socket.write(
        "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n"
        "Connection: close\r\n\r\n");
    socket.finish_writing();
    socket.read_to_end();
  });
  const auto response =
      send({.method = "POST", .url = server.url(), .body = std::string(4U << 20, 'x')});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 413);
}

TEST_F(ClientFaults, ADeadPooledConnectionIsReplaced) {
  std::atomic<int> connections = 0;
  RawServer server([&](RawSocket& socket) {
    ++connections;
    socket.read_until("\r\n\r\n");
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });  // and closes, although it said keep-alive
  for (int i = 1; i <= 5; ++i) {
    const auto response = get(server.url());
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(connections, i);
    while (server.closed() < i) std::this_thread::yield();
  }
}

TEST_F(ClientFaults, BytesNobodyAskedForEndAConnection) {
  RawServer server([&](RawSocket& socket) {
    socket.read_until("\r\n\r\n");
    socket.write(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n"
        "Content-Length: 4\r\n\r\nevil");
    socket.read_until("never");
  });
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get(server.url())->body, "ok");
}

TEST_F(ClientFaults, AStoppedTaskGivesUpAtOnce) {
  std::atomic<bool> asked = false;
  RawServer server([&](RawSocket& socket) {
    socket.read_until("\r\n\r\n");
    asked = true;
    socket.read_until("never");
  });
  std::stop_source stop;
  std::atomic<int> code = -1;
  auto work = [&]() -> task<void> {
    ClientRequest request{.url = server.url()};
    code = static_cast<int>(code_of(co_await client_->send(std::move(request))));
  };
  spawn(runtime_, stop, work());
  while (!asked) std::this_thread::yield();
  stop.request_stop();
  while (runtime_.active_tasks() > 0) std::this_thread::yield();
  EXPECT_EQ(code, static_cast<int>(ErrorCode::cancelled));
}

TEST_F(ClientFaults, ConnectionsAreBoundedAndWaitersTakeTurns) {
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  Router router;
  router.add({"GET", "/", [&](const HttpRequest&) -> task<HttpResponse> {
                const int now = ++inside;
                if (now > most) most = now;
                (void)co_await sleep_for(2ms);
                --inside;
                co_return HttpResponse::text(200, "");
              }});
  Runtime other("server", 2);
  auto server = HttpServer::start(other, std::move(router), {});
  ASSERT_TRUE(server);
  use({.max_connections_per_host = 3});
  const std::string url = "http://127.0.0.1:" + std::to_string((*server)->port()) + "/";
  auto one = [&]() -> task<int> {
    ClientRequest request{.url = url};
    const auto response = co_await client_->send(std::move(request));
    co_return response ? response->status : 0;
  };
  auto many = [&]() -> task<int> {
    std::vector<task<int>> work;
    for (int i = 0; i < 30; ++i) work.push_back(one());
    int good = 0;
    for (const int status : co_await all(std::move(work))) good += status == 200 ? 1 : 0;
    co_return good;
  };
  EXPECT_EQ(block_on(runtime_, many()), 30);
  EXPECT_EQ(most, 3);
  EXPECT_LE((*server)->connections(), 3U);
}

TEST_F(ClientFaults, BadRequestsAreRefusedBeforeAnythingIsSent) {
  EXPECT_EQ(code_of(get("not a url")), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of(get("ftp://127.0.0.1/")), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of(send({.method = "GET X", .url = "http://127.0.0.1:1/"})),
            ErrorCode::invalid_argument);
  EXPECT_EQ(code_of(send({.url = "http://127.0.0.1:1/", .headers = {{"A", "b\r\nC: d"}}})),
            ErrorCode::invalid_argument);
}

TEST_F(ClientFaults, AnUnknownHostIsUnavailable) {
  const auto response = get("http://no-such-host.invalid/");
  EXPECT_EQ(code_of(response), ErrorCode::unavailable);
}

TEST_F(ClientFaults, AnotherRuntimesTasksMaySend) {
  RawServer server([](RawSocket& socket) {
    socket.read_until("\r\n\r\n");
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  Runtime other("other", 1);
  auto work = [&]() -> task<bool> {
    ClientRequest request{.url = server.url()};
    const auto response = co_await client_->send(std::move(request));
    co_return response.has_value() && Runtime::current() == &other;
  };
  EXPECT_TRUE(block_on(other, work()));
}

}  // namespace
}  // namespace alphaswarm::net
