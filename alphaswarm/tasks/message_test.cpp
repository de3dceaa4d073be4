#include "alphaswarm/tasks/message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "alphaswarm/base/random.hpp"
#include "alphaswarm/tasks/task_result.hpp"

namespace alphaswarm::tasks {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

// As celery 5.4 sends it with apply_async(args=("AAPL", 2), kwargs={"deep": True}, priority=4).
constexpr std::string_view kFromCelery = R"json({
 "body":"W1siQUFQTCIsIDJdLCB7ImRlZXAiOiB0cnVlfSwgeyJjYWxsYmFja3MiOiBudWxsLCAiZXJyYmFja3MiOiBudWxsLCAiY2hhaW4iOiBudWxsLCAiY2hvcmQiOiBudWxsfV0=",
 "content-encoding":"utf-8","content-type":"application/json",
 "headers":{"lang":"py","task":"t.run","id":"7d2c","shadow":null,"eta":"2030-01-02T03:04:05.678900+00:00",
  "expires":null,"group":null,"group_index":null,"retries":2,"timelimit":[null,null],"root_id":"7d2c",
  "parent_id":null,"argsrepr":"('AAPL', 2)","kwargsrepr":"{}","origin":"gen1@host","ignore_result":false,
  "traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03","tracestate":"a=b"},
 "properties":{"correlation_id":"7d2c","reply_to":"r","delivery_mode":2,
  "delivery_info":{"exchange":"","routing_key":"backtest"},"priority":4,"body_encoding":"base64",
  "delivery_tag":"d"}})json";

TEST(Base64, RoundTripsEveryLengthAndRefusesRubbish) {
  EXPECT_EQ(encode_base64(""), "");
  EXPECT_EQ(encode_base64("f"), "Zg==");
  EXPECT_EQ(encode_base64("fo"), "Zm8=");
  EXPECT_EQ(encode_base64("foobar"), "Zm9vYmFy");
  Random random(7);
  for (std::size_t size = 0; size < 100; ++size) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random.next());
    EXPECT_EQ(decode_base64(encode_base64(bytes)), bytes);
  }
  for (const std::string_view wrong :
       {"Z", "Zg=", "Zg==Zg==", "Z===", "====", "Zm9v!mFy", "Zm9\n"}) {
    EXPECT_FALSE(decode_base64(wrong)) << wrong;
  }
}

TEST(Message, ReadsWhatCelerySends) {
  const auto message = decode_message(kFromCelery);
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(message->task, "t.run");
  EXPECT_EQ(message->id, "7d2c");
  EXPECT_EQ(message->queue, "backtest");
  EXPECT_EQ(json::serialize(message->args), R"(["AAPL",2])");
  EXPECT_EQ(json::serialize(message->kwargs), R"({"deep":true})");
  EXPECT_EQ(message->retries, 2);
  EXPECT_EQ(message->priority, 4);
  EXPECT_EQ(message->eta, *from_rfc3339("2030-01-02T03:04:05.6789Z"));
  EXPECT_EQ(message->context.at("traceparent"),
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03");
  EXPECT_EQ(message->context.at("tracestate"), "a=b");
  EXPECT_EQ(message->context.size(), 2U);
  EXPECT_EQ(message->ignore_result, false);
  EXPECT_FALSE(message->redelivered);
}

TEST(Message, WritesWhatAPythonWorkerNeeds) {
  TaskMessage message;
  message.id = "7d2c";
  message.task = "t.run";
  message.queue = "paper";
  message.args = {1, "x"};
  message.kwargs["a"] = nullptr;
  message.expires = UnixNanos{1};
  message.context["traceparent"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const json::value envelope = json::parse(encode_message(message));
  const json::object& headers = envelope.at("headers").as_object();
  for (const char* name : {"lang",
                           "task",
                           "id",
                           "shadow",
                           "eta",
                           "expires",
                           "group",
                           "group_index",
                           "retries",
                           "timelimit",
                           "root_id",
                           "parent_id",
                           "argsrepr",
                           "kwargsrepr",
                           "origin",
                           "ignore_result",
                           "replaced_task_nesting",
                           "stamped_headers",
                           "stamps",
                           "traceparent"}) {
    EXPECT_TRUE(headers.contains(name)) << name;
  }
  EXPECT_EQ(headers.at("root_id"), "7d2c");
  EXPECT_EQ(headers.at("expires"), "1970-01-01T00:00:00.000000+00:00");
  const json::object& properties = envelope.at("properties").as_object();
  EXPECT_EQ(properties.at("body_encoding"), "base64");
  EXPECT_EQ(properties.at("expiration"), "0");
  EXPECT_EQ(properties.at("delivery_info").at("routing_key"), "paper");
  EXPECT_FALSE(properties.at("delivery_tag").as_string().empty());
  EXPECT_EQ(*decode_base64(std::string(envelope.at("body").as_string())),
            R"([[1,"x"],{"a":null},{"callbacks":null,"errbacks":null,"chain":null,"chord":null}])");
}

TEST(Message, RoundTrips) {
  TaskMessage message;
  message.id = "i";
  message.task = "t";
  message.queue = "q";
  message.retries = 3;
  message.priority = 9;
  message.eta = UnixNanos{1'700'000'000'123'456'000};
  message.parent_id = "p";
  message.ignore_result = std::nullopt;
  message.context = {{"b3", "1-2-1"}, {"baggage", "desk=fx"}};
  message.kwargs["größe"] = json::array{1.5, false, json::object{{"k", "v"}}};
  const auto back = decode_message(encode_message(message));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->kwargs, message.kwargs);
  EXPECT_EQ(back->eta, message.eta);
  EXPECT_EQ(back->parent_id, "p");
  EXPECT_EQ(back->root_id, "i");
  EXPECT_EQ(back->retries, 3);
  EXPECT_EQ(back->ignore_result, std::nullopt);
  EXPECT_EQ(back->context, message.context);
  EXPECT_EQ(back->priority, 9);
  const auto again = decode_message(mark_redelivered(encode_message(message)));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->redelivered);
}

TEST(Message, AcceptsTheLeastAndRefusesLess) {
  EXPECT_TRUE(decode_message(R"({"body":"[[],{},null]","headers":{"task":"t","id":"i"}})"));
  struct Case {
    std::string_view text;
    std::string_view why;
  };
  for (
      const Case& wrong : {
          Case{"{", "not JSON"},
          Case{"[]", "not an object"},
          Case{"{}", "no headers"},
          Case{R"({"headers":{"id":"i"},"body":"[[],{},null]"})", "header task"},
          Case{R"({"headers":{"task":"t"},"body":"[[],{},null]"})", "header id"},
          Case{R"({"headers":{"task":"t","id":"i"}})", "no body"},
          Case{R"({"headers":{"task":"t","id":"i"},"body":"x"})", "not JSON"},
          Case{R"({"headers":{"task":"t","id":"i"},"body":"[{},[]]"})", "[args, kwargs, embed]"},
          Case{
              R"({"headers":{"task":"t","id":"i"},"properties":{"body_encoding":"base64"},"body":"?"})",
              "base64"},
          Case{R"({"headers":{"task":"t","id":"i","eta":"soon"},"body":"[[],{},null]"})", "eta"},
          Case{
              R"({"content-type":"application/x-python-serialize","headers":{"task":"t","id":"i"}})",
              "content type"},
      }) {
    const auto message = decode_message(wrong.text);
    ASSERT_FALSE(message) << wrong.text;
    EXPECT_EQ(message.error().code, ErrorCode::invalid_argument);
    EXPECT_THAT(message.error().message, HasSubstr(wrong.why)) << wrong.text;
  }
}

TEST(Message, NoCutOfAGoodOneIsAcceptedOrCrashes) {
  const std::string good = encode_message(*decode_message(kFromCelery));
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(decode_message(good.substr(0, size)));
  }
}

TEST(Message, RandomDamageIsRefusedOrReadAsAMessageThatRoundTrips) {
  const std::uint64_t seed = thread_random().next();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  const std::string good = encode_message(*decode_message(kFromCelery));
  int accepted = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string damaged = good;
    for (std::uint64_t i = 0; i <= random.below(4); ++i) {
      damaged[random.below(damaged.size())] = static_cast<char>(random.next());
    }
    const auto message = decode_message(damaged);
    (void)mark_redelivered(damaged);
    (void)decode_result(damaged);
    if (!message) continue;
    ++accepted;
    const auto again = decode_message(encode_message(*message));
    ASSERT_TRUE(again) << again.error().message << damaged;
    EXPECT_EQ(again->args, message->args);
    EXPECT_EQ(again->id, message->id);
  }
  EXPECT_GT(accepted, 0);
}

TEST(TaskResults, ReadWhatCeleryStores) {
  const auto failure = decode_result(
      R"({"status":"FAILURE","result":{"exc_type":"ValueError","exc_message":["bad",3],"exc_module":"builtins"},)"
      R"("traceback":"…","children":[],"date_done":"2026-11-22T14:03:11.284112","task_id":"i"})");
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->exception_type, "ValueError");
  EXPECT_EQ(failure->error, "bad, 3");
  EXPECT_EQ(failure->date_done, *from_rfc3339("2026-11-22T14:03:11.284112Z"));
  const auto success = decode_result(
      R"({"status":"SUCCESS","result":[1],"date_done":"2026-11-22T14:03:11.284112+00:00","task_id":"i"})");
  ASSERT_TRUE(success);
  EXPECT_EQ(json::serialize(success->result), "[1]");
  EXPECT_EQ(success->date_done, failure->date_done);
  EXPECT_FALSE(decode_result("nonsense"));
}

TEST(TaskResults, AreWrittenAsCeleryReadsThem) {
  TaskResult result;
  result.task_id = "i";
  result.status = kFailure;
  result.exception_type = exception_type_of(ErrorCode::invalid_argument);
  result.error = "no such file";
  result.date_done = *from_rfc3339("2026-11-22T14:03:11.5Z");
  EXPECT_EQ(encode_result(result),
            R"({"status":"FAILURE","result":{"exc_type":"InvalidArgument","exc_message":)"
            R"(["no such file"],"exc_module":null},"traceback":null,"children":[],)"
            R"("date_done":"2026-11-22T14:03:11.500000+00:00","task_id":"i"})");
}

}  // namespace
}  // namespace alphaswarm::tasks
