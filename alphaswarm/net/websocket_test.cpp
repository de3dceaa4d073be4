#include "alphaswarm/net/websocket.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>

#include "alphaswarm/net/detail/websocket_frame.hpp"
#include "alphaswarm/net/http_server.hpp"
#include "alphaswarm/net/task.hpp"
#include "alphaswarm/net/websocket_client.hpp"

namespace alphaswarm::net {
namespace {

using namespace std::chrono_literals;

task<void> echo(const HttpRequest&, WebSocket& socket) {
  for (;;) {
    auto message = co_await socket.receive();
    if (!message || !*message) co_return;
    if (!co_await socket.send_text(std::move(**message))) co_return;
  }
}

class WebSocketTest : public testing::Test {
 protected:
  void start(WebSocketHandler handler, HttpServerConfig config = {}) {
    Router router;
    router.add_websocket("/ws/{id}", std::move(handler));
    auto server = HttpServer::start(server_runtime_, std::move(router), std::move(config));
    ASSERT_TRUE(server);
    server_ = std::move(*server);
    url_ = "ws://127.0.0.1:" + std::to_string(server_->port()) + "/ws/7";
  }
  WebSocket connect(WebSocketClientConfig config = {}) {
    auto socket = block_on(runtime_, connect_websocket(url_, {}, std::move(config)));
    EXPECT_TRUE(socket) << socket.error().message;
    return std::move(*socket);
  }
  Result<std::optional<std::string>> receive(WebSocket& socket) {
    return block_on(runtime_, socket.receive());
  }

  Runtime runtime_{"client", 1};
  Runtime server_runtime_{"server", 2};
  std::unique_ptr<HttpServer> server_;
  std::string url_;
};

TEST_F(WebSocketTest, CarriesMessagesOfEverySize) {
  start(echo);
  WebSocket socket = connect();
  for (const std::size_t size : {0U, 1U, 125U, 126U, 65'535U, 65'536U, 1'000'000U}) {
    const std::string text(size, 'x');
    ASSERT_TRUE(block_on(runtime_, socket.send_text(text)));
    const auto back = receive(socket);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_TRUE(**back == text) << size;
  }
  block_on(runtime_, socket.close());
}

TEST_F(WebSocketTest, TheHandlersReturnIsANormalClose) {
  start([](const HttpRequest& request, WebSocket& socket) -> task<void> {
    (void)co_await socket.send_text(std::string(*request.path_param("id")));
  });
  WebSocket socket = connect();
  EXPECT_EQ(**receive(socket), "7");
  const auto end = receive(socket);
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_FALSE(*end);
  EXPECT_EQ(socket.close_code(), 1000);
}

TEST_F(WebSocketTest, AnExceptionClosesWith1011) {
  start([](const HttpRequest&, WebSocket&) -> task<void> {
    throw std::runtime_error("broken");
    co_return;
  });
  WebSocket socket = connect();
  EXPECT_FALSE(*receive(socket));
  EXPECT_EQ(socket.close_code(), 1011);
}

TEST_F(WebSocketTest, StopEndsAWaitingHandlerWith1001) {
  start(echo);
  WebSocket socket = connect();
  ASSERT_TRUE(block_on(runtime_, socket.send_text("hello")));
  EXPECT_EQ(**receive(socket), "hello");
  auto close = [&]() -> task<std::uint16_t> {
    const auto end = co_await socket.receive();
    EXPECT_TRUE(end && !*end);
    co_return socket.close_code();
  };
  std::atomic<int> code = 0;
  AsyncEvent done;
  auto watch = [&]() -> task<void> {
    code = co_await close();
    done.set();
  };
  spawn(runtime_, watch());
  const auto begin = std::chrono::steady_clock::now();
  server_->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s);
  auto wait = [&]() -> task<void> { (void)co_await done.wait(); };
  block_on(runtime_, wait());
  EXPECT_EQ(code, 1001);
}

TEST_F(WebSocketTest, AMessageTooBigIsRefusedWith1009) {
  start(echo, {.max_websocket_message_bytes = 100});
  WebSocket socket = connect();
  ASSERT_TRUE(block_on(runtime_, socket.send_text(std::string(101, 'x'))));
  const auto end = receive(socket);
  ASSERT_TRUE(end);
  EXPECT_FALSE(*end);
  EXPECT_EQ(socket.close_code(), 1009);
}

TEST_F(WebSocketTest, ASilentPeerIsAskedAndAnswers) {
  start(echo, {.websocket_ping_interval = 20ms});
  WebSocket socket = connect();
  // Our receive() answers the server's pings while nothing else is said.
  auto listen = [&]() -> task<bool> {
    auto first = co_await race(socket.receive(), sleep_for(200ms));
    co_return first.index() == 1;
  };
  EXPECT_TRUE(block_on(runtime_, listen()));
  ASSERT_TRUE(block_on(runtime_, socket.send_text("still here")));
  EXPECT_EQ(**receive(socket), "still here");
}

TEST_F(WebSocketTest, APeerThatDoesNotAnswerPingsIsLeft) {
  AsyncEvent gone;
  std::atomic<bool> failed = false;
  auto handler = [&](const HttpRequest&, WebSocket& socket) -> task<void> {
    const auto message = co_await socket.receive();
    failed = !message && message.error().code == ErrorCode::unavailable;
    gone.set();
  };
  start(handler, {.websocket_ping_interval = 20ms});
  WebSocket socket = connect();  // and nobody receives: pings go unanswered
  auto wait = [&]() -> task<void> { (void)co_await gone.wait(); };
  block_on(runtime_, wait());
  EXPECT_TRUE(failed);
}

TEST_F(WebSocketTest, ACancelledReceiveLosesNothing) {
  AsyncEvent go;
  start([&](const HttpRequest&, WebSocket& socket) -> task<void> {
    (void)co_await go.wait();
    (void)co_await socket.send_text("after");
    (void)co_await socket.receive();
  });
  WebSocket socket = connect();
  auto give_up = [&]() -> task<std::size_t> {
    co_return (co_await race(socket.receive(), sleep_for(1ms))).index();
  };
  for (int i = 0; i < 5; ++i) EXPECT_EQ(block_on(runtime_, give_up()), 1U);
  go.set();
  EXPECT_EQ(**receive(socket), "after");
  block_on(runtime_, socket.close());
}

TEST_F(WebSocketTest, ManySendersDoNotInterleave) {
  start(echo);
  WebSocket socket = connect();
  auto send = [&](char letter) -> task<bool> {
    co_return (co_await socket.send_text(std::string(100'000, letter))).has_value();
  };
  auto read = [&]() -> task<int> {
    int whole = 0;
    for (int i = 0; i < 8; ++i) {
      const auto message = co_await socket.receive();
      if (message && *message && **message == std::string(100'000, (*message)->front())) ++whole;
    }
    co_return whole;
  };
  auto both = [&]() -> task<int> {
    std::vector<task<bool>> senders;
    for (char letter = 'a'; letter < 'i'; ++letter) senders.push_back(send(letter));
    auto done = co_await all(all(std::move(senders)), read());
    co_return std::get<1>(done);
  };
  EXPECT_EQ(block_on(runtime_, both()), 8);
}

TEST_F(WebSocketTest, ARefusedUpgradeSaysWhy) {
  start(echo);
  const std::string nowhere = url_.substr(0, url_.rfind("/ws")) + "/nothing";
  const auto refused = block_on(runtime_, connect_websocket(nowhere));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  EXPECT_NE(refused.error().message.find("404"), std::string::npos);
  EXPECT_FALSE(refused.error().retryable);
}

TEST(WebSocketFrame, TheKeyOfTheStandard) {  // RFC 6455 §1.3
  EXPECT_EQ(detail::accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(WebSocketFrame, ExamplesOfTheStandard) {  // RFC 6455 §5.7
  const std::array<unsigned char, 4> mask = {0x37, 0xfa, 0x21, 0x3d};
  EXPECT_EQ(detail::make_frame(detail::Opcode::text, "Hello", nullptr), "\x81\x05Hello");
  EXPECT_EQ(detail::make_frame(detail::Opcode::text, "Hello", &mask),
            "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
}

TEST(WebSocketFrame, RefusesWhatIsForbidden) {
  using namespace std::string_literals;
  for (const std::string& bytes : {
           "\xC1\x00"s,                                  // reserved bit
           "\x83\x00"s,                                  // reserved opcode
           "\x8B\x00"s,                                  // reserved control opcode
           "\x09\x00"s,                                  // fragmented ping
           "\x89\x7E\x00\x80"s,                          // long ping
           "\x81\x7E\x00\x05"s,                          // length not in its shortest form
           "\x81\x7F\x00\x00\x00\x00\x00\x00\xFF\xFF"s,  // likewise
           "\x81\x7F\xFF\x00\x00\x00\x00\x00\x00\x00"s,  // negative length
       }) {
    EXPECT_FALSE(detail::parse_frame_head(bytes)) << testing::PrintToString(bytes);
  }
}

TEST(WebSocketFrame, EveryPrefixNeedsMore) {
  const std::array<unsigned char, 4> mask = {1, 2, 3, 4};
  const std::string frame =
      detail::make_frame(detail::Opcode::binary, std::string(70'000, 'x'), &mask);
  for (std::size_t size = 0; size < 14; ++size) {
    const auto head = detail::parse_frame_head(std::string_view(frame).substr(0, size));
    ASSERT_TRUE(head);
    EXPECT_EQ(head->head_bytes, 0U);
  }
  EXPECT_EQ(detail::parse_frame_head(frame)->head_bytes, 14U);
  EXPECT_EQ(detail::parse_frame_head(frame)->payload_bytes, 70'000U);
}

}  // namespace
}  // namespace alphaswarm::net
