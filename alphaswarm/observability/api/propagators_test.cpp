#include "alphaswarm/observability/api/propagators.hpp"

#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "alphaswarm/base/task_local.hpp"
#include "alphaswarm/observability/sdk/baggage_table.hpp"

#if ALPHASWARM_OTEL

namespace alphaswarm::observability {
namespace {

struct Headers final : CarrierReader, CarrierWriter {
  std::map<std::string, std::string, std::less<>> all;
  Headers() = default;
  Headers(std::initializer_list<std::pair<const std::string, std::string>> given) : all(given) {}
  [[nodiscard]] std::string get(std::string_view name) const override {
    const auto at = all.find(name);
    return at != all.end() ? at->second : "";
  }
  void set(std::string_view name, std::string_view value) override {
    if (value.empty()) {
      all.erase(std::string(name));
    } else {
      all.insert_or_assign(std::string(name), std::string(value));
    }
  }
};

constexpr const char* kTrace = "0af7651916cd43dd8448eb211c80319c";
constexpr const char* kSpan = "b7ad6b7169203331";

SpanContext sample(bool sampled = true) {
  SpanContext context;
  context.trace_id = *TraceId::from_hex(kTrace);
  context.span_id = *SpanId::from_hex(kSpan);
  context.flags = sampled ? SpanContext::kSampled : std::uint8_t{0};
  return context;
}

TEST(Propagators, WriteTheirHeaders) {
  Headers headers;
  headers.set("tracestate", "stale=1");
  Baggage baggage;
  baggage.set("desk", "fx, spot");
  inject(sample(), baggage, headers,
         {Propagator::trace_context, Propagator::baggage, Propagator::b3, Propagator::b3_multi,
          Propagator::jaeger});
  const std::string trace(kTrace);
  const std::string span(kSpan);
  const std::map<std::string, std::string, std::less<>> expected = {
      {"traceparent", "00-" + trace + "-" + span + "-01"},
      {"baggage", "desk=fx%2C%20spot"},
      {"b3", trace + "-" + span + "-1"},
      {"x-b3-traceid", trace},
      {"x-b3-spanid", span},
      {"x-b3-sampled", "1"},
      {"uber-trace-id", trace + ":" + span + ":0:1"},
  };
  EXPECT_EQ(headers.all, expected);
}

TEST(Propagators, EachReadsWhatItWrites) {
  for (const Propagator one :
       {Propagator::trace_context, Propagator::b3, Propagator::b3_multi, Propagator::jaeger}) {
    for (const bool sampled : {true, false}) {
      Headers headers;
      inject(sample(sampled), {}, headers, {one});
      const SpanContext parent = extract(headers, {one}).parent;
      EXPECT_EQ(parent.trace_id, sample().trace_id);
      EXPECT_EQ(parent.span_id, sample().span_id);
      EXPECT_EQ(parent.sampled(), sampled);
      EXPECT_TRUE(parent.remote);
    }
  }
}

TEST(Propagators, InvalidContextsWriteNothingButBaggage) {
  Headers headers;
  Baggage baggage;
  baggage.set("a", "1");
  inject({}, baggage, headers,
         {Propagator::trace_context, Propagator::baggage, Propagator::b3, Propagator::b3_multi,
          Propagator::jaeger});
  EXPECT_EQ(headers.all.size(), 1U);
  EXPECT_EQ(headers.get("baggage"), "a=1");
}

std::string read(const Headers& headers, Propagator by) {
  const SpanContext parent = extract(headers, {by}).parent;
  if (!parent.is_valid()) return "none";
  return parent.trace_id.to_hex() + ' ' + parent.span_id.to_hex() +
         (parent.sampled() ? " 1" : " 0");
}

TEST(Propagators, B3InAllItsForms) {
  const std::string trace(kTrace);
  const std::string span(kSpan);
  const std::string yes = trace + " " + span + " 1";
  const std::string no = trace + " " + span + " 0";
  const std::pair<Headers, std::string> table[] = {
      {{{"b3", trace + "-" + span + "-1-00f067aa0ba902b7"}}, yes},
      {{{"b3", trace + "-" + span + "-d"}}, yes},
      {{{"b3", trace + "-" + span}}, no},
      {{{"b3", "8448eb211c80319c-" + span + "-1"}},
       "00000000000000008448eb211c80319c " + span + " 1"},
      {{{"b3", "0"}}, "none"},
      {{{"b3", trace + "-" + span + "-x"}}, "none"},
      {{{"b3", trace + "-" + std::string(16, '0') + "-1"}}, "none"},
      {{{"x-b3-traceid", trace}, {"x-b3-spanid", span}, {"x-b3-sampled", "true"}}, yes},
      {{{"x-b3-traceid", trace}, {"x-b3-spanid", span}, {"x-b3-flags", "1"}}, yes},
      {{{"x-b3-traceid", trace}, {"x-b3-spanid", span}}, no},
      {{{"x-b3-traceid", trace}}, "none"},
      {{{"b3", trace + "-" + span + "-0"},
        {"x-b3-traceid", trace},
        {"x-b3-spanid", span},
        {"x-b3-sampled", "1"}},
       no},
  };
  for (const auto& [headers, expected] : table) {
    EXPECT_EQ(read(headers, Propagator::b3), expected) << headers.get("b3");
    EXPECT_EQ(read(headers, Propagator::b3_multi), expected) << headers.get("b3");
  }
}

TEST(Propagators, JaegerInAllItsForms) {
  const std::string trace(kTrace);
  const std::string span(kSpan);
  const std::pair<std::string, std::string> table[] = {
      {trace + ":" + span + ":0:1", trace + " " + span + " 1"},
      {trace + "%3A" + span + "%3A0%3A01", trace + " " + span + " 1"},
      {"abc:def:0:3", std::string(29, '0') + "abc " + std::string(13, '0') + "def 1"},
      {trace + ":" + span + ":" + span + ":0", trace + " " + span + " 0"},
      {trace + ":" + span + ":0", "none"},
      {trace + ":0:0:1", "none"},
      {"0:" + span + ":0:1", "none"},
      {trace + ":" + span + ":0:xyz", "none"},
      {"", "none"},
  };
  for (const auto& [text, expected] : table) {
    EXPECT_EQ(read({{"uber-trace-id", text}}, Propagator::jaeger), expected) << text;
  }
}

TEST(Propagators, TheLastValidContextWins) {
  const Headers headers = {
      {"traceparent", std::string("00-") + kTrace + "-" + kSpan + "-01"},
      {"uber-trace-id", "1:2:0:1"},
  };
  EXPECT_EQ(extract(headers, {Propagator::trace_context, Propagator::jaeger}).parent.span_id,
            *SpanId::from_hex("2"));
  EXPECT_EQ(extract(headers, {Propagator::jaeger, Propagator::trace_context}).parent.span_id,
            *SpanId::from_hex(kSpan));
  EXPECT_EQ(extract(headers, {Propagator::trace_context, Propagator::b3}).parent.span_id,
            *SpanId::from_hex(kSpan));
  EXPECT_FALSE(extract(headers, std::vector<Propagator>{}).parent.is_valid());
}

TEST(Baggage, ReadsAndWritesTheRecommendationsForms) {
  const Baggage baggage = Baggage::from_header(
      "key1=value1;property1;p2=1 , key2 = %22x%20y%22, bad, =1, k y=2, a=\"q\", key1=again");
  ASSERT_EQ(baggage.members().size(), 2U);
  EXPECT_EQ(*baggage.find("key1"), "again");
  EXPECT_EQ(*baggage.find("key2"), "\"x y\"");
  EXPECT_EQ(baggage.find("bad"), nullptr);
  EXPECT_EQ(baggage.to_header(), "key1=again,key2=%22x%20y%22");
  EXPECT_EQ(Baggage::from_header("a=1;p;q=2").to_header(), "a=1;p;q=2");
  EXPECT_EQ(Baggage::from_header("a=100%25").to_header(), "a=100%25");
}

TEST(Baggage, IsBounded) {
  Baggage baggage;
  EXPECT_FALSE(baggage.set("", "x"));
  EXPECT_FALSE(baggage.set("two words", "x"));
  EXPECT_FALSE(baggage.set("big", std::string(Baggage::kMaxBytes, 'x')));
  for (std::size_t i = 0; i < Baggage::kMaxMembers; ++i) {
    EXPECT_TRUE(baggage.set("k" + std::to_string(i), "v"));
  }
  EXPECT_FALSE(baggage.set("one more", "v"));
  EXPECT_FALSE(baggage.set("more", "v"));
  EXPECT_TRUE(baggage.set("k0", "w"));
  std::string header = "big=" + std::string(2 * Baggage::kMaxBytes, 'x') + ",small=1";
  EXPECT_EQ(Baggage::from_header(header).to_header(), "small=1");
}

TEST(Baggage, BelongsToItsTaskAndTasksItStarts) {
  EXPECT_TRUE(current_baggage().empty());
  Baggage outer;
  outer.set("desk", "fx");
  const BaggageScope scope(outer);
  TaskSlot child = current_task_slot();  // as net::spawn makes one
  {
    Baggage inner = current_baggage();
    inner.set("order", "7");
    const BaggageScope nested(inner);
    EXPECT_EQ(current_baggage().to_header(), "desk=fx,order=7");
    std::thread([&] {
      const TaskSlotScope installed(&child);
      EXPECT_EQ(current_baggage().to_header(), "desk=fx");
    }).join();
  }
  EXPECT_EQ(current_baggage().to_header(), "desk=fx");
  Headers headers;
  inject(sample(), headers);
  EXPECT_EQ(headers.get("baggage"), "desk=fx");
  EXPECT_EQ(extract(headers).baggage.to_header(), "desk=fx");
}

TEST(BaggageTable, ForgetsTheOldestThatNobodyHolds) {
  sdk::BaggageTable table;
  const std::uint64_t held = table.hold("held=1");
  const std::uint64_t first = table.hold("first=1");
  EXPECT_EQ(table.hold("held=1"), held);
  table.release(held);
  table.release(first);
  EXPECT_EQ(table.read(first), "first=1");
  for (std::size_t i = 0; i < sdk::BaggageTable::kMaxEntries; ++i) {
    table.release(table.hold("k=" + std::to_string(i)));
  }
  EXPECT_EQ(table.read(first), "");
  EXPECT_EQ(table.read(held), "held=1");
  sdk::BaggageTable small;
  const std::string big(sdk::BaggageTable::kMaxBytes, 'x');
  const std::uint64_t all = small.hold(big);
  EXPECT_EQ(small.hold("more"), 0U);
  small.release(all);
  EXPECT_NE(small.hold("more"), 0U);
}

}  // namespace
}  // namespace alphaswarm::observability

#endif
