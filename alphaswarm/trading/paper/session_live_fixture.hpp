#pragma once

// For tests: sessions over a live feed, against the simulated exchange, which speaks Alpaca's
// protocol for orders, bars and both streams. A test is the market: it moves one bar when the
// session has worked on the last, so that a session that lost or doubled anything ends elsewhere
// than the replay. The market's clock stands a second after the end of its last bar.

#include "alphaswarm/trading/broker/alpaca_broker.hpp"
#include "alphaswarm/trading/broker/sim_broker.hpp"
#include "alphaswarm/trading/paper/session_faults_fixture.hpp"

namespace alphaswarm::trading::paper {

constexpr const char* kKey = "live-account";

class SessionLiveTest : public SessionFaultsTest {
 protected:
  SessionLiveTest() { open_venue(); }

  void open_venue() {
    RetryPolicy retry;
    retry.shortest = std::chrono::milliseconds(1);
    retry.longest = std::chrono::milliseconds(20);
    services_.retry = retry;
    AlpacaConfig alpaca;
    alpaca.base_url = exchange_->base_url();
    alpaca.key_id = kKey;
    alpaca.secret_key = "hush-hush";
    alpaca.rate_limit = {};
    alpaca.retry = retry;
    broker_ = std::make_unique<AlpacaBroker>(std::move(alpaca), *http_);
    AlpacaDataConfig data;
    data.base_url = exchange_->base_url();
    data.stream_url = "ws" + exchange_->base_url().substr(4);
    data.key_id = kKey;
    data.secret_key = "hush-hush";
    data.rate_limit = {};
    data.retry = retry;
    data_ = std::make_unique<AlpacaData>(std::move(data), *http_);
    services_.live = {.alpaca = broker_.get(), .tradier = nullptr, .data = data_.get()};
    services_.now = [this] { return UnixNanos{clock_.load()}; };
    SimConfig market;
    market.base_url = exchange_->base_url();
    market.key_id = kKey;
    market.terms.interval = Interval::minute;
    market.terms.commission_rate = {};  // Alpaca tells of none
    market.retry = retry;
    market_ = std::make_unique<SimBroker>(std::move(market), *http_);
    ASSERT_TRUE(net::block_on(runtime_, market_->connect()));
  }

  // Minute bars, and the same in the database, for the replay.
  void make_market(int count, std::vector<std::string> symbols = {"SWING.US"}) {
    double phase = 0;
    for (const std::string& name : symbols) {
      auto rows = make_bars(count, name, phase);
      phase += 2;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i].interval = "1m";
        rows[i].timestamp = minute(static_cast<std::int64_t>(i));
      }
      ASSERT_TRUE(persistence::BarRepository(*services_.database).upsert(rows));
      steps_.resize(rows.size());
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto& row = rows[i];
        steps_[i].push_back({*VtSymbol::parse(name),
                             {row.timestamp, Price(row.open), Price(row.high), Price(row.low),
                              Price(row.close), Quantity(row.volume)}});
      }
    }
    symbols_ = std::move(symbols);
  }
  static UnixNanos minute(std::int64_t index) {
    return {(days_from_civil(2020, 3, 2) * 1440 + 870 + index) * 60'000'000'000};
  }
  // As after `bars` bars.
  void set_clock(std::size_t bars) {
    clock_.store(minute(static_cast<std::int64_t>(bars)).value + 1'000'000'000);
  }
  void move_market() {
    const std::size_t index = moved_++;
    set_clock(moved_);
    const auto moved =
        net::block_on(runtime_, market_->advance(static_cast<std::int64_t>(index), steps_[index]));
    ASSERT_TRUE(moved) << moved.error().message;
  }

  json::object live_document(const std::string& venue, const std::string& mode) {
    json::object config = document(
        R"({"brokerage": {"params": {"commission_rate": 0}},
            "feed": {"kind": "alpaca", "params": {"interval": "1m", "poll_seconds": 0.01}}})");
    config["session"].as_object()["universe"] = json::array(symbols_.begin(), symbols_.end());
    config["session"].as_object()["max_bars"] = steps_.size();
    config["brokerage"].as_object()["venue"] = venue;
    json::object& params = config["feed"].as_object()["params"].as_object();
    params["mode"] = mode;
    params["start"] = to_rfc3339(minute(0));
    return config;
  }
  json::object replay_document() {
    json::object config = live_document("sim", "poll");
    config["feed"] = json::object{{"params", json::object{{"interval", "1m"}}}};
    return config;
  }

  persistence::RunRow row_of_task(const std::string& task_id) {
    const auto row = persistence::RunRepository(*services_.database).find_by_task(task_id);
    return row && *row ? **row : persistence::RunRow();
  }
  // Whether the session has saved what it did with the first `bars` bars, its orders included.
  bool has_done(const std::string& task_id, std::int64_t bars) {
    const json::object state = state_of(task_id);
    const json::value* next = state.if_contains("next_index");
    const bool in_a_bar = state.contains("decisions") || state.contains("step");
    if (next == nullptr || next->as_int64() < bars || in_a_bar) return false;
    return std::ranges::none_of(orders_of(row_of_task(task_id).id),
                                [](const auto& order) { return order.status == "submitting"; });
  }
  void await(const std::function<bool()>& reached) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!reached()) {
      ASSERT_LT(std::chrono::steady_clock::now(), until);
      const auto moment = []() -> net::task<void> {
        std::ignore = co_await net::sleep_for(std::chrono::milliseconds(1));
      };
      net::block_on(runtime_, moment());
    }
  }
  void await_bars(const std::string& task_id, std::int64_t bars, const Running& running) {
    await([&] { return has_done(task_id, bars) || running.ended.is_set(); });
  }
  // The same for task "live" where the venue may not have answered to an order, which is said in
  // its row.
  void await_index(std::size_t bars, const Running& running) {
    await([&] {
      if (running.ended.is_set()) return true;
      const json::object state = state_of("live");
      const json::value* next = state.if_contains("next_index");
      if (next == nullptr || next->as_int64() < static_cast<std::int64_t>(bars)) return false;
      return std::ranges::none_of(orders_of(row_of_task("live").id), [](const auto& order) {
        return order.status == "submitting" && order.status_reason.empty();
      });
    });
  }
  json::object state_of(const std::string& task_id) {
    const std::string text = row_of_task(task_id).state_json;
    return text.empty() ? json::object() : json::parse(text).as_object();
  }
  // Moves the market to `bars`, each bar after the session has done the one before.
  template <class Between>
  void play(const std::string& task_id, const Running& running, std::size_t bars, Between between) {
    while (moved_ < bars && !running.ended.is_set()) {
      const std::size_t before = moved_;
      move_market();
      between(before);
      await_bars(task_id, static_cast<std::int64_t>(moved_), running);
    }
  }

  std::vector<json::object> venue_orders() {
    exchange::OrderFilter all;
    all.state = exchange::OrderFilter::State::all;
    all.limit = 100'000;
    all.ascending = true;
    std::vector<json::object> orders;
    for (const json::value& one : (*exchange_->accounts().get(kKey))->orders(all)) {
      orders.push_back(one.as_object());
    }
    return orders;
  }
  // Each order of the run is at the venue once, and as the venue has it.
  void expect_same_orders(const std::string& run_id) {
    std::map<std::string, json::object> at_venue;
    for (json::object& one : venue_orders()) {
      std::string id(one.at("client_order_id").as_string());
      EXPECT_TRUE(at_venue.emplace(std::move(id), std::move(one)).second);
    }
    std::size_t sent = 0;
    for (const auto& row : orders_of(run_id)) {
      if (row.status == "rejected" && row.broker_order_id.empty()) continue;  // risk, dry run
      ++sent;
      const auto found = at_venue.find(row.client_order_id);
      ASSERT_NE(found, at_venue.end()) << row.client_order_id;
      EXPECT_EQ(row.broker_order_id, found->second.at("id").as_string());
      EXPECT_EQ(row.filled_quantity.to_string(), found->second.at("filled_qty").as_string());
      EXPECT_EQ(row.status == "cancelled" ? "canceled" : row.status,
                found->second.at("status").as_string());
    }
    EXPECT_EQ(sent, at_venue.size());
    Decimal filled;
    for (const auto& fill : fills_of(run_id)) filled = filled + fill.quantity;
    Decimal wanted;
    for (const auto& row : orders_of(run_id)) wanted = wanted + row.filled_quantity;
    EXPECT_EQ(filled, wanted);
  }
  // A replay of the same bars: the same orders, fills and equity.
  void expect_as_replayed(const SessionResult& live) {
    const Result<SessionResult> replay = run(replay_document());
    ASSERT_TRUE(replay) << replay.error().message;
    EXPECT_EQ(live.status, "completed") << live.reason;
    EXPECT_EQ(live.bars_seen, replay->bars_seen);
    EXPECT_EQ(live.orders, replay->orders);
    EXPECT_EQ(live.fills, replay->fills);
    EXPECT_EQ(live.final_equity, replay->final_equity);
    EXPECT_GT(live.fills, 4);
    const auto mine = orders_of(live.run_id);
    const auto other = orders_of(replay->run_id);
    ASSERT_EQ(mine.size(), other.size());
    for (std::size_t i = 0; i < mine.size(); ++i) {
      EXPECT_EQ(mine[i].vt_symbol, other[i].vt_symbol);
      EXPECT_EQ(mine[i].side, other[i].side);
      EXPECT_EQ(mine[i].filled_quantity, other[i].filled_quantity);
      EXPECT_EQ(mine[i].average_price, other[i].average_price);
    }
  }
  Result<SessionResult> play_all(const std::string& venue, const std::string& mode,
                                 const std::function<void(std::size_t)>& between) {
    Running running;
    launch(running, live_document(venue, mode), "live");
    play("live", running, steps_.size(), between);
    return join(running);
  }
  // A session over the streams, played until its first order waits at the venue.
  void play_until_an_order(Running& running) {
    make_market(120);
    launch(running, live_document("alpaca", "stream"), "live");
    std::size_t bars = 0;
    while (venue_orders().empty() && bars < steps_.size()) {
      play("live", running, ++bars, [](std::size_t) {});
    }
  }
  // It ends for that reason, and its one order is no longer open at the venue.
  void expect_cancelled(Running& running, const std::string& reason) {
    const Result<SessionResult> result = join(running);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->status, "cancelled");
    EXPECT_EQ(result->reason, reason);
    ASSERT_EQ(venue_orders().size(), 1U);
    EXPECT_EQ(venue_orders()[0].at("status").as_string(), "canceled");
    expect_same_orders(result->run_id);
  }
  std::shared_ptr<exchange::Account> account() { return *exchange_->accounts().get(kKey); }

  std::unique_ptr<AlpacaBroker> broker_;
  std::unique_ptr<AlpacaData> data_;
  std::unique_ptr<SimBroker> market_;
  std::vector<std::vector<SymbolBar>> steps_;
  std::vector<std::string> symbols_;
  std::size_t moved_ = 0;
  std::atomic<std::int64_t> clock_{minute(0).value};
};

}  // namespace alphaswarm::trading::paper
