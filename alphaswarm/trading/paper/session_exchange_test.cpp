// A session whose exchange is restarted under it: it knows nothing of the account then.
#include "alphaswarm/trading/paper/session_fixture.hpp"

namespace alphaswarm::trading::paper {
namespace {

// Restarts the exchange right before a request.
class Restarter final : public net::HttpClientObserver {
 public:
  std::function<void()> restart;
  std::string before;    // end of the URL of that request …
  int after_orders = 0;  // … the first one that so many orders were sent before

  void* started(net::HttpRequestInfo& request, int) override {
    const bool order = request.method == "POST" && request.url.ends_with("/v2/orders");
    if (orders_ >= after_orders && !done_ && request.url.ends_with(before)) {
      done_ = true;
      restart();
    }
    if (order) ++orders_;
    return nullptr;
  }
  void finished(void*, int, const Error*, const net::PeerAddress&) override {}
  [[nodiscard]] bool done() const { return done_; }

 private:
  int orders_ = 0;
  bool done_ = false;
};

class SessionExchangeTest : public SessionFixture {
 protected:
  // As much of a run as does not depend on its id.
  struct Outcome {
    std::string text;
    std::vector<std::string> orders;
    bool operator==(const Outcome&) const = default;
  };
  Outcome outcome_of(const Result<SessionResult>& result) {
    EXPECT_TRUE(result) << result.error().message;
    if (!result) return {};
    Outcome outcome;
    outcome.text = result->status + ' ' + result->final_equity.to_string() + ' ' +
                   std::to_string(result->orders) + ' ' + std::to_string(result->fills);
    for (const auto& order : orders_of(result->run_id)) {
      outcome.orders.push_back(order.side + ' ' + order.quantity.to_string() + ' ' + order.status +
                               ' ' + order.status_reason);
    }
    for (const auto& line : ledger_of(result->run_id))
      EXPECT_NE(line.level, "error") << line.message;
    EXPECT_EQ(fills_of(result->run_id).size(), static_cast<std::size_t>(result->fills));
    return outcome;
  }
  Outcome run_with_restart_before(const std::string& path) {
    Restarter restarter;
    restarter.restart = [this] {
      const std::uint16_t port = exchange_->port();
      exchange_->stop();
      start_exchange({}, port);
    };
    restarter.before = path;
    restarter.after_orders = 9;
    net::HttpClientConfig client;
    client.observer = &restarter;
    net::HttpClient http(runtime_, client);
    services_.http = &http;
    Outcome outcome = outcome_of(run(document()));
    services_.http = http_.get();
    EXPECT_TRUE(restarter.done());
    return outcome;
  }
};

TEST_F(SessionExchangeTest, ItGetsItsAccountBackFromTheSession) {
  store_bars(200);
  const Outcome straight = outcome_of(run(document()));
  ASSERT_GT(straight.orders.size(), 20U);
  const Outcome at_a_bar = run_with_restart_before("/sim/v1/advance");
  EXPECT_EQ(at_a_bar.text, straight.text);
  EXPECT_EQ(at_a_bar.orders, straight.orders);
  const Outcome at_an_order = run_with_restart_before("/v2/orders");
  EXPECT_EQ(at_an_order.text, straight.text);
  EXPECT_EQ(at_an_order.orders, straight.orders);
}

}  // namespace
}  // namespace alphaswarm::trading::paper
