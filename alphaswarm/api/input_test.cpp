#include "alphaswarm/api/input.hpp"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <string>

namespace alphaswarm::api {
namespace {

namespace json = boost::json;

net::HttpRequest with_body(std::string body) {
  net::HttpRequest request;
  request.body = std::move(body);
  return request;
}

// {place, type} of every issue, as "body.name:type" lines.
std::string told(const std::optional<net::HttpResponse>& response) {
  if (!response) return "";
  EXPECT_EQ(response->status, 422);
  std::string lines;
  const json::value document = json::parse(response->body);
  for (const json::value& issue : document.at("detail").as_array()) {
    std::string line;
    for (const json::value& step : issue.at("loc").as_array()) {
      line += (line.empty() ? "" : ".") + std::string(step.as_string());
    }
    lines += line + ":" + std::string(issue.at("type").as_string()) + "\n";
    EXPECT_FALSE(issue.at("msg").as_string().empty());
    EXPECT_TRUE(issue.as_object().contains("input"));
  }
  return lines;
}

TEST(BodyReader, GivesTheFieldsOfAGoodBody) {
  const net::HttpRequest request = with_body(R"( {"name":"x","count":3} )");
  BodyReader body(request);
  body.require("name");
  EXPECT_EQ(body.text("name", "", 10), "x");
  EXPECT_EQ(body.positive_decimal("count"), Decimal::from_integer(3));
  EXPECT_EQ(told(body.finish()), "");
}

TEST(BodyReader, TellsEveryMistakeAtOnce) {
  const net::HttpRequest request = with_body(R"({"count":[3],"extra":1})");
  BodyReader body(request);
  body.require("name");
  (void)body.text("name", "", 10);
  (void)body.positive_decimal("count");
  EXPECT_EQ(told(body.finish()),
            "body.name:missing\nbody.count:wrong_type\nbody.extra:unknown_key\n");
}

TEST(BodyReader, PutsAConfigurationsOwnIssuesInTheirPlace) {
  const net::HttpRequest request = with_body(R"({"config":{}})");
  BodyReader body(request);
  (void)body.object("config");
  body.add_issues("config", {Issue{{"session", "max_bars"}, "must be 1", "out_of_range", 0}});
  EXPECT_EQ(told(body.finish()), "body.config.session.max_bars:out_of_range\n");
}

TEST(BodyReader, SaysOnlyThatABodyIsNotReadable) {
  const auto read = [](std::string text) {
    const net::HttpRequest request = with_body(std::move(text));
    BodyReader body(request);
    body.require("name");
    (void)body.text("name", "", 10);
    return body.finish();
  };
  EXPECT_EQ(told(read("")), "body:missing\n");
  EXPECT_EQ(told(read("[1]")), "body:wrong_type\n");
  EXPECT_EQ(told(read("{\"a\":")), "body:json_invalid\n");
  EXPECT_EQ(told(read("{} {}")), "body:json_invalid\n");
  EXPECT_EQ(told(read("{\"a\":\"\xFF\"}")), "body:json_invalid\n");
  const auto broken = read("{\n  \"a\": nope\n}");
  ASSERT_TRUE(broken.has_value());
  EXPECT_NE(broken->body.find("line 2, column"), std::string::npos) << broken->body;
}

TEST(QueryReader, ReadsLimitsAndTimes) {
  net::HttpRequest request;
  request.query = "limit=7&start=2020-01-31&end=2020-02-01T00%3A00%3A00Z";
  QueryReader query(request);
  EXPECT_EQ(query.limit(100, 1000), 7);
  EXPECT_EQ(to_rfc3339(*query.time("start")), "2020-01-31T00:00:00.000000000Z");
  EXPECT_TRUE(query.time("end").has_value());
  EXPECT_FALSE(query.time("other").has_value());
  EXPECT_EQ(told(query.finish()), "");
}

TEST(QueryReader, TellsWhatIsWrong) {
  net::HttpRequest request;
  request.query = "limit=7x&start=yesterday";
  QueryReader query(request);
  EXPECT_EQ(query.limit(100, 1000), 100);
  EXPECT_FALSE(query.time("start").has_value());
  EXPECT_EQ(told(query.finish()), "query.limit:wrong_type\nquery.start:invalid\n");
  request.query = "limit=0";
  QueryReader low(request);
  (void)low.limit(100, 1000);
  EXPECT_EQ(told(low.finish()), "query.limit:out_of_range\n");
}

}  // namespace
}  // namespace alphaswarm::api
