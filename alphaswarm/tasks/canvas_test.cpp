#include "alphaswarm/tasks/canvas.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <set>

namespace alphaswarm::tasks {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TaskMessage with(std::string_view embed) {
  TaskMessage message;
  message.id = "first";
  message.root_id = "root";
  message.task = "t";
  message.embed = json::parse(embed).as_object();
  return message;
}

// "task args [<- chain]", as the messages would be sent.
std::vector<std::string> picture(const Result<std::vector<TaskMessage>>& messages) {
  if (!messages) return {"error: " + messages.error().message};
  std::vector<std::string> lines;
  for (const TaskMessage& message : *messages) {
    EXPECT_EQ(message.parent_id, "first");
    EXPECT_EQ(message.root_id, "root");
    std::string line = message.queue + " " + message.task + json::serialize(message.args);
    if (const json::value* chain = message.embed.if_contains("chain")) {
      for (const json::value& each : chain->as_array()) {
        line += " <- " + std::string(each.at("task").as_string());
      }
    }
    lines.push_back(line);
  }
  return lines;
}

TEST(Canvas, TheLastOfAChainIsNextAndTheOthersGoWithIt) {
  const TaskMessage message = with(
      R"({"chain":[{"task":"c"},{"task":"b"},{"task":"a","args":[2],"options":{"queue":"q"}}],
          "callbacks":[{"task":"l","immutable":true,"args":["own"]},{"task":"m"}]})");
  EXPECT_THAT(picture(after_success(message, 1)),
              ElementsAre("default l[\"own\"]", "default m[1]", "q a[1,2] <- c <- b"));
  EXPECT_THAT(picture(after_failure(message)), IsEmpty());
}

TEST(Canvas, ChainsAndGroupsInItAreTakenApart) {
  EXPECT_THAT(
      picture(after_success(
          with(R"({"callbacks":[{"task":"celery.chain","kwargs":{"tasks":[{"task":"a"},{"task":"b"},
                 {"task":"c"}]}},{"task":"celery.group","kwargs":{"tasks":[{"task":"d"},
                 {"task":"e"}]}}]})"),
          1)),
      ElementsAre("default a[1] <- c <- b", "default d[1]", "default e[1]"));
}

TEST(Canvas, AFailureTellsTheIdAndLeavesTheChain) {
  const TaskMessage message = with(
      R"({"errbacks":[{"task":"e","args":["x"]}],"callbacks":[{"task":"l"}],
          "chain":[{"task":"b","options":{"task_id":"id-b"}},{"task":"a"}]})");
  EXPECT_THAT(picture(after_failure(message)), ElementsAre("default e[\"first\",\"x\"]"));
  EXPECT_THAT(abandoned_by_failure(message), ElementsAre("id-b"));
}

TEST(Canvas, WhatHasNoIdHasOneOfItsPlace) {
  TaskMessage message = with(
      R"({"callbacks":[{"task":"l"},{"task":"l"},{"task":"m","options":{"task_id":"own"}}],
          "errbacks":[{"task":"l"}]})");
  const auto ids = [](const TaskMessage& before) {
    std::vector<std::string> all;
    for (const auto& followers : {*after_success(before, 1), *after_failure(before)}) {
      for (const TaskMessage& each : followers) all.push_back(each.id);
    }
    return all;
  };
  const std::vector<std::string> once = ids(message);
  EXPECT_EQ(ids(message), once);
  EXPECT_EQ(once[2], "own");
  message.id = "second";
  std::vector<std::string> both = ids(message);
  both.insert(both.end(), once.begin(), once.end());
  EXPECT_EQ(std::set<std::string>(both.begin(), both.end()).size(), 7U);
  EXPECT_THAT(once[0], ::testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-.{4}-.{12}"));
}

TEST(Canvas, OptionsAreTheNextMessagesOwn) {
  const auto next = after_success(
      with(R"({"callbacks":[{"task":"a","kwargs":{"k":1},"options":{"task_id":"a1","priority":3,
           "countdown":60,"expires":"2030-01-02T03:04:05","time_limit":9,"link":{"task":"x"},
           "link_error":[{"task":"y"}],"group_id":"g","ignore_result":true}}]})"),
      nullptr);
  ASSERT_TRUE(next) << next.error().message;
  const TaskMessage& message = next->front();
  EXPECT_EQ(message.id, "a1");
  EXPECT_EQ(message.priority, 3);
  EXPECT_EQ(message.group, "g");
  EXPECT_EQ(message.ignore_result, std::optional(true));
  EXPECT_EQ(message.time_limit_seconds, std::optional(9.0));
  EXPECT_GT(message.eta->value, now_unix().value);
  EXPECT_EQ(to_python_time(*message.expires), "2030-01-02T03:04:05.000000+00:00");
  EXPECT_EQ(message.embed.at("callbacks").at(0).at("task").as_string(), "x");
  EXPECT_EQ(message.embed.at("errbacks").at(0).at("task").as_string(), "y");
}

TEST(Canvas, ChordsAndWhatCannotBeReadAreRefusedInWords) {
  const auto why = [](std::string_view embed) {
    const auto possible = check_canvas(with(embed));
    return possible ? std::string() : possible.error().message;
  };
  EXPECT_EQ(why(R"({"callbacks":null,"chain":[],"chord":null})"), "");
  EXPECT_THAT(why(R"({"chord":{"task":"b"}})"), HasSubstr("part of a chord"));
  EXPECT_THAT(why(R"({"chain":[{"task":"celery.chord"}]})"), HasSubstr("a chord is to follow"));
  EXPECT_THAT(why(R"({"chain":[{"task":"z"},{"task":"celery.group","kwargs":
                      {"tasks":[{"task":"a"}]}}]})"),
              HasSubstr("that is a chord"));
  EXPECT_THAT(why(R"({"callbacks":[7]})"), HasSubstr("cannot be read"));
  EXPECT_THAT(why(R"({"callbacks":7})"), HasSubstr("no list"));
  EXPECT_THAT(why(R"({"callbacks":[{"task":"celery.chain"}]})"), HasSubstr("no tasks"));
}

TEST(Canvas, AMessageKeepsWhatItWasGiven) {
  TaskMessage message = with(R"({"callbacks":[{"task":"a","x":[1]}],"later":{"unknown":true}})");
  message.group = "g";
  message.group_index = 4;
  message.time_limit_seconds = 1.5;
  const auto again = decode_message(encode_message(message));
  ASSERT_TRUE(again);
  EXPECT_EQ(json::serialize(again->embed.at("callbacks")), R"([{"task":"a","x":[1]}])");
  EXPECT_TRUE(again->embed.at("later").at("unknown").as_bool());
  EXPECT_TRUE(again->embed.at("chord").is_null());
  EXPECT_EQ(again->group, "g");
  EXPECT_EQ(again->group_index, std::optional<std::int64_t>(4));
  EXPECT_EQ(again->time_limit_seconds, std::optional(1.5));
  EXPECT_FALSE(again->soft_time_limit_seconds);
}

}  // namespace
}  // namespace alphaswarm::tasks
