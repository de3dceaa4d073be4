#pragma once

// What a paper session is asked to do: one document of sections session, strategy, brokerage, feed
// and risk. A backtest of the same document uses the same bars, strategy, account and limits.

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "alphaswarm/trading/backtest/config.hpp"

namespace alphaswarm::trading::paper {

// Beyond what BacktestConfig documents:
//   session    heartbeat_seconds (30, 0.01–3600), state_flush_every_bars (10, 1–1000),
//              stop_on_kill_switch (true: the session ends; false: it waits for the release),
//              dry_run (false; true: decides and checks, submits nothing)
//   brokerage  venue ("sim", "alpaca", "tradier"), params.base_url (of another simulated exchange
//              than the service's)
//   feed       kind ("replay": bars of the database; "alpaca": bars as they happen; a live venue
//              takes orders at today's prices, so it is refused with a replay),
//              params.warmup_bars (0: bars before `start` that only fill the history; they come
//              from the database);
//              of a replay: params.speed (bars a second; 0, the default: as fast as it goes);
//              of Alpaca's: params.mode ("stream", the default for minute bars, or "poll", the
//              default for the others), params.poll_seconds (5, 0.01–3600), and params.start (what
//              has been since then comes first; default: from the session's start on). At a live
//              venue a bar that ended longer ago than bars last only updates history and books
struct SessionConfig {
  BacktestConfig run;
  std::chrono::milliseconds heartbeat{30'000};
  std::int64_t state_flush_every_bars = 10;
  bool stop_on_kill_switch = true;
  bool dry_run = false;
  std::string venue = "sim";
  std::string base_url;
  std::string feed = "replay";
  double speed = 0;
  std::int64_t warmup_bars = 0;
  bool stream = true;  // of the feed "alpaca"; false: poll
  std::chrono::milliseconds poll{5'000};

  [[nodiscard]] bool live_venue() const noexcept { return venue == "alpaca" || venue == "tradier"; }
  [[nodiscard]] bool live_feed() const noexcept { return feed != "replay"; }
};

// One mistake, in the shape of a 422 detail entry.
struct ConfigIssue {
  std::vector<std::string> loc;  // e.g. {"session", "heartbeat_seconds"}
  std::string msg;
  std::string type;          // "wrong_type", "out_of_range", "invalid"
  boost::json::value input;  // what was given; null if nothing
};

// All mistakes that can be told apart, never an empty list.
[[nodiscard]] std::expected<SessionConfig, std::vector<ConfigIssue>> parse_session_config(
    const boost::json::object& document);
// "session.heartbeat_seconds: must be …; feed.kind: …", invalid_argument.
[[nodiscard]] Error to_error(const std::vector<ConfigIssue>& issues);
// The settings written out in full, defaults included; parses to the same.
[[nodiscard]] boost::json::object to_json(const SessionConfig& config);

}  // namespace alphaswarm::trading::paper
