// What a session does when its exchange refuses, answers nonsense or half, or not at all.
#include <algorithm>
#include <atomic>
#include <chrono>

#include "alphaswarm/net/raw_socket_for_tests.hpp"
#include "alphaswarm/trading/paper/session_faults_fixture.hpp"

namespace alphaswarm::trading::paper {
namespace {

TEST_F(SessionFaultsTest, TroubleAtTheExchangeIsLivedThrough) {
  store_bars(150);
  services_.waiting.sleep = [](std::chrono::nanoseconds) -> net::task<Result<void>> {
    co_return Result<void>();
  };
  services_.retry.tries = 6;
  const Result<SessionResult> calm = run(document());
  ASSERT_TRUE(calm) << calm.error().message;
  for (const bool after : {false, true}) {
    for (const int status : {429, 500, 503, 0}) {
      std::ignore = spans();  // what is still on its way
      sink_->clear();
      exchange::FaultSettings faults;
      faults.error_rate = 0.2;
      faults.after_effect = after;
      faults.garbage = status == 0;
      if (status != 0) faults.error_status = status;
      exchange_->faults().set(faults);
      const Result<SessionResult> result = run(document());
      exchange_->faults().set({});
      ASSERT_TRUE(result) << result.error().message;
      EXPECT_EQ(result->status, "completed");
      EXPECT_EQ(result->fills, calm->fills);
      EXPECT_EQ(result->orders, calm->orders);
      EXPECT_EQ(result->final_equity, calm->final_equity);
      expect_books_closed(result->run_id);
    }
  }
}

TEST_F(SessionFaultsTest, AnExchangeThatIsGoneIsAnError) {
  store_bars(1000);
  services_.waiting.sleep = [](std::chrono::nanoseconds) -> net::task<Result<void>> {
    co_return Result<void>();
  };
  auto frames = watch("gone");
  Running running;
  launch(running, slow_document(200), "gone");
  await_frame(frames, stage_is("order"));
  exchange_->stop();
  const Result<SessionResult> result = join(running);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::unavailable);
  const auto row = persistence::RunRepository(*services_.database).find_by_task("gone");
  EXPECT_EQ((*row)->status, "error");
  EXPECT_EQ((*row)->error, result.error().message);
  EXPECT_EQ(paper_->stats().open, 0U);
  const auto all = spans();
  const auto session = std::ranges::find(all, "paper.session.run", &otel::FinishedSpan::name);
  EXPECT_EQ(session->status, otel::StatusCode::error);
  EXPECT_EQ(count_names(all)["paper.session.bar"], (*row)->bars_seen);
}

TEST_F(SessionFaultsTest, AStopDoesNotWaitForAVenueThatIsRetried) {
  store_bars(1000);
  auto frames = watch("stuck");
  Running running;
  net::AsyncEvent retrying;
  services_.waiting.sleep = [&retrying](std::chrono::nanoseconds) -> net::task<Result<void>> {
    retrying.set();
    co_return co_await net::sleep_for(std::chrono::hours(1));
  };
  launch(running, slow_document(200), "stuck");
  await_frame(frames, stage_is("order"));
  exchange_->stop();
  const auto wait = [&]() -> net::task<void> { std::ignore = co_await retrying.wait(); };
  net::block_on(runtime_, wait());
  const auto asked = std::chrono::steady_clock::now();
  ASSERT_TRUE(net::block_on(runtime_, send_stop(*services_.bus, "stuck", "enough")));
  const Result<SessionResult> result = join(running);
  EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds(5));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->status, "cancelled");
  EXPECT_EQ(result->reason, "enough");
  EXPECT_EQ(paper_->stats().open, 0U);
}

// Between the session and the exchange: of each answer that is `spoiled` half comes, or none, or
// nothing at all until the client has had enough.
class SpoilingProxy {
 public:
  enum class Spoils { half, closed, silent };
  SpoilingProxy(std::uint16_t port, Spoils how, int every)
      : server_([this, port, how, every](net::RawSocket& client) {
          const std::string request = read_request(client);
          if (request.empty()) return;
          net::RawSocket exchange = net::RawSocket::connect(port);
          exchange.write(request);
          const std::string answer = exchange.read_to_end();
          if (++answers_ % every != 0) {
            client.write(answer);
          } else if (how == Spoils::half) {
            client.write(std::string_view(answer).substr(0, answer.size() - 10));
          } else if (how == Spoils::silent) {
            std::ignore = client.at_end();
          }
        }) {}
  [[nodiscard]] std::string url() const { return server_.url(); }
  [[nodiscard]] int spoiled(int every) const { return answers_.load() / every; }

 private:
  // With "Connection: close", so that each request has a connection of its own.
  static std::string read_request(net::RawSocket& client) {
    std::string head = client.read_until("\r\n\r\n");
    if (!head.ends_with("\r\n\r\n")) return {};
    std::size_t length = 0;
    const std::size_t at = head.find("Content-Length: ");
    if (at != std::string::npos) length = std::stoul(head.substr(at + 16));
    std::string body;
    while (body.size() < length) {
      char bytes[4096];
      const ssize_t count =
          ::recv(client.descriptor(), bytes, std::min(sizeof bytes, length - body.size()), 0);
      if (count <= 0) return {};
      body.append(bytes, static_cast<std::size_t>(count));
    }
    head.insert(head.find("\r\n") + 2, "Connection: close\r\n");
    return head + body;
  }
  std::atomic<int> answers_{0};
  net::RawServer server_;
};

TEST_F(SessionFaultsTest, HalfAnAnswerAndNoneAreLivedThrough) {
  store_bars(120);
  services_.retry.shortest = std::chrono::milliseconds(1);
  services_.retry.longest = std::chrono::milliseconds(2);
  services_.venue_timeout = std::chrono::milliseconds(300);
  const Result<SessionResult> calm = run(document());
  ASSERT_TRUE(calm) << calm.error().message;
  using enum SpoilingProxy::Spoils;
  for (const auto how : {half, closed, silent}) {
    const int every = how == silent ? 50 : 5;
    const SpoilingProxy proxy(exchange_->port(), how, every);
    services_.exchange_url = proxy.url();
    const Result<SessionResult> result = run(document());
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_GE(proxy.spoiled(every), 2);
    EXPECT_EQ(result->status, "completed");
    EXPECT_EQ(result->orders, calm->orders);
    EXPECT_EQ(result->fills, calm->fills);
    EXPECT_EQ(result->final_equity, calm->final_equity);
    const auto mine = orders_of(result->run_id);
    EXPECT_EQ((*exchange_->accounts().get(result->run_id))
                  ->orders({.state = exchange::OrderFilter::State::all,
                            .limit = 1000,
                            .ascending = true,
                            .after = {},
                            .until = {},
                            .symbols = {},
                            .side = {}})
                  .size(),
              mine.size());
  }
}

}  // namespace
}  // namespace alphaswarm::trading::paper
