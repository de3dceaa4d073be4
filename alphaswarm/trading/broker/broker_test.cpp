#include "alphaswarm/trading/broker/broker.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>

#include "alphaswarm/base/thread.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/trading/broker/sim_broker.hpp"
#include "alphaswarm/trading/exchange/exchange_fixture.hpp"

namespace alphaswarm::trading {
namespace {

namespace otel = alphaswarm::observability;
using std::chrono::milliseconds;
using std::chrono::seconds;

class BrokerTest : public exchange::ExchangeFixture {
 protected:
  void SetUp() override {
    start();
    otel::Config config;
    config.service_name = "test";
    config.sink = sink_;
    auto made = otel::TracerProvider::create(std::move(config));
    ASSERT_TRUE(made);
    provider_ = std::move(*made);
    provider_->install_as_default();
    broker_ = make_broker(exchange_->base_url());
    ASSERT_TRUE(wait(broker_->connect()));
    advance_market(0, 99, 100);
  }

  std::unique_ptr<SimBroker> make_broker(std::string url) {
    SimConfig config;
    config.base_url = std::move(url);
    config.key_id = "alice";
    config.timeout = seconds(2);
    config.waiting.uniform = [] { return 0.5; };
    config.waiting.sleep = [this](std::chrono::nanoseconds time) { return note_wait(time); };
    return std::make_unique<SimBroker>(std::move(config), http_);
  }
  net::task<Result<void>> note_wait(std::chrono::nanoseconds time) {
    waits_.push_back(std::chrono::duration_cast<milliseconds>(time));
    co_return Result<void>();
  }
  template <class T>
  T wait(net::task<T> work) {
    return net::block_on(client_runtime_, std::move(work));
  }
  Result<SimStep> advance_market(int index, double open, double close) {
    const std::vector<SymbolBar> bars{
        {apple_, Bar{day(index), Price::of(open), Price::of(std::max(open, close) + 1),
                     Price::of(std::min(open, close) - 1), Price::of(close), Quantity::of(1000)}}};
    return wait(broker_->advance(index, bars));
  }
  OrderRequest order(std::string id, double quantity = 10, Side side = Side::buy) const {
    OrderRequest request;
    request.client_id.value = std::move(id);
    request.symbol = apple_;
    request.side = side;
    request.quantity = Quantity::of(quantity);
    return request;
  }
  void faults(const std::string& settings) {
    ASSERT_EQ(call("POST", "/sim/v1/faults", settings).status, 200);
  }
  otel::FinishedSpan find_span(const std::string& name) {
    EXPECT_TRUE(provider_->force_flush());
    return sink_->find(name);
  }
  std::size_t orders_at_exchange() {
    return call("GET", "/v2/orders?status=all").body.as_array().size();
  }

  const VtSymbol apple_ = *VtSymbol::parse("AAPL.NASDAQ");
  std::shared_ptr<otel::MemorySink> sink_ = std::make_shared<otel::MemorySink>();
  std::unique_ptr<otel::TracerProvider> provider_;
  std::vector<milliseconds> waits_;
  std::unique_ptr<SimBroker> broker_;
};

TEST_F(BrokerTest, AnOrderFromSubmissionToPosition) {
  const Result<Order> placed = wait(broker_->submit_order(order("one")));
  ASSERT_TRUE(placed) << placed.error().message;
  EXPECT_EQ(placed->status, OrderStatus::new_order);
  EXPECT_EQ(placed->request.symbol, apple_);
  EXPECT_EQ(wait(broker_->query_open_orders())->size(), 1U);
  const Result<SimStep> step = advance_market(1, 110, 120);
  ASSERT_TRUE(step) << step.error().message;
  ASSERT_EQ(step->updates.size(), 1U);
  ASSERT_TRUE(step->updates[0].fill.has_value());
  EXPECT_EQ(step->updates[0].fill->price.to_string(), "110.022");
  EXPECT_EQ(step->updates[0].fill->commission.to_string(), "0.55011");
  const Result<Order> filled = wait(broker_->query_order(placed->id));
  EXPECT_EQ(filled->status, OrderStatus::filled);
  EXPECT_EQ(filled->average_price.to_string(), "110.022");
  EXPECT_EQ(wait(broker_->query_order(ClientOrderId{"one"}))->id, placed->id);
  const auto positions = wait(broker_->query_positions());
  ASSERT_EQ(positions->size(), 1U);
  EXPECT_EQ((*positions)[0].quantity.to_string(), "10");
  const auto account = wait(broker_->query_account());
  EXPECT_EQ(account->cash, step->cash);
  EXPECT_EQ(account->equity, step->equity);

  const otel::FinishedSpan span = find_span("broker.submit_order");
  EXPECT_EQ(span.attributes.at("broker.venue"), "sim");
  EXPECT_EQ(span.attributes.at("order.client_id"), "one");
  EXPECT_EQ(span.attributes.at("order.id"), placed->id.value);
  EXPECT_EQ(find_span("broker.query_positions").attributes.at("broker.venue"), "sim");
  EXPECT_EQ(find_span("broker.query_account").attributes.at("broker.venue"), "sim");
}

TEST_F(BrokerTest, RefusalsOfTheMomentAreTriedAgain) {
  for (const int status : {429, 502, 503, 504}) {
    waits_.clear();
    faults(R"({"fail_next":2,"error_status":)" + std::to_string(status) + "}");
    const Result<Order> placed =
        wait(broker_->submit_order(order("retry-" + std::to_string(status))));
    ASSERT_TRUE(placed) << placed.error().message;
    EXPECT_EQ(waits_, (std::vector<milliseconds>{milliseconds(750), milliseconds(1250)}));
  }
  EXPECT_EQ(orders_at_exchange(), 4U);
  const otel::FinishedSpan span = find_span("broker.submit_order");
  ASSERT_EQ(span.events.size(), 2U);
  EXPECT_EQ(span.events[0].name, "retry");
  EXPECT_EQ(span.events[0].attributes.at("http.request.resend_count"), "1");
  EXPECT_EQ(span.events[1].attributes.at("http.request.resend_count"), "2");
  EXPECT_NE(span.events[1].attributes.at("retry.reason").find("429"), std::string::npos);
  EXPECT_EQ(span.status, otel::StatusCode::unset);
}

TEST_F(BrokerTest, ThreeTriesAreAllThereAre) {
  faults(R"({"fail_next":3,"error_status":503})");
  const Result<Order> placed = wait(broker_->submit_order(order("one")));
  ASSERT_FALSE(placed);
  EXPECT_EQ(placed.error().code, ErrorCode::unavailable);
  EXPECT_NE(placed.error().message.find("3 tries"), std::string::npos) << placed.error().message;
  EXPECT_EQ(waits_.size(), 2U);
  EXPECT_EQ(orders_at_exchange(), 0U);
  const otel::FinishedSpan span = find_span("broker.submit_order");
  EXPECT_EQ(span.status, otel::StatusCode::error);
  EXPECT_EQ(span.status_message, placed.error().message);
}

TEST_F(BrokerTest, OtherErrorsAreNotTriedAgain) {
  faults(R"({"fail_next":1,"error_status":501})");
  const Result<Order> placed = wait(broker_->submit_order(order("one")));
  ASSERT_FALSE(placed);
  EXPECT_EQ(placed.error().code, ErrorCode::unavailable);  // nobody knows what it did
  EXPECT_TRUE(waits_.empty());
}

TEST_F(BrokerTest, RetryAfterIsHonoured) {
  faults(R"({"fail_next":1,"error_status":429,"retry_after_seconds":7})");
  ASSERT_TRUE(wait(broker_->query_account()));
  EXPECT_EQ(waits_, std::vector<milliseconds>{seconds(7)});
  waits_.clear();
  faults(R"({"fail_next":1,"error_status":429,"retry_after_seconds":3600})");
  EXPECT_EQ(wait(broker_->query_account()).error().code, ErrorCode::unavailable);
  EXPECT_TRUE(waits_.empty());
}

TEST_F(BrokerTest, ALostAnswerNeverMakesTwoOrders) {
  faults(R"({"fail_next":1,"error_status":504,"after_effect":true})");
  const Result<Order> placed = wait(broker_->submit_order(order("once")));
  ASSERT_TRUE(placed) << placed.error().message;
  EXPECT_EQ(placed->status, OrderStatus::new_order);
  EXPECT_EQ(orders_at_exchange(), 1U);
  const otel::FinishedSpan span = find_span("broker.submit_order");
  EXPECT_EQ(span.attributes.at("order.id"), placed->id.value);
  EXPECT_EQ(span.events.back().name, "broker.duplicate_client_order_id");
  const Result<Order> again = wait(broker_->submit_order(order("once")));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id, placed->id);
  const Result<Order> other = wait(broker_->submit_order(order("once", 11)));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::already_exists);
}

TEST_F(BrokerTest, NonsenseIsTriedAgain) {
  faults(R"({"fail_next":1,"garbage":true})");
  ASSERT_TRUE(wait(broker_->submit_order(order("one"))));
  EXPECT_EQ(waits_.size(), 1U);
  faults(R"({"fail_next":3,"garbage":true})");
  const auto account = wait(broker_->query_account());
  ASSERT_FALSE(account);
  EXPECT_NE(account.error().message.find("not JSON"), std::string::npos);
}

TEST_F(BrokerTest, TheAccountsRefusalIsAnOrderThatWasRejected) {
  const Result<Order> placed = wait(broker_->submit_order(order("big", 5000)));
  ASSERT_TRUE(placed) << placed.error().message;
  EXPECT_EQ(placed->status, OrderStatus::rejected);
  EXPECT_NE(placed->reason.find("buying power"), std::string::npos);
  const Result<Order> malformed = wait(broker_->submit_order(order("zero", 0)));
  ASSERT_FALSE(malformed);
  EXPECT_EQ(malformed.error().code, ErrorCode::invalid_argument);
}

TEST_F(BrokerTest, CancellingIsSafeToRepeat) {
  const Result<Order> placed = wait(broker_->submit_order(order("one")));
  faults(R"({"fail_next":1,"error_status":504,"after_effect":true})");
  EXPECT_TRUE(wait(broker_->cancel_order(placed->id)));
  EXPECT_TRUE(wait(broker_->cancel_order(placed->id)));
  const Result<Order> filled = wait(broker_->submit_order(order("two")));
  advance_market(1, 100, 100);
  EXPECT_EQ(wait(broker_->cancel_order(filled->id)).error().code, ErrorCode::conflict);
  EXPECT_EQ(wait(broker_->cancel_order(OrderId{"none"})).error().code, ErrorCode::not_found);
  EXPECT_EQ(wait(broker_->query_order(OrderId{"a/b c"})).error().code, ErrorCode::not_found);
}

TEST_F(BrokerTest, AnExchangeThatIsGone) {
  exchange_->stop();
  const auto account = wait(broker_->query_account());
  ASSERT_FALSE(account);
  EXPECT_EQ(account.error().code, ErrorCode::unavailable);
  EXPECT_EQ(waits_.size(), 2U);
}

TEST_F(BrokerTest, UpdatesAreStreamed) {
  auto stream = wait(broker_->stream_order_updates());
  ASSERT_TRUE(stream) << stream.error().message;
  const Result<Order> placed = wait(broker_->submit_order(order("one")));
  const auto accepted = wait((*stream)->next());
  ASSERT_TRUE(accepted && *accepted);
  EXPECT_EQ((*accepted)->event, "new");
  EXPECT_EQ((*accepted)->order.id, placed->id);
  const Result<SimStep> step = advance_market(1, 110, 120);
  const auto filled = wait((*stream)->next());
  ASSERT_TRUE(filled && *filled);
  EXPECT_EQ((*filled)->event, "fill");
  EXPECT_EQ((*filled)->execution_id, step->updates[0].execution_id);
  EXPECT_EQ((*filled)->fill->price, step->updates[0].fill->price);
  wait((*stream)->close());
}

// A server that answers every connection with the same bytes and hangs up.
class RudeServer {
 public:
  explicit RudeServer(std::string answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = start_thread("rude", [this](const std::stop_token&) { serve(); });
  }
  ~RudeServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int served() const { return served_.load(); }

 private:
  void serve() {
    for (;;) {
      const int peer = ::accept(listener_, nullptr, nullptr);
      if (peer < 0) return;
      char buffer[4096];
      std::ignore = ::recv(peer, buffer, sizeof(buffer), 0);
      ++served_;  // before the client can know of it
      std::ignore = ::send(peer, answer_.data(), answer_.size(), MSG_NOSIGNAL);
      ::close(peer);
    }
  }

  std::string answer_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> served_{0};
  std::jthread thread_;
};

TEST_F(BrokerTest, BrokenAnswersAreTriedAgain) {
  for (const std::string& answer :
       {std::string("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"id\":"),  // half a body
        std::string("\x16\x03\x01 what?\r\n\r\n"), std::string()}) {
    const RudeServer server(answer);
    waits_.clear();
    const auto broker = make_broker(server.url());
    const auto account = wait(broker->query_account());
    ASSERT_FALSE(account);
    EXPECT_EQ(account.error().code, ErrorCode::unavailable) << account.error().message;
    EXPECT_EQ(server.served(), 3);
    EXPECT_EQ(waits_.size(), 2U);
  }
}

}  // namespace
}  // namespace alphaswarm::trading
