#include "alphaswarm/api/routes/brokers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "alphaswarm/api/hand_orders.hpp"
#include "alphaswarm/api/testing/service.hpp"
#include "alphaswarm/persistence/bar_repository.hpp"
#include "alphaswarm/persistence/order_repository.hpp"
#include "alphaswarm/trading/broker/alpaca_broker.hpp"
#include "alphaswarm/trading/broker/desk_broker.hpp"
#include "alphaswarm/trading/exchange/exchange.hpp"

namespace alphaswarm::api {
namespace {

using testing::Service;

// The service with the simulated exchange as venue "sim", and "alpaca", which has no credentials.
class BrokerRoutes : public ::testing::Test {
 protected:
  BrokerRoutes()
      : exchange_(start_exchange(runtime_)),
        http_(runtime_),
        broker_(sim_config(*exchange_), http_),
        service_([this](ApiDependencies& dependencies) {
          dependencies.venues = {
              {"sim", &broker_, "the simulated exchange", "127.0.0.1:8100", "simulated"},
              {"alpaca", nullptr, "Set ALPACA_KEY_ID."}};
        }) {
    // The exchange trades what it has seen a bar of.
    const Result<void> connected = net::block_on(runtime_, broker_.connect());
    EXPECT_TRUE(connected.has_value()) << connected.error().message;
    const trading::Price price(Decimal::from_integer(12));
    const trading::SymbolBar bar{*trading::VtSymbol::parse("AAPL.SIM"),
                                 {UnixNanos{86'400'000'000'000}, price, price, price, price,
                                  trading::Quantity(Decimal::from_integer(1000))}};
    const auto step = net::block_on(runtime_, broker_.advance(0, std::span(&bar, 1)));
    EXPECT_TRUE(step.has_value()) << step.error().message;
  }
  ~BrokerRoutes() override {
    service_.stop_server();
    exchange_->stop();
    runtime_.stop();
  }

  static std::unique_ptr<trading::exchange::Exchange> start_exchange(net::Runtime& runtime) {
    trading::exchange::ExchangeConfig config;
    config.port = 0;
    auto exchange = trading::exchange::Exchange::start(runtime, config);
    EXPECT_TRUE(exchange.has_value()) << exchange.error().message;
    return std::move(*exchange);
  }
  static trading::SimConfig sim_config(const trading::exchange::Exchange& exchange) {
    trading::SimConfig config;
    config.base_url = exchange.base_url();
    config.key_id = "api";
    config.retry.shortest = config.retry.longest = std::chrono::milliseconds(1);
    return config;
  }

  net::Runtime runtime_{"exchange", 1};
  std::unique_ptr<trading::exchange::Exchange> exchange_;
  net::HttpClient http_;
  trading::SimBroker broker_;
  Service service_;
};

constexpr std::string_view kOrder =
    R"({"vt_symbol":"AAPL.SIM","side":"buy","quantity":"2.5","order_type":"limit",
        "limit_price":10.25,"time_in_force":"gtc","client_order_id":"mine-1"})";

TEST_F(BrokerRoutes, TellWhichVenuesThereAre) {
  const auto venues = service_.get_json("/brokers", "Venue[]");
  ASSERT_EQ(venues.as_array().size(), 2U);
  EXPECT_TRUE(venues.at(0).at("configured").as_bool());
  EXPECT_EQ(venues.at(0).at("host").as_string(), "127.0.0.1:8100");
  EXPECT_EQ(venues.at(0).at("account").as_string(), "simulated");
  EXPECT_FALSE(venues.at(1).at("configured").as_bool());
  EXPECT_TRUE(venues.at(1).at("account").is_null());
  EXPECT_EQ(service_.refusal("GET", "/brokers/nasdaq/account", "", 404),
            "There is no venue 'nasdaq'.");
  EXPECT_EQ(service_.refusal("GET", "/brokers/alpaca/positions", "", 503),
            "The venue 'alpaca' is not configured. Set ALPACA_KEY_ID.");
}

TEST_F(BrokerRoutes, TellAccountAndPositions) {
  EXPECT_TRUE(service_.get_json("/brokers/sim/status", "VenueStatus").at("connected").as_bool());
  const auto account = service_.get_json("/brokers/sim/account", "VenueAccount");
  EXPECT_EQ(account.at("cash").to_number<double>(), 100'000);
  EXPECT_TRUE(service_.get_json("/brokers/sim/positions", "VenuePosition[]").as_array().empty());
}

TEST_F(BrokerRoutes, PlaceAnOrderOnceAndKeepIt) {
  const auto order =
      service_.call("POST", "/brokers/sim/orders", std::string(kOrder), 200, "Order");
  EXPECT_EQ(order.at("status").as_string(), "new");
  EXPECT_FALSE(order.at("broker_order_id").is_null());
  EXPECT_EQ(order.at("quantity").to_number<double>(), 2.5);
  const auto again =
      service_.call("POST", "/brokers/sim/orders", std::string(kOrder), 200, "Order");
  EXPECT_EQ(again.at("broker_order_id"), order.at("broker_order_id"));
  EXPECT_EQ(service_.get_json("/portfolio/orders", "Order[]").as_array().size(), 1U);
  (void)service_.refusal("POST", "/brokers/sim/orders",
                         R"({"vt_symbol":"AAPL.SIM","side":"sell","quantity":1,
                             "client_order_id":"mine-1"})",
                         409);
}

// Its row would hide that it is live after all.
TEST_F(BrokerRoutes, AnOrderThatHasEndedIsNotSentAgain) {
  (void)service_.call("POST", "/brokers/sim/orders", std::string(kOrder), 200, "Order");
  persistence::OrderRepository orders(service_.database());
  persistence::OrderRow row = orders.find("mine-1")->value();
  ASSERT_TRUE(net::block_on(runtime_, broker_.cancel_order({row.broker_order_id})));
  row.client_order_id = "mine-2";
  row.broker_order_id.clear();
  row.status = "rejected";
  ASSERT_TRUE(orders.insert(row));
  std::string again(kOrder);
  again.replace(again.find("mine-1"), 6, "mine-2");
  EXPECT_EQ(service_.call("POST", "/brokers/sim/orders", again, 200, "Order").at("status"),
            "rejected");
  EXPECT_TRUE(net::block_on(runtime_, broker_.query_open_orders())->empty());
}

TEST_F(BrokerRoutes, CancelByTheClientsId) {
  (void)service_.call("POST", "/brokers/sim/orders", std::string(kOrder), 200, "Order");
  EXPECT_TRUE(service_.call("DELETE", "/brokers/sim/orders/mine-1", "", 200, "CancelAnswer")
                  .at("ok")
                  .as_bool());
  const auto orders = service_.get_json("/portfolio/orders", "Order[]");
  EXPECT_EQ(orders.at(0).at("status").as_string(), "cancelled");
  (void)service_.refusal("DELETE", "/brokers/sim/orders/00000000-0000-4000-8000-000000000000", "",
                         404);
}

TEST_F(BrokerRoutes, TakeNoOrderWhileTheKillSwitchIsEngaged) {
  (void)service_.call("POST", "/portfolio/kill_switch", R"({"engage":true,"reason":"drill"})", 200,
                      "KillSwitch");
  EXPECT_EQ(service_.refusal("POST", "/brokers/sim/orders", std::string(kOrder), 423),
            "The kill switch is engaged (drill): no new orders.");
  EXPECT_TRUE(service_.get_json("/portfolio/orders", "Order[]").as_array().empty());
}

TEST_F(BrokerRoutes, NameWhatIsWrongWithAnOrder) {
  const std::string word = service_.refusal(
      "POST", "/brokers/sim/orders", R"({"vt_symbol":"A.SIM","side":"hold","quantity":1})", 400);
  EXPECT_NE(word.find("side"), std::string::npos) << word;
  EXPECT_NE(word.find("hold"), std::string::npos) << word;
  const auto wrong = service_.call("POST", "/brokers/sim/orders",
                                   R"({"vt_symbol":"","side":"buy","quantity":-1,"size":2})", 422,
                                   "ValidationErrors");
  EXPECT_EQ(wrong.at("detail").as_array().size(), 3U);
  // Each field is right, the order is not: a limit order without its price.
  (void)service_.call("POST", "/brokers/sim/orders",
                      R"({"vt_symbol":"A.SIM","side":"buy","quantity":1,"order_type":"limit"})",
                      422, "ValidationErrors");
  EXPECT_TRUE(service_.get_json("/portfolio/orders", "Order[]").as_array().empty());
}

TEST_F(BrokerRoutes, AVenueThatIsAwayIsABadGateway) {
  exchange_->stop();
  http_.close_idle();
  (void)service_.refusal("GET", "/brokers/sim/account", "", 502);
  EXPECT_NE(service_.refusal("GET", "/brokers/sim/status", "", 502), "");
  (void)service_.refusal("POST", "/brokers/sim/orders", std::string(kOrder), 502);
  // It may have got through: the row says so instead of calling it refused.
  const auto orders = service_.get_json("/portfolio/orders", "Order[]");
  ASSERT_EQ(orders.as_array().size(), 1U);
  EXPECT_EQ(orders.at(0).at("status").as_string(), "submitting");
  EXPECT_FALSE(orders.at(0).at("status_reason").is_null());
}

// A venue that would take the same client id twice.
class ForgetfulBroker final : public trading::SimBroker {
 public:
  using SimBroker::SimBroker;
  [[nodiscard]] bool knows_client_ids() const noexcept override { return false; }
  net::task<Result<trading::Order>> submit_order(trading::OrderRequest request) override {
    if (before_sending) before_sending(request.client_id.value);
    return SimBroker::submit_order(std::move(request));
  }
  std::function<void(const std::string& client_id)> before_sending;
};

// The process that sent it is gone, and with it what it knew of the order.
TEST_F(BrokerRoutes, AnOrderThatMayBeOnItsWayIsAskedForNotSentAgain) {
  ForgetfulBroker forgetful(sim_config(*exchange_), http_);
  Service service([&](ApiDependencies& dependencies) {
    dependencies.venues = {{"sim", &forgetful, "a venue that forgets"}};
    persistence::OrderRow row;
    row.client_order_id = "mine-1";
    row.venue = "sim";
    row.vt_symbol = "AAPL.SIM";
    row.side = "buy";
    row.order_type = "limit";
    row.time_in_force = "gtc";
    row.quantity = *Decimal::parse("2.5");
    row.limit_price = *Decimal::parse("10.25");
    row.status = "submitting";
    row.created_at = row.updated_at = now_unix();
    persistence::OrderRepository orders(dependencies.database);
    EXPECT_TRUE(orders.insert(row));
    row.client_order_id = "mine-2";
    row.updated_at.value -= std::chrono::nanoseconds(std::chrono::minutes(11)).count();
    EXPECT_TRUE(orders.insert(row));
  });
  const std::string said = service.refusal("POST", "/brokers/sim/orders", std::string(kOrder), 502);
  EXPECT_NE(said.find("not sent again"), std::string::npos) << said;
  EXPECT_TRUE(net::block_on(runtime_, forgetful.query_open_orders())->empty());
  // Sent once more, it may be on its way again: its row says so before it leaves.
  UnixNanos noted;
  forgetful.before_sending = [&](const std::string& client_id) {
    noted = (*persistence::OrderRepository(service.database()).find(client_id))->updated_at;
  };
  std::string older(kOrder);
  older.replace(older.find("mine-1"), 6, "mine-2");
  EXPECT_EQ(service.call("POST", "/brokers/sim/orders", older, 200, "Order").at("status"), "new");
  EXPECT_LT(now_unix().value - noted.value,
            std::chrono::nanoseconds(std::chrono::minutes(9)).count());
  // It has arrived after all.
  trading::OrderRequest late;
  late.client_id.value = "mine-1";
  late.symbol = *trading::VtSymbol::parse("AAPL.SIM");
  late.quantity = trading::Quantity::of(2.5);
  late.type = trading::OrderType::limit;
  late.limit_price = trading::Price::of(10.25);
  late.time_in_force = trading::TimeInForce::gtc;
  ASSERT_TRUE(net::block_on(runtime_, broker_.submit_order(late)));
  EXPECT_EQ(
      service.call("POST", "/brokers/sim/orders", std::string(kOrder), 200, "Order").at("status"),
      "new");
  service.stop_server();
}

// What waits at a live venue is asked after until it has ended, by whichever process runs then.
TEST_F(BrokerRoutes, AnOrderAtALiveVenueIsFollowedToItsEnd) {
  trading::AlpacaConfig config;
  config.base_url = exchange_->base_url();
  config.key_id = config.secret_key = "api";
  config.full_symbols = true;
  config.rate_limit = {};
  trading::AlpacaBroker alpaca(std::move(config), http_);
  const std::vector<Venue> venues{{"sim", &broker_, "the simulated exchange"},
                                  {"alpaca", &alpaca, "a live venue"}};
  Service service([&](ApiDependencies& dependencies) { dependencies.venues = venues; });
  const auto placed =
      service.call("POST", "/brokers/alpaca/orders", std::string(kOrder), 200, "Order");
  EXPECT_EQ(placed.at("status").as_string(), "new");
  persistence::OrderRow never;  // its process ended before it was sent
  never.client_order_id = "mine-0";
  never.venue = "alpaca";
  never.vt_symbol = "AAPL.SIM";
  never.side = "buy";
  never.order_type = "market";
  never.time_in_force = "day";
  never.quantity = Decimal::from_integer(1);
  never.status = "submitting";
  never.created_at = never.updated_at = {
      now_unix().value - std::chrono::nanoseconds(std::chrono::minutes(11)).count()};
  EXPECT_TRUE(persistence::OrderRepository(service.database()).insert(never));

  const trading::Price price(Decimal::from_integer(9));
  const trading::SymbolBar bar{*trading::VtSymbol::parse("AAPL.SIM"),
                               {UnixNanos{2 * 86'400'000'000'000}, price, price, price, price,
                                trading::Quantity(Decimal::from_integer(1000))}};
  ASSERT_TRUE(net::block_on(runtime_, broker_.advance(1, std::span(&bar, 1))));
  std::stop_source stop;
  std::atomic<bool> done{false};
  const std::chrono::milliseconds soon(10);
  const auto follow = [](Service& followed, std::vector<Venue> at, std::chrono::milliseconds often,
                         std::atomic<bool>& over) -> net::task<void> {
    co_await follow_hand_orders(followed.database(), std::move(at),
                                {.look_every = often, .soonest = often, .latest = often});
    over = true;
  };
  net::spawn(runtime_, stop, follow(service, venues, soon, done));
  persistence::OrderRepository orders(service.database());
  const auto open = [&] { return orders.open_orders({})->size(); };
  for (int i = 0; i < 500 && open() > 0; ++i) std::this_thread::sleep_for(soon);
  stop.request_stop();
  while (!done) std::this_thread::sleep_for(soon);
  const auto ended = orders.find("mine-1");
  ASSERT_TRUE(ended && *ended);
  EXPECT_EQ((*ended)->status, "filled");
  EXPECT_EQ((*ended)->filled_quantity, *Decimal::parse("2.5"));
  EXPECT_EQ(orders.find("mine-0")->value().status, "rejected");
  const auto fills = service.get_json("/portfolio/fills", "Fill[]");
  ASSERT_EQ(fills.as_array().size(), 1U);
  EXPECT_EQ(fills.at(0).at("quantity").to_number<double>(), 2.5);
  service.stop_server();
}

// As the service has it: no session feeds the account of orders by hand.
TEST(DeskRoutes, AnOrderByHandIsFilledAtTheLastClose) {
  net::Runtime runtime("desk", 2);
  trading::exchange::ExchangeConfig exchange_config;
  exchange_config.port = 0;
  auto exchange = trading::exchange::Exchange::start(runtime, exchange_config);
  ASSERT_TRUE(exchange) << exchange.error().message;
  net::HttpClient http(runtime);
  std::unique_ptr<trading::DeskBroker> desk;
  persistence::BarRow bar;
  {
    Service service([&](ApiDependencies& dependencies) {
      trading::SimConfig config;
      config.base_url = (*exchange)->base_url();
      config.key_id = "api";
      config.terms.slippage_bps = {};
      desk = std::make_unique<trading::DeskBroker>(std::move(config), http, dependencies.database);
      dependencies.venues = {{"sim", desk.get(), "the simulated exchange"}};
      bar.vt_symbol = "AAPL.SIM";
      bar.interval = "1d";
      bar.timestamp = {86'400'000'000'000};
      bar.open = bar.high = bar.low = bar.close = Decimal::from_integer(12);
      bar.volume = Decimal::from_integer(1'000'000);
      EXPECT_TRUE(persistence::BarRepository(dependencies.database).upsert(std::span(&bar, 1)));
    });
    const auto order = [&](const char* body, int status, const char* schema) {
      return service.call("POST", "/brokers/sim/orders", body, status, schema);
    };
    const auto bought =
        order(R"({"vt_symbol":"AAPL.SIM","side":"buy","quantity":10})", 200, "Order");
    EXPECT_EQ(bought.at("status").as_string(), "filled");
    EXPECT_EQ(bought.at("average_price").to_number<double>(), 12.0);
    const auto waiting = order(
        R"({"vt_symbol":"AAPL.SIM","side":"buy","quantity":5,"order_type":"limit",
            "limit_price":10,"time_in_force":"gtc"})",
        200, "Order");
    EXPECT_EQ(waiting.at("status").as_string(), "new");
    const auto sold = order(R"({"vt_symbol":"AAPL.SIM","side":"sell","quantity":4})", 200, "Order");
    EXPECT_EQ(sold.at("status").as_string(), "filled");
    order(R"({"vt_symbol":"NOBODY.SIM","side":"buy","quantity":1})", 404, "ErrorDetail");
    const auto fills = service.call("GET", "/portfolio/fills", "", 200, "Fill[]");
    EXPECT_EQ(fills.as_array().size(), 2U);
    // The market comes to the order that waits. The next order by hand shows it, and tells.
    bar.close = bar.low = Decimal::from_integer(9);
    EXPECT_TRUE(persistence::BarRepository(service.database()).upsert(std::span(&bar, 1)));
    order(R"({"vt_symbol":"AAPL.SIM","side":"sell","quantity":1})", 200, "Order");
    const auto met = service.get_json("/portfolio/orders", "Order[]");
    const auto found = std::ranges::find(met.as_array(), waiting.at("client_order_id"),
                                         [](const auto& one) { return one.at("client_order_id"); });
    ASSERT_NE(found, met.as_array().end());
    EXPECT_EQ(found->at("status").as_string(), "filled");
    EXPECT_EQ(found->at("filled_quantity").to_number<double>(), 5.0);
    const auto all = service.get_json("/portfolio/fills", "Fill[]");
    EXPECT_EQ(all.as_array().size(), 4U);  // each once
    EXPECT_EQ(std::ranges::count(all.as_array(), waiting.at("client_order_id"),
                                 [](const auto& one) { return one.at("client_order_id"); }),
              1);
    service.stop_server();
  }
  (*exchange)->stop();
  runtime.stop();
}

}  // namespace
}  // namespace alphaswarm::api
