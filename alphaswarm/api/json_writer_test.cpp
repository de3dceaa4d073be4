#include "alphaswarm/api/json_writer.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <cmath>

namespace alphaswarm::api {
namespace {

TEST(JsonWriter, PutsCommasBetweenAndKeepsEveryDigit) {
  JsonWriter json;
  json.begin_object().field("price", *Decimal::parse("92233720368.54775807"));
  json.key("list").begin_array().value(1).value(true).value(nullptr).begin_object().end_object();
  json.end_array().field("ratio", 0.1).field("time", UnixNanos{1});
  json.field_or_null("unset", UnixNanos{}).field("none", std::optional<Decimal>()).end_object();
  EXPECT_EQ(json.take(), R"({"price":92233720368.54775807,"list":[1,true,null,{}],"ratio":0.1,)"
                         R"("time":"1970-01-01T00:00:00.000000001Z","unset":null,"none":null})");
}

TEST(JsonWriter, EscapesTextAndMendsBrokenUtf8) {
  JsonWriter json;
  json.value(std::string_view("a\"b\\c\n\t\x01 \xC3\xA9 \xF0\x9F\x98\x80 \xFF \xED\xA0\x80 \xC3"));
  const std::string text = json.take();
  const boost::json::value back = boost::json::parse(text);  // throws on bad UTF-8
  EXPECT_EQ(back.as_string(),
            "a\"b\\c\n\t\x01 é 😀 \xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD \xEF\xBF\xBD");
}

TEST(JsonWriter, WritesNullForNumbersThatJsonCannotSay) {
  JsonWriter json;
  json.begin_array().value(std::nan("")).value(INFINITY).value(-0.25).end_array();
  EXPECT_EQ(json.take(), "[null,null,-0.25]");
}

}  // namespace
}  // namespace alphaswarm::api
