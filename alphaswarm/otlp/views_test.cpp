#include "alphaswarm/otlp/views.hpp"

#include <gtest/gtest.h>

#include "alphaswarm/base/random.hpp"
#include "alphaswarm/otlp/json_writer.hpp"
#include "tests/support/otlp_builder.hpp"

namespace alphaswarm::otlp {
namespace {

using namespace alphaswarm::testing;  // the builders

std::string rich_request() {
  SpanSpec span{.parent = span_id(9),
                .name = "GET /bars",
                .kind = SpanKind::client,
                .status = StatusCode::error,
                .message = "refused"};
  span.attributes = {text("http.route", "/bars"), integer("retries", -2), real("price", 12.5),
                     boolean("open", true)};
  span.events = {event("order.fill", 77, {integer("quantity", 3)})};
  span.links = {link(trace_id(2), span_id(3))};
  return request("exchange", {span});
}

Result<TraceBatch> parse(std::string bytes) {
  return parse_trace_request(SharedBytes(std::move(bytes)));
}

TEST(Views, SeeEverythingOfASpan) {
  const auto batch = parse(rich_request());
  ASSERT_TRUE(batch) << batch.error().message;
  ASSERT_EQ(batch->spans.size(), 1U);
  const SpanView& span = batch->spans[0];
  EXPECT_EQ(batch->resource_of(span).service_name, "exchange");
  EXPECT_EQ(batch->scopes[span.scope].name, "tests");
  EXPECT_EQ(batch->scopes[span.scope].version, "1.0");
  EXPECT_EQ(span.trace_id, trace_id(1));
  EXPECT_EQ(span.span_id, span_id(1));
  EXPECT_EQ(span.parent_span_id, span_id(9));
  EXPECT_EQ(span.name, "GET /bars");
  EXPECT_EQ(span.kind, SpanKind::client);
  EXPECT_EQ(span.duration_ns(), 1'000U);
  EXPECT_EQ(span.status, StatusCode::error);
  EXPECT_EQ(span.status_message, "refused");
  std::string json;
  JsonWriter writer(json);
  write_plain_attributes(writer, span.attributes());
  EXPECT_EQ(json, R"({"http.route":"/bars","retries":-2,"price":12.5,"open":true})");
  ASSERT_EQ(span.event_count, 1U);
  const EventView event = *span.events().begin();
  EXPECT_EQ(event.name, "order.fill");
  EXPECT_EQ(event.time_ns, 77U);
  EXPECT_EQ(find_attribute(event.attributes(), "quantity").integer(), 3);
  const LinkView link = *span.links().begin();
  EXPECT_EQ(link.trace_id, trace_id(2));
  EXPECT_EQ(link.span_id, span_id(3));
}

TEST(Views, AttributesAndEventsMayInterleaveAndResourceMayComeLast) {
  MessageWriter span;
  span.bytes(9, integer("a", 1)).bytes(11, event("one", 1)).bytes(9, integer("b", 2));
  span.bytes(11, event("two", 2)).bytes(5, "late name").bytes(2, id_bytes(span_id(1)));
  span.bytes(1, id_bytes(trace_id(1))).varint(99, 1);  // and an unknown field
  MessageWriter scope_spans;
  scope_spans.bytes(2, span.str());
  MessageWriter resource;
  resource.bytes(1, text("service.name", "api"));
  MessageWriter resource_spans;
  resource_spans.bytes(2, scope_spans.str()).bytes(1, resource.str()).bytes(3, "schema");
  const auto batch = parse(MessageWriter().bytes(1, resource_spans.str()).str());
  ASSERT_TRUE(batch) << batch.error().message;
  ASSERT_EQ(batch->spans.size(), 1U);
  EXPECT_EQ(batch->spans[0].name, "late name");
  EXPECT_EQ(batch->spans[0].attributes().size(), 2U);
  EXPECT_EQ(batch->spans[0].events().size(), 2U);
  EXPECT_EQ(batch->resources[0].service_name, "api");
  EXPECT_EQ(batch->resources[0].schema_url, "schema");
}

TEST(Views, SpansWithoutIdsAreRejectedOneByOne) {
  const auto batch = parse(request("api", {{}, {.id = {}}, {.trace = {}}, {.id = span_id(2)}}));
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->spans.size(), 2U);
  EXPECT_EQ(batch->rejected_spans, 2U);
}

TEST(Views, AnOpenSpanIsMarked) {
  SpanSpec span;
  span.attributes = {boolean(kOpenSpanKey, true)};
  EXPECT_TRUE(batch("api", {span}).spans[0].open);
  span.attributes = {boolean(kOpenSpanKey, false)};
  EXPECT_FALSE(batch("api", {span}).spans[0].open);
}

TEST(Views, EveryTruncationIsAnErrorOrAShorterRequest) {
  const std::string whole = rich_request();
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_FALSE(parse(whole.substr(0, size))) << size;
  }
  EXPECT_TRUE(parse(""));
}

TEST(Views, WrongWireTypesAndIdsOfWrongLengthAreErrors) {
  const auto with_span = [](const MessageWriter& span) {
    MessageWriter scope_spans;
    scope_spans.bytes(2, span.str());
    MessageWriter resource_spans;
    resource_spans.bytes(2, scope_spans.str());
    return parse(MessageWriter().bytes(1, resource_spans.str()).str());
  };
  EXPECT_FALSE(with_span(MessageWriter().varint(1, 5)));          // trace id as a number
  EXPECT_FALSE(with_span(MessageWriter().bytes(1, "short")));     // 5 bytes
  EXPECT_FALSE(with_span(MessageWriter().varint(7, 5)));          // start as varint
  EXPECT_FALSE(with_span(MessageWriter().bytes(9, "\xff\xff")));  // garbage attribute
  const auto wrong = with_span(MessageWriter().bytes(2, "123456789"));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(wrong.error().message.find("id of the wrong length"), std::string::npos);
  EXPECT_FALSE(parse(std::string("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12)));
  EXPECT_FALSE(parse(std::string("\x00", 1)));  // field number 0
  EXPECT_FALSE(parse("\x0b"));                  // a group
}

TEST(Views, NestingIsBounded) {
  const auto nested = [](unsigned depth) {
    std::string value = MessageWriter().varint(3, 1).str();
    for (unsigned i = 0; i < depth; ++i) {
      value = MessageWriter().bytes(5, MessageWriter().bytes(1, value).str()).str();
    }
    SpanSpec span;
    span.attributes = {MessageWriter().bytes(1, "deep").bytes(2, value).str()};
    return parse(request("api", {span}));
  };
  EXPECT_TRUE(nested(kMaxValueDepth));
  EXPECT_FALSE(nested(kMaxValueDepth + 1));
  EXPECT_FALSE(nested(5'000));
}

// Flipped bytes must never be read out of bounds (ASan watches), nor break later walks.
TEST(Views, DamagedRequestsAreSafeToWalk) {
  Random random(20'261'123);
  const std::string whole = rich_request();
  std::uint64_t accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string damaged = whole;
    for (std::uint64_t i = random.below(4) + 1; i-- > 0;) {
      damaged[random.below(damaged.size())] = static_cast<char>(random.next());
    }
    const auto batch = parse(std::move(damaged));
    if (!batch) continue;
    ++accepted;
    std::string json;
    JsonWriter writer(json);
    for (const SpanView& span : batch->spans) {
      write_plain_attributes(writer, span.attributes());
      for (const EventView event : span.events())
        write_plain_attributes(writer, event.attributes());
      EXPECT_EQ(view_span(span.encoded).name, span.name);
    }
  }
  EXPECT_GT(accepted, 100U);
}

TEST(Json, EscapesAndReplacesWhatIsNotUtf8) {
  std::string out;
  append_json_string(out, "a\"b\\c\n\x01 é 漢 😀 \xff\xc0\xaf\xed\xa0\x80 z");
  EXPECT_EQ(out, "\"a\\\"b\\\\c\\n\\u0001 é 漢 😀 \ufffd\ufffd\ufffd\ufffd\ufffd\ufffd z\"");
}

TEST(Json, NumbersSurvive) {
  std::string out;
  JsonWriter json(out);
  json.begin_array().number(0.1).number(std::int64_t{INT64_MIN}).quoted(UINT64_MAX).number(1e300);
  json.number(std::numeric_limits<double>::infinity()).base64("ab").hex("\x0f").end_array();
  EXPECT_EQ(out,
            R"([0.1,-9223372036854775808,"18446744073709551615",1e+300,"Infinity","YWI=","0f"])");
}

}  // namespace
}  // namespace alphaswarm::otlp
