// ALPHASWARM_OTEL_SQLCOMMENTER: from a line of the database server's log to the span that sent it.

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/integration/system.hpp"
#include "tests/support/postgres.hpp"

namespace alphaswarm::testing {
namespace {

namespace json = boost::json;

constexpr std::string_view kStatement = "FROM paper_trading_runs";  // of GET /paper/runs
constexpr std::string_view kComment = "/*traceparent='00-";

class SqlComments : public ::testing::Test {
 protected:
  // The trace of one GET /paper/runs, sent with the setting or without.
  std::string ask_for_runs(const Variables& setting) {
    const int port = free_port();
    Variables environment = setting;
    environment["ALPHASWARM_OTEL_ENDPOINT"] = collector_.url(4317);
    environment["ALPHASWARM_DATABASE_URL"] =
        postgres_.create_database() + "?options=-c%20log_statement%3Dall";
    Process api({ALPHASWARM_BINARY, "api", "--port", std::to_string(port)}, folder_.path(),
                environment);
    EXPECT_TRUE(api.wait_for_output("ready")) << api.output();
    const auto reply = Http("http://127.0.0.1:" + std::to_string(port)).get("/paper/runs");
    EXPECT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(api.stop(), 0) << api.output();
    return std::string(reply.headers.get("x-trace-id").value_or(""));
  }
  // The names of the spans with that id in a trace.
  std::vector<std::string> names_of(const std::string& trace, std::string_view span) {
    std::vector<std::string> names;
    const auto reply = collector_.traces().poll(
        "/api/traces/" + trace, [](const Http::Reply& one) { return one.status == 200; });
    const json::value document = reply.json();
    for (const json::value& one : document.at("data").at(0).at("spans").as_array()) {
      if (one.at("spanID").as_string() != span) continue;
      names.emplace_back(one.at("operationName").as_string());
    }
    return names;
  }

  Postgres postgres_;
  CollectorProcess collector_;
  TemporaryFolder folder_;
};

TEST_F(SqlComments, LeadFromTheServersLogToTheSpanOfTheStatement) {
  const std::string trace = ask_for_runs({{"ALPHASWARM_OTEL_SQLCOMMENTER", "true"}});
  ASSERT_EQ(trace.size(), 32U);
  const std::string comment = std::string(kComment) + trace + "-";
  ASSERT_TRUE(postgres_.wait_for_log(comment)) << postgres_.log();
  const std::string& log = postgres_.log();
  const std::size_t at = log.find(comment);
  const std::string line = log.substr(log.rfind('\n', at) + 1, at - log.rfind('\n', at));
  EXPECT_NE(line.find(kStatement), std::string::npos) << line;
  EXPECT_EQ(names_of(trace, std::string_view(log).substr(at + comment.size(), 16)),
            std::vector<std::string>{"SELECT paper_trading_runs"});
}

TEST_F(SqlComments, AreNotSentUnlessAskedFor) {
  ASSERT_EQ(ask_for_runs({}).size(), 32U);
  ASSERT_TRUE(postgres_.wait_for_log(kStatement)) << postgres_.log();
  EXPECT_EQ(postgres_.log().find("traceparent"), std::string::npos) << postgres_.log();
}

}  // namespace
}  // namespace alphaswarm::testing
