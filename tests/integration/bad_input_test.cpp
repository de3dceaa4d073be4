// Each mistake of a user gets one clear sentence and the right exit code or status.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>

#include "tests/integration/system.hpp"

namespace alphaswarm::testing {
namespace {

namespace json = boost::json;

struct Mistake {
  std::vector<std::string> arguments;
  Variables environment;
  int exit_code;
  std::string sentence;  // part of the output
};

TEST(BadInput, CommandLineAndSettings) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "bad.yaml") << "session: {run_name: x}\nstrategy: [1, 2\n";
  std::ofstream(folder.path() / "impossible.yaml")
      << "session: {universe: [A.B]}\nstrategy: {name: mean_reversion, params: {lookback: 1}}\n";
  const std::vector<Mistake> mistakes = {
      {{"frobnicate"}, {}, 2, "unknown subcommand 'frobnicate': it is one of up, api"},
      {{"up", "--port-offset", "many"}, {}, 2, "--port-offset"},
      {{"up", "--once"},
       {{"ALPHASWARM_OTEL_SAMPLE_RATIO", "1.5"}},
       1,
       "ALPHASWARM_OTEL_SAMPLE_RATIO=1.5 is not allowed: it must be a number from 0 to 1"},
      {{"up"},
       {{"ALPHASWARM_API_ADDRESS", "here"}},
       1,
       "ALPHASWARM_API_ADDRESS=here is not allowed"},
      {{"worker"}, {}, 1, "ALPHASWARM_REDIS_URL"},
      {{"paper", "run", "--config", "missing.yaml"}, {}, 1, "missing.yaml cannot be read"},
      {{"paper", "run", "--config", "bad.yaml"}, {}, 1, "bad.yaml:"},
      {{"backtest", "run", "--config", "impossible.yaml"}, {}, 1, "lookback"},
      {{"ingest", "missing.csv"}, {}, 1, "missing.csv"},
      {{"trace", "tree", "xyz"}, {}, 1, "'xyz' is not a trace id"},
      {{"trace", "list", "--url", "http://127.0.0.1:1"},
       {},
       1,
       "no answer from http://127.0.0.1:1"},
  };
  for (const Mistake& mistake : mistakes) {
    const Outcome outcome = run_alphaswarm(mistake.arguments, folder.path(), mistake.environment);
    EXPECT_EQ(outcome.exit_code, mistake.exit_code) << mistake.sentence << '\n' << outcome.output;
    EXPECT_NE(outcome.output.find(mistake.sentence), std::string::npos) << mistake.sentence << '\n'
                                                                        << outcome.output;
  }
}

TEST(BadInput, BusyPortIsNamedWithTheRemedy) {
  System first;
  const TemporaryFolder folder;
  const std::string port = first.api_url().substr(first.api_url().rfind(':') + 1);
  const Outcome second = run_alphaswarm(
      {"up", "--no-demo", "--port-offset", std::to_string(std::stoi(port) - 8000)}, folder.path());
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_NE(second.output.find("--port-offset"), std::string::npos) << second.output;
}

TEST(BadInput, HttpBodies) {
  System system;
  const auto broken = [&] {
    net::ClientRequest request;
    request.method = "POST";
    request.url = system.api_url() + "/paper/start";
    request.body = "{not json";
    return system.api().send(std::move(request));
  }();
  EXPECT_EQ(broken.status, 422) << broken.body;
  EXPECT_FALSE(broken.json().at("detail").as_array().empty());

  const auto impossible = system.api().post(
      "/paper/start",
      {{"config",
        {{"session", {{"universe", {"TEST.LOCAL"}}}},
         {"strategy", {{"name", "mean_reversion"}, {"params", {{"lookback", 1}}}}}}}});
  EXPECT_EQ(impossible.status, 422) << impossible.body;
  EXPECT_NE(impossible.body.find("lookback"), std::string::npos) << impossible.body;

  EXPECT_EQ(system.api().get("/paper/runs/none").status, 404);
  EXPECT_EQ(system.api().get("/nowhere").status, 404);
  EXPECT_EQ(system.process().stop(), 0) << system.process().output();
}

// An unreachable collector costs nothing but its spans, which are counted.
TEST(BadInput, UnreachableCollectorStopsNothing) {
  System system({{"ALPHASWARM_OTEL_ENDPOINT", "http://127.0.0.1:1"}});
  system.ingest(60);
  const json::object run = system.run_paper("lonely");
  EXPECT_EQ(run.at("bars_seen").to_number<int>(), 60);
  EXPECT_EQ(system.process().stop(), 0) << system.process().output();
}

}  // namespace
}  // namespace alphaswarm::testing
