#include "alphaswarm/api/config_issue.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <string>

#include "alphaswarm/trading/backtest/config.hpp"

namespace alphaswarm::api {
namespace {

struct Case {
  std::string config;
  std::string place;  // dotted
  std::string input;
};

class LocateIssue : public ::testing::TestWithParam<Case> {};

// The sentences are the trading module's own, so this fails when they change their shape.
TEST_P(LocateIssue, FindsTheSettingThatTheSentenceNames) {
  const boost::json::object config = boost::json::parse(GetParam().config).as_object();
  const auto parsed = trading::parse_backtest_config(config);
  ASSERT_FALSE(parsed.has_value());
  const Issue issue = locate_issue(parsed.error(), config);
  std::string place;
  for (const std::string& step : issue.loc) place += (place.empty() ? "" : ".") + step;
  EXPECT_EQ(place, GetParam().place) << issue.msg;
  EXPECT_EQ(boost::json::serialize(issue.input), GetParam().input) << issue.msg;
  EXPECT_EQ(issue.msg, parsed.error().message);
}

INSTANTIATE_TEST_SUITE_P(
    Sentences, LocateIssue,
    ::testing::Values(
        Case{R"({"session":{"run_name":"x","max_bars":0}})", "session.max_bars", "0"},
        Case{R"({"session":{"initial_cash":-5}})", "session.initial_cash", "-5"},
        Case{R"({"session":{"nonsense":1}})", "session.nonsense", "1"},
        Case{R"({"strategy":{"name":"astrology"}})", "strategy.name", R"("astrology")"},
        Case{R"({"strategy":{"name":"mean_reversion","params":{"lookback":0}}})",
             "strategy.params.lookback", "0"},
        Case{R"({"brokerage":{"params":{"slippage_bps":-1}}})", "brokerage.params.slippage_bps",
             "-1"},
        Case{R"({"feed":{"params":{"interval":"7d"}}})", "feed.params.interval", R"("7d")"},
        Case{R"({"risk":{"max_position_pct":-1}})", "risk.max_position_pct", "-1"},
        Case{R"({"feed":3})", "feed", "3"}, Case{R"({"surprise":{}})", "surprise", "null"}));

TEST(LocateIssues, MakesTheSessionsPlacesExact) {
  const boost::json::object config =
      boost::json::parse(R"({"session":{"max_bars":0,"heartbeat_seconds":"x"},
                             "feed":{"kind":"live"}})")
          .as_object();
  const auto parsed = trading::paper::parse_session_config(config);
  ASSERT_FALSE(parsed.has_value());
  const std::vector<Issue> issues = locate_issues(parsed.error(), config);
  ASSERT_EQ(issues.size(), 3U);
  EXPECT_EQ(issues[0].loc, (std::vector<std::string>{"session", "heartbeat_seconds"}));
  EXPECT_EQ(issues[0].type, "wrong_type");
  EXPECT_EQ(issues[1].loc, (std::vector<std::string>{"feed", "kind"}));
  EXPECT_EQ(issues[2].loc, (std::vector<std::string>{"session", "max_bars"}));
  EXPECT_EQ(issues[2].input, 0);
}

}  // namespace
}  // namespace alphaswarm::api
