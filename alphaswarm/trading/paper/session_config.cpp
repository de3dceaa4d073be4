#include "alphaswarm/trading/paper/session_config.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <set>

namespace alphaswarm::trading::paper {

namespace json = boost::json;

namespace {

// The keys that only a paper session knows. They are read here and taken out of the document
// before the rest goes to the backtest's parser, which refuses what it does not know.
class LiveKeys {
 public:
  LiveKeys(json::object document, std::vector<ConfigIssue>& issues)
      : document_(std::move(document)), issues_(issues) {}

  std::string text(std::vector<std::string> loc, std::string fallback) {
    const json::value given = take(loc);
    if (given.is_null()) return fallback;
    if (given.is_string()) return std::string(given.get_string());
    report(std::move(loc), "must be text", "wrong_type", given);
    return fallback;
  }
  bool flag(std::vector<std::string> loc, bool fallback) {
    const json::value given = take(loc);
    if (given.is_null()) return fallback;
    if (given.is_bool()) return given.get_bool();
    report(std::move(loc), "must be true or false", "wrong_type", given);
    return fallback;
  }
  double number(std::vector<std::string> loc, double fallback, double low, double high) {
    const json::value given = take(loc);
    if (given.is_null()) return fallback;
    if (!given.is_number()) {
      report(std::move(loc), "must be a number", "wrong_type", given);
      return fallback;
    }
    const auto value = given.to_number<double>();
    if (value >= low && value <= high) return value;
    report(std::move(loc), fmt::format("must be from {} to {}", low, high), "out_of_range", given);
    return fallback;
  }
  std::int64_t integer(std::vector<std::string> loc, std::int64_t fallback, std::int64_t low,
                       std::int64_t high) {
    const json::value given = take(loc);
    if (given.is_null()) return fallback;
    boost::system::error_code inexact;
    const auto value = given.is_number() ? given.to_number<std::int64_t>(inexact) : 0;
    if (!given.is_number() || inexact) {
      report(std::move(loc), "must be a whole number", "wrong_type", given);
      return fallback;
    }
    if (value >= low && value <= high) return value;
    report(std::move(loc), fmt::format("must be from {} to {}", low, high), "out_of_range", given);
    return fallback;
  }

  void report(std::vector<std::string> loc, std::string msg, std::string type,
              const json::value& given) {
    std::string shown = json::serialize(given);
    if (shown.size() > 64) shown = shown.substr(0, 61) + "...";
    if (!given.is_null()) msg += ", got " + shown;
    issues_.push_back({std::move(loc), std::move(msg), std::move(type), given});
  }

  [[nodiscard]] const json::object& rest() const noexcept { return document_; }

 private:
  // The value at that place, which is then gone from the document; null if there is none.
  json::value take(const std::vector<std::string>& loc) {
    json::object* object = &document_;
    for (std::size_t i = 0; i + 1 < loc.size(); ++i) {
      json::value* inner = object->if_contains(loc[i]);
      if (inner == nullptr || !inner->is_object()) return nullptr;  // the other parser's to report
      object = &inner->get_object();
    }
    const auto found = object->find(loc.back());
    if (found == object->end()) return nullptr;
    json::value value = std::move(found->value());
    object->erase(found);
    return value;
  }

  json::object document_;
  std::vector<ConfigIssue>& issues_;
};

// "feed params: speed …" is about {"feed", "params"}.
ConfigIssue shared_issue(const Error& error, const json::object& document) {
  ConfigIssue issue;
  const std::size_t colon = error.message.find(": ");
  const std::string where = error.message.substr(0, std::min(colon, error.message.size()));
  const std::string section = where.substr(0, where.find(' '));
  issue.type = "invalid";
  issue.msg = error.message;
  if (colon == std::string::npos || !document.contains(section)) return issue;
  issue.loc.push_back(section);
  if (where == section + " params") issue.loc.emplace_back("params");
  issue.msg = error.message.substr(colon + 2);
  return issue;
}

// What a live feed needs and cannot do.
void check_feed(SessionConfig& config, const std::string& mode, LiveKeys& live) {
  const bool minutes = config.run.matching.interval == Interval::minute;
  config.stream = mode.empty() ? minutes : mode == "stream";
  if (!mode.empty() && mode != "stream" && mode != "poll") {
    live.report({"feed", "params", "mode"}, "must be stream or poll", "invalid", json::value(mode));
  }
  if (!config.live_feed()) return;
  if (config.stream && !minutes) {
    live.report({"feed", "params", "mode"}, "must be poll: only minute bars are streamed",
                "invalid", json::value(mode));
  }
  if (config.speed > 0) {
    live.report({"feed", "params", "speed"}, "is of a replay: a live feed has its own", "invalid",
                json::value(config.speed));
  }
  std::vector<VtSymbol>& universe = config.run.universe;
  if (universe.empty()) {
    live.report({"session", "universe"}, "must name the symbols of a live feed", "invalid",
                nullptr);
  }
  std::set<std::string_view> tickers;
  for (const VtSymbol& symbol : universe) {
    if (tickers.insert(symbol.ticker()).second) continue;
    live.report({"session", "universe"},
                "must not name a ticker twice: the feed knows no exchanges", "invalid",
                json::value(symbol.text()));
  }
}

}  // namespace

Error to_error(const std::vector<ConfigIssue>& issues) {
  std::string message;
  for (const ConfigIssue& issue : issues) {
    if (!message.empty()) message += "; ";
    message +=
        issue.loc.empty() ? issue.msg : fmt::format("{}: {}", fmt::join(issue.loc, "."), issue.msg);
  }
  return Error{ErrorCode::invalid_argument, std::move(message), false};
}

std::expected<SessionConfig, std::vector<ConfigIssue>> parse_session_config(
    const json::object& document) {
  std::vector<ConfigIssue> issues;
  SessionConfig config;
  LiveKeys live(document, issues);
  const double heartbeat = live.number({"session", "heartbeat_seconds"}, 30, 0.01, 3600);
  config.heartbeat = std::chrono::milliseconds(static_cast<std::int64_t>(heartbeat * 1000));
  config.state_flush_every_bars = live.integer({"session", "state_flush_every_bars"}, 10, 1, 1000);
  config.stop_on_kill_switch = live.flag({"session", "stop_on_kill_switch"}, true);
  config.dry_run = live.flag({"session", "dry_run"}, false);
  config.venue = live.text({"brokerage", "venue"}, config.venue);
  if (config.venue != "sim" && !config.live_venue()) {
    live.report({"brokerage", "venue"}, "must be sim, alpaca or tradier", "invalid",
                json::value(config.venue));
  }
  config.base_url = live.text({"brokerage", "params", "base_url"}, "");
  if (!config.base_url.empty() && !config.base_url.starts_with("http://") &&
      !config.base_url.starts_with("https://")) {
    live.report({"brokerage", "params", "base_url"}, "must start with http:// or https://",
                "invalid", json::value(config.base_url));
  }
  config.feed = live.text({"feed", "kind"}, config.feed);
  if (config.feed != "replay" && config.feed != "alpaca") {
    live.report({"feed", "kind"}, "must be replay or alpaca", "invalid", json::value(config.feed));
  }
  if (config.live_venue() && config.feed == "replay") {
    live.report({"feed", "kind"},
                "must be alpaca: a live venue trades at today's prices, not at replayed ones",
                "invalid", json::value(config.feed));
  }
  config.speed = live.number({"feed", "params", "speed"}, 0, 0, 1e6);
  config.warmup_bars = live.integer({"feed", "params", "warmup_bars"}, 0, 0, 100'000);
  const std::string mode = live.text({"feed", "params", "mode"}, "");
  const double poll = live.number({"feed", "params", "poll_seconds"}, 5, 0.01, 3600);
  config.poll = std::chrono::milliseconds(static_cast<std::int64_t>(poll * 1000));
  Result<BacktestConfig> shared = parse_backtest_config(live.rest());
  if (shared) {
    config.run = std::move(*shared);
    check_feed(config, mode, live);
  } else {
    issues.push_back(shared_issue(shared.error(), document));
  }
  const json::value* session = document.if_contains("session");
  const bool named =
      session != nullptr && session->is_object() && session->get_object().contains("run_name");
  if (!named) config.run.run_name = "paper-adhoc";
  if (!issues.empty()) return std::unexpected(std::move(issues));
  return config;
}

json::object to_json(const SessionConfig& config) {
  json::object document = alphaswarm::trading::to_json(config.run);
  json::object& session = document["session"].as_object();
  session["heartbeat_seconds"] = static_cast<double>(config.heartbeat.count()) / 1000;
  session["state_flush_every_bars"] = config.state_flush_every_bars;
  session["stop_on_kill_switch"] = config.stop_on_kill_switch;
  session["dry_run"] = config.dry_run;
  json::object& brokerage = document["brokerage"].as_object();
  brokerage["venue"] = config.venue;
  if (!config.base_url.empty()) brokerage["params"].as_object()["base_url"] = config.base_url;
  json::object& feed = document["feed"].as_object();
  feed["kind"] = config.feed;
  json::object& params = feed["params"].as_object();
  params["warmup_bars"] = config.warmup_bars;
  if (config.live_feed()) {
    params["mode"] = config.stream ? "stream" : "poll";
    params["poll_seconds"] = static_cast<double>(config.poll.count()) / 1000;
  } else {
    params["speed"] = config.speed;
  }
  return document;
}

}  // namespace alphaswarm::trading::paper
