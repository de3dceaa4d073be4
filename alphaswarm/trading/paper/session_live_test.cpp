// Sessions over a live feed: bars and orders by Alpaca's protocol, through whatever happens to the
// connection, the venue or the session.

#include "alphaswarm/trading/paper/session_live_fixture.hpp"

namespace alphaswarm::trading::paper {
namespace {

TEST_F(SessionLiveTest, OrdersAndBarsByAlpacasProtocol) {
  make_market(120, {"SWING.US", "OTHER.US"});
  const Result<SessionResult> result = play_all("alpaca", "stream", [](std::size_t) {});
  ASSERT_TRUE(result) << result.error().message;
  expect_same_orders(result->run_id);
  const auto all = spans();
  expect_books_closed(result->run_id);
  int submits = 0;
  for (const auto& span : all) {
    if (span.name == "broker.submit_order") {
      ++submits;
      EXPECT_EQ(span.attributes.at("broker.venue"), "alpaca");
    }
    if (span.name == "paper.session.run") EXPECT_EQ(span.attributes.at("broker.venue"), "alpaca");
    for (const auto& [key, value] : span.attributes) {
      EXPECT_EQ(value.find("hush-hush"), std::string::npos) << span.name << ' ' << key;
    }
  }
  EXPECT_EQ(submits, static_cast<int>(venue_orders().size()));
  EXPECT_EQ(row_of(result->run_id).config_json.find("hush"), std::string::npos);
  expect_as_replayed(*result);
}

TEST_F(SessionLiveTest, BarsThatArePolledFor) {
  make_market(80);
  const Result<SessionResult> result = play_all("alpaca", "poll", [](std::size_t) {});
  ASSERT_TRUE(result) << result.error().message;
  expect_same_orders(result->run_id);
  expect_as_replayed(*result);
}

TEST_F(SessionLiveTest, StreamsThatAreCutLoseNothing) {
  make_market(120);
  const Result<SessionResult> result = play_all("alpaca", "stream", [this](std::size_t bar) {
    if (bar % 7 == 3) account()->cut_streams();
  });
  ASSERT_TRUE(result) << result.error().message;
  expect_same_orders(result->run_id);
  expect_as_replayed(*result);
}

TEST_F(SessionLiveTest, ALiveFeedAtTheSimulatedExchange) {
  make_market(100, {"SWING.US", "OTHER.US"});
  const Result<SessionResult> result = play_all("sim", "stream", [this](std::size_t bar) {
    if (bar % 20 == 5) account()->cut_streams();
  });
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(venue_orders().empty());  // its account there is another
  expect_books_closed(result->run_id);
  expect_as_replayed(*result);
}

TEST_F(SessionLiveTest, TroubleAtTheVenueIsLivedThrough) {
  make_market(100);
  const Result<SessionResult> result = play_all("alpaca", "stream", [this](std::size_t bar) {
    exchange::FaultSettings faults;
    faults.fail_next = static_cast<int>(bar % 3);
    faults.after_effect = bar % 2 == 0;
    faults.error_status = bar % 5 == 0 ? 429 : 503;
    faults.garbage = bar % 7 == 0;
    faults.retry_after_seconds = 0;
    exchange_->faults().set(faults);
  });
  exchange_->faults().set({});
  ASSERT_TRUE(result) << result.error().message;
  expect_same_orders(result->run_id);
  expect_as_replayed(*result);
}

class SessionLiveResumeTest : public SessionLiveTest,
                              public ::testing::WithParamInterface<const char*> {};

// Cut off again and again, as by a killed worker: its row and state stay as they were last saved.
TEST_P(SessionLiveResumeTest, ItGoesOnWithEachOrderOnce) {
  make_market(120, {"SWING.US", "OTHER.US"});
  services_.resume_after_worker_stop = true;
  std::optional<Result<SessionResult>> result;
  for (std::size_t stop : {20U, 45U, 70U, 120U}) {
    Running running;
    launch(running, live_document(GetParam(), "stream"), "live");
    await_bars("live", static_cast<std::int64_t>(moved_), running);
    // Stopped right after a bar went out: in the middle of whatever that sets off.
    play("live", running, stop - 1, [](std::size_t) {});
    move_market();
    if (stop < steps_.size()) running.stop.request_stop();
    result = join(running);
  }
  ASSERT_TRUE(*result) << result->error().message;
  if (std::string(GetParam()) == "alpaca") expect_same_orders((*result)->run_id);
  services_.resume_after_worker_stop = false;
  expect_as_replayed(**result);
}

INSTANTIATE_TEST_SUITE_P(Venues, SessionLiveResumeTest, ::testing::Values("alpaca", "sim"));

TEST_F(SessionLiveTest, WhatHappensWhileItIsAwayIsFoundOut) {
  make_market(120);
  services_.resume_after_worker_stop = true;
  Running first;
  launch(first, live_document("alpaca", "stream"), "live");
  std::size_t bars = 0;
  while (venue_orders().empty() && bars < steps_.size()) {
    play("live", first, ++bars, [](std::size_t) {});
  }
  first.stop.request_stop();
  ASSERT_FALSE(join(first));
  ASSERT_EQ(orders_of(row_of_task("live").id).back().status, "new");
  // The order is filled while nobody listens, and more bars go by than one.
  for (int i = 0; i < 5; ++i) move_market();
  Running second;
  launch(second, live_document("alpaca", "stream"), "live");
  await_bars("live", static_cast<std::int64_t>(moved_), second);
  play("live", second, steps_.size(), [](std::size_t) {});
  const Result<SessionResult> result = join(second);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->status, "completed");
  EXPECT_EQ(result->bars_seen, static_cast<std::int64_t>(steps_.size()));
  expect_same_orders(result->run_id);
}

TEST_F(SessionLiveTest, AStopCancelsAtTheVenue) {
  Running running;
  play_until_an_order(running);
  ASSERT_TRUE(net::block_on(runtime_, send_stop(*services_.bus, "live", "enough")));
  expect_cancelled(running, "enough");
  EXPECT_EQ(paper_->stats().open, 0U);
}

TEST_F(SessionLiveTest, TheKillSwitchWaitsForNoBar) {
  Running running;
  play_until_an_order(running);
  KillSwitch kill_switch(services_.bus, services_.database);
  ASSERT_TRUE(net::block_on(runtime_, kill_switch.engage("closed for the night")));
  expect_cancelled(running, "kill switch: closed for the night");
}

// Killed in the middle of a step, and again before it was repeated: it is one bar all the same.
TEST_F(SessionLiveTest, AStepThatIsCutOffTwiceCountsOnce) {
  make_market(20);
  exchange::ExchangeConfig own;
  own.port = 0;
  auto venue = exchange::Exchange::start(exchange_runtime_, own);
  ASSERT_TRUE(venue);
  services_.exchange_url = (*venue)->base_url();
  const auto bus = std::make_shared<DistantBus>(services_.bus);
  services_.bus = bus;
  services_.progress = std::make_shared<tasks::ProgressBus>(bus, services_.database);
  services_.resume_after_worker_stop = true;
  Running first;
  launch(first, live_document("sim", "stream"), "live");
  play("live", first, 10, [](std::size_t) {});
  exchange::FaultSettings slow;
  slow.latency = std::chrono::milliseconds(60'000);
  (*venue)->faults().set(slow);
  move_market();
  await([this] { return state_of("live").contains("step"); });
  first.stop.request_stop();
  ASSERT_FALSE(join(first));
  (*venue)->faults().set({});
  // What a kill leaves just after the state was saved, and before the step was begun again.
  Running second;
  std::optional<persistence::RunRow> killed;
  bus->on_publish([&](const std::string& payload) {
    if (killed || payload.find("\"running\"") == std::string::npos) return;
    killed = row_of_task("live");
    second.stop.request_stop();
  });
  launch(second, live_document("sim", "stream"), "live");
  std::ignore = join(second);
  ASSERT_TRUE(killed);
  EXPECT_TRUE(json::parse(killed->state_json).as_object().contains("step"));
  ASSERT_TRUE(persistence::RunRepository(*services_.database).update(*killed));
  Running third;
  launch(third, live_document("sim", "stream"), "live");
  play("live", third, steps_.size(), [](std::size_t) {});
  const Result<SessionResult> result = join(third);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->bars_seen, static_cast<std::int64_t>(steps_.size()));
}

TEST_F(SessionLiveTest, WhatIsNotConfiguredIsSaid) {
  make_market(3);
  services_.live = {};
  const Result<SessionResult> result = run(live_document("alpaca", "stream"));
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("ALPHASWARM_ALPACA_KEY_ID"), std::string::npos);
}

TEST(SessionConfigLive, ReplaysDoNotTradeAtALiveVenue) {
  const auto why = [](const char* text) {
    const auto parsed = parse_session_config(json::parse(text).as_object());
    return parsed ? std::string() : to_error(parsed.error()).message;
  };
  EXPECT_NE(why(R"({"brokerage": {"venue": "alpaca"}})").find("feed.kind: must be alpaca"),
            std::string::npos);
  EXPECT_NE(why(R"({"brokerage": {"venue": "tradier"}, "feed": {"kind": "replay"}})")
                .find("feed.kind: must be alpaca"),
            std::string::npos);
  EXPECT_NE(why(R"({"brokerage": {"venue": "nyse"}})").find("sim, alpaca or tradier"),
            std::string::npos);
  EXPECT_NE(why(R"({"feed": {"kind": "alpaca"}})").find("session.universe"), std::string::npos);
  EXPECT_NE(why(R"({"feed": {"kind": "alpaca", "params": {"mode": "stream"}},
                    "session": {"universe": ["A.US"]}})")
                .find("only minute bars"),
            std::string::npos);
  EXPECT_NE(why(R"({"feed": {"kind": "alpaca", "params": {"interval": "1m"}},
                    "session": {"universe": ["A.US", "A.NASDAQ"]}})")
                .find("ticker twice"),
            std::string::npos);
  EXPECT_EQ(why(R"({"feed": {"kind": "alpaca", "params": {"interval": "1m"}},
                    "brokerage": {"venue": "tradier"}, "session": {"universe": ["A.US"]}})"),
            "");
  const auto parsed =
      parse_session_config(json::parse(R"({"feed": {"kind": "alpaca", "params": {"interval": "1h"}},
                      "session": {"universe": ["A.US"]}})")
                               .as_object());
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(parsed->stream);
  const auto again = parse_session_config(to_json(*parsed));
  ASSERT_TRUE(again);
  EXPECT_EQ(to_json(*again), to_json(*parsed));
}

}  // namespace
}  // namespace alphaswarm::trading::paper
