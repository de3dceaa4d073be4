#include "alphaswarm/observability/api/span.hpp"

#include <gtest/gtest.h>

#include <array>
#include <stdexcept>
#include <thread>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/base/task_local.hpp"
#include "alphaswarm/observability/api/propagation.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/sdk/test_support_test.hpp"
#include "alphaswarm/observability/tracing.hpp"

#if ALPHASWARM_OTEL

namespace alphaswarm::observability {
namespace {

using testing::any_text;
using testing::attributes_of;
using testing::spans_of;
using testing::WireMessage;

std::uint64_t misuses(std::string_view kind) {
  std::uint64_t found = 0;
  visit_counters([&](const CounterSample& sample) {
    if (sample.name == "alphaswarm_tracing_misuse_total" && sample.labels.contains(kind)) {
      found += sample.value;
    }
  });
  return found;
}

class SpanTest : public ::testing::Test {
 protected:
  SpanTest() { make({}); }

  void make(Config config) {
    provider_.reset();
    memory_ = std::make_shared<MemorySink>();
    config.service_name = "test";
    config.sink = memory_;
    auto made = TracerProvider::create(std::move(config));
    ASSERT_TRUE(made.has_value()) << made.error().message;
    provider_ = std::move(*made);
    provider_->install_as_default();
  }
  std::vector<FinishedSpan> flushed() {
    EXPECT_TRUE(provider_->force_flush());
    return memory_->spans();
  }
  // The only span sent so far, by the independent decoder.
  WireMessage decoded() {
    EXPECT_TRUE(provider_->force_flush());
    const auto requests = memory_->requests();
    if (requests.size() != 1) throw std::runtime_error("not one request");
    auto spans = spans_of(requests[0]);
    if (spans.size() != 1) throw std::runtime_error("not one span");
    return spans[0];
  }
  void expect_exact() {
    const Stats stats = provider_->stats();
    EXPECT_EQ(stats.started, stats.exported + stats.dropped.total() + stats.open);
  }

  std::shared_ptr<MemorySink> memory_;
  std::unique_ptr<TracerProvider> provider_;
};

TEST_F(SpanTest, WritesEveryFieldOfOtlp) {
  const SpanContext target{TraceId::random(), SpanId::random(), 1, false, {}};
  {
    Span one = span("work", {.kind = SpanKind::client, .start_time = {1'000}}, {{"a", 1}});
    one.set("b", true).set("c", 2.5).set("d", "text").set("e", std::string("string"));
    const std::array<std::string_view, 2> texts = {"x", "y"};
    const std::array<std::int64_t, 2> integers = {-1, 2};
    const std::array<bool, 2> flags = {true, false};
    const std::array<double, 1> numbers = {0.5};
    one.set("f", std::span<const std::string_view>(texts));
    one.set("g", std::span<const std::int64_t>(integers));
    one.set("h", std::span<const bool>(flags));
    one.set("i", std::span<const double>(numbers));
    one.set("j", std::as_bytes(std::span<const char>("\xff", 1)));
    one.event("happened", {{"why", "because"}});
    one.link(target, {{"rel", "cause"}});
    one.error("it broke");
    one.end({2'000});
  }
  const WireMessage span_message = decoded();
  EXPECT_EQ(span_message.one(1).size(), 16U);
  EXPECT_EQ(span_message.one(2).size(), 8U);
  EXPECT_EQ(span_message.one(4), "");
  EXPECT_EQ(span_message.one(5), "work");
  EXPECT_EQ(span_message.integer(6), 3U);
  EXPECT_EQ(span_message.integer(7), 1'000U);
  EXPECT_EQ(span_message.integer(8), 2'000U);
  const std::map<std::string, std::string> expected = {
      {"a", "i:1"},          {"b", "b:true"},    {"c", "d:2.500000"}, {"d", "s:text"},
      {"e", "s:string"},     {"f", "[s:x,s:y]"}, {"g", "[i:-1,i:2]"}, {"h", "[b:true,b:false]"},
      {"i", "[d:0.500000]"}, {"j", "y:\xff"}};
  EXPECT_EQ(attributes_of(span_message, 9), expected);
  const WireMessage event(span_message.one(11));
  EXPECT_EQ(event.one(2), "happened");
  EXPECT_GT(event.integer(1), 1'700'000'000'000'000'000U);
  EXPECT_EQ(attributes_of(event, 3), (std::map<std::string, std::string>{{"why", "s:because"}}));
  const WireMessage link(span_message.one(13));
  EXPECT_EQ(link.one(2).size(), 8U);
  EXPECT_EQ(attributes_of(link, 4), (std::map<std::string, std::string>{{"rel", "s:cause"}}));
  const WireMessage status(span_message.one(15));
  EXPECT_EQ(status.one(2), "it broke");
  EXPECT_EQ(status.integer(3), 2U);
  EXPECT_EQ(span_message.integer(16), 0x103U);  // sampled, random, parent known to be local
  expect_exact();
}

TEST_F(SpanTest, NestsByScope) {
  {
    const Span a = span("a");
    {
      const Span b = span("b");
      const Span c = span("c");
    }
    const Span d = span("d");
  }
  EXPECT_FALSE(current_context().is_valid());
  static_cast<void>(flushed());
  EXPECT_EQ(memory_->tree(), "a\n  b\n    c\n  d\n");
}

TEST_F(SpanTest, SettingAKeyAgainOverwrites) {
  {
    Span one = span("work", {{"same size", 1}, {"grows", "x"}});
    one.event("between");
    one.set("same size", 2).set("grows", "a longer value").set("grows", "short").set("last", 1);
    for (int i = 0; i < 50; ++i) {
      const std::string key = "key" + std::to_string(i);
      one.set(key, i);
      one.set(key, std::string(static_cast<std::size_t>(i), 'x'));
    }
    one.update_name("renamed").set("grows", "final value");
  }
  const WireMessage message = decoded();
  EXPECT_EQ(message.one(5), "renamed");
  const auto attributes = attributes_of(message, 9);
  EXPECT_EQ(attributes.size(), 53U);
  EXPECT_EQ(attributes.at("same size"), "i:2");
  EXPECT_EQ(attributes.at("grows"), "s:final value");
  EXPECT_EQ(attributes.at("key0"), "s:");
  EXPECT_EQ(attributes.at("key49"), "s:" + std::string(49, 'x'));
  EXPECT_EQ(message.all(11).size(), 1U);
}

TEST_F(SpanTest, SetsSeveralAtOnceAsOneByOne) {
  {
    Span one = span("work", {{"a", 1}, {"b", "x"}, {"a", 2}, {"a", "three"}});
    one.set({{"c", true}, {"b", "y"}, {"d", 0.5}, {"", 1}, {"c", "\xff"}, {"e", 300}});
    one.set({}).set({{"e", -1}});
    const std::string key(60, 'k');  // beyond the short form
    one.set({{"f", 1}, {key, 2}, {"g", 3}});
    for (int i = 0; i < 40; ++i) {
      const std::string name = "n" + std::to_string(i);
      one.set({{name, i}, {name, i + 1}});
    }
  }
  const WireMessage message = decoded();
  const auto attributes = attributes_of(message, 9);
  EXPECT_EQ(attributes.size(), 48U);
  EXPECT_EQ(attributes.at("a"), "s:three");
  EXPECT_EQ(attributes.at("b"), "s:y");
  EXPECT_EQ(attributes.at("c"), "s:\xEF\xBF\xBD");
  EXPECT_EQ(attributes.at("e"), "i:-1");
  EXPECT_EQ(attributes.at(std::string(60, 'k')), "i:2");
  EXPECT_EQ(attributes.at("g"), "i:3");
  EXPECT_EQ(attributes.at("n39"), "i:40");
  EXPECT_EQ(message.integer(10), 1U);  // the one without a key
}

TEST_F(SpanTest, RepairsInvalidUtf8) {
  span("na\xc0me", {{"k\xff", "v\xed\xa0\x80w"}, {"cut", "\xe2\x82"}}).end();
  const WireMessage message = decoded();
  EXPECT_EQ(message.one(5), "na\xEF\xBF\xBDme");
  const auto attributes = attributes_of(message, 9);
  EXPECT_EQ(attributes.at("k\xEF\xBF\xBD"), "s:v\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDw");
  EXPECT_EQ(attributes.at("cut"), "s:\xEF\xBF\xBD");
}

TEST_F(SpanTest, CountsWhatIsBeyondTheLimits) {
  make({.limits = {.attributes = 2,
                   .events = 1,
                   .links = 0,
                   .attributes_per_event = 1,
                   .attributes_per_link = 1,
                   .value_bytes = 5}});
  {
    Span one = span("work", {{"a", "1234\xc3\xa4"}, {"b", 1}, {"c", 2}, {"", 3}});
    one.set("a", "overwriting is no new key");
    one.event("first", {{"x", 1}, {"y", 2}}).event("second");
    one.link({TraceId::random(), SpanId::random(), 0, false, {}});
  }
  const WireMessage message = decoded();
  EXPECT_EQ(attributes_of(message, 9),
            (std::map<std::string, std::string>{{"a", "s:overw"}, {"b", "i:1"}}));
  EXPECT_EQ(message.integer(10), 2U);
  EXPECT_EQ(message.all(11).size(), 1U);
  EXPECT_EQ(WireMessage(message.one(11)).integer(4), 1U);
  EXPECT_EQ(message.integer(12), 1U);
  EXPECT_EQ(message.integer(14), 1U);
}

TEST_F(SpanTest, BigValuesMoveToThePoolAndBeyondItsChunkAreDropped) {
  const std::string big(10'000, 'x');
  {
    Span one = span("work");
    for (int i = 0; i < 10; ++i) one.set("big" + std::to_string(i), big);
    one.set("small", 1);
  }
  const WireMessage message = decoded();
  const auto attributes = attributes_of(message, 9);
  EXPECT_EQ(attributes.size(), 7U);  // six of 10,000 bytes fit 64 KiB
  EXPECT_EQ(attributes.at("big5"), "s:" + big);
  EXPECT_EQ(attributes.at("small"), "i:1");
  EXPECT_EQ(message.integer(10), 4U);
}

TEST_F(SpanTest, StatusOkIsFinalAndUnsetNeverReplaces) {
  span("a").error("x").status(StatusCode::ok, "ignored").error("y").end();
  EXPECT_EQ(WireMessage(decoded().one(15)).integer(3), 1U);
  EXPECT_EQ(WireMessage(decoded().one(15)).one(2), "");
  memory_->clear();
  span("b").error("x").status(StatusCode::unset).error("y").end();
  EXPECT_EQ(WireMessage(decoded().one(15)).one(2), "y");
}

TEST_F(SpanTest, RecordsExceptionsWithTheirStackWhereThereIsOne) {
  {
    Span one = span("one");
    one.record_exception("Timeout", "after 3 s", "submit()\nrun()");
    one.record_exception(std::out_of_range("no such row"));
  }
  const WireMessage one = decoded();
  const auto events = one.all(11);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(testing::attributes_of(WireMessage(events[0]), 3),
            (std::map<std::string, std::string>{{"exception.type", "s:Timeout"},
                                                {"exception.message", "s:after 3 s"},
                                                {"exception.stacktrace", "s:submit()\nrun()"}}));
  EXPECT_EQ(testing::attributes_of(WireMessage(events[1]), 3),
            (std::map<std::string, std::string>{{"exception.type", "s:std::out_of_range"},
                                                {"exception.message", "s:no such row"}}));
  EXPECT_EQ(WireMessage(one.one(15)).one(2), "no such row");
}

TEST_F(SpanTest, RemoteParentAndItsTracestateAreKept) {
  const auto parent = extract_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                          "vendor=value, other=2");
  ASSERT_TRUE(parent.has_value());
  {
    const Span server = span("server", {.kind = SpanKind::server, .parent = &*parent});
    EXPECT_EQ(to_tracestate(server.context()), "vendor=value,other=2");
    const Span child = span("child");
    EXPECT_EQ(child.context().trace_id, parent->trace_id);
  }
  const auto spans = flushed();
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(spans[1].parent_id, parent->span_id);
  EXPECT_EQ(spans[1].flags, 0x301U);
  EXPECT_EQ(spans[1].tracestate, "vendor=value,other=2");
  EXPECT_EQ(spans[0].flags, 0x101U);
}

TEST_F(SpanTest, UnsampledParentsHaveUnsampledChildren) {
  const auto parent =
      extract_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
  {
    Span server = span("server", {.parent = &*parent});
    EXPECT_FALSE(server.recording());
    EXPECT_TRUE(server.context().is_valid());
    EXPECT_NE(server.context().span_id, parent->span_id);
    const Span child = span("child");
    EXPECT_EQ(child.context().trace_id, parent->trace_id);
    EXPECT_FALSE(child.context().sampled());
  }
  EXPECT_TRUE(flushed().empty());
  EXPECT_EQ(provider_->stats().not_sampled, 2U);
  EXPECT_FALSE(current_context().is_valid());
}

TEST_F(SpanTest, SuspendedSpanStaysOpenButNotCurrent) {
  Span order = span("order");
  order.suspend();
  EXPECT_FALSE(current_context().is_valid());
  {
    const Span other = span("other");
  }
  EXPECT_EQ(provider_->stats().open, 1U);
  order.event("order.fill", {{"price", 1.5}});
  order.end();
  EXPECT_EQ(flushed().size(), 2U);
  EXPECT_EQ(memory_->tree(), "order\nother\n");
}

TEST_F(SpanTest, TravelsThroughAToken) {
  Span one = span("one");
  const SpanContext context = one.context();
  void* token = one.release();
  EXPECT_FALSE(one.recording());
  EXPECT_EQ(current_context().span_id, context.span_id);
  Span again = Span::adopt(token);
  EXPECT_EQ(again.context().span_id, context.span_id);
  again.end();
  const std::uint64_t before = misuses("ended_twice");
  Span::adopt(token).set("ignored", 1).end();  // misuse: does nothing
  EXPECT_EQ(misuses("ended_twice"), before + 1);
  EXPECT_EQ(flushed().size(), 1U);
  expect_exact();
}

TEST_F(SpanTest, EndedByOneThreadAfterAnotherIsEndedOnce) {
  const std::uint64_t before = misuses("ended_twice");
  void* const token = span("one", {.make_current = false}).release();
  for (int i = 0; i < 3; ++i) std::jthread([&] { Span::adopt(token).end(); }).join();
  EXPECT_EQ(misuses("ended_twice"), before + 2);
  EXPECT_EQ(flushed().size(), 1U);
  expect_exact();
}

TEST_F(SpanTest, SetOnCurrentWritesToTheTasksOwnSpanOnly) {
  set_on_current("nowhere", 1);
  {
    const Span one = span("one");
    set_on_current("a", 1);
    event_on_current("e");
    TaskSlot child = current_task_slot();
    const TaskSlotScope scope(&child);
    set_on_current("not mine", 1);  // inherited: another task may be writing to it
    const Span two = span("two");
    set_on_current("b", 2);
  }
  static_cast<void>(flushed());
  EXPECT_EQ(memory_->find("one").attributes, (TextAttributes{{"a", "1"}}));
  EXPECT_EQ(memory_->find("two").attributes, (TextAttributes{{"b", "2"}}));
  EXPECT_EQ(memory_->tree(), "one\n  two\n");
}

TEST_F(SpanTest, ProvidersLiveSideBySide) {
  const auto other_memory = std::make_shared<MemorySink>();
  auto other = TracerProvider::create({.service_name = "other", .sink = other_memory});
  {
    const Span here = span("here");
    const Span there = span("there", {.provider = other->get()});
    const Span inherited = span("inherited");
  }
  (*other)->force_flush();
  EXPECT_EQ(other_memory->tree(), "there\n  inherited\n");
  EXPECT_EQ(other_memory->find("there").service_name, "other");
  static_cast<void>(flushed());
  EXPECT_EQ(memory_->tree(), "here\n");
  EXPECT_EQ(other_memory->find("there").parent_id, memory_->find("here").span_id);
}

TEST_F(SpanTest, EndedOnAnotherThread) {
  Span one = span("one");
  one.suspend();
  std::thread([moved = std::move(one)]() mutable { moved.set("thread", 2).end(); }).join();
  const auto spans = flushed();
  ASSERT_EQ(spans.size(), 1U);
  EXPECT_EQ(spans[0].attributes.at("thread"), "2");
  expect_exact();
}

TEST_F(SpanTest, OpenSpansAreExportedAtShutdown) {
  Span open = span("still open", {{"a", 1}});
  EXPECT_TRUE(provider_->shutdown(2'000));
  ASSERT_EQ(memory_->spans().size(), 1U);
  EXPECT_EQ(memory_->spans()[0].attributes.at("alphaswarm.span.open"), "true");
  EXPECT_GE(memory_->spans()[0].end_ns, memory_->spans()[0].start_ns);
  open.set("late", 1).end();
  EXPECT_EQ(provider_->stats().open, 0U);
  EXPECT_EQ(provider_->stats().exported, 1U);
  expect_exact();
  EXPECT_FALSE(current_context().is_valid());
  EXPECT_FALSE(span("after").recording());
}

TEST_F(SpanTest, DoesNothingWithoutAProvider) {
  provider_.reset();
  Span one = span("one");
  EXPECT_FALSE(one.recording());
  EXPECT_FALSE(one.context().is_valid());
  one.set("a", 1).event("b").error("c").end();
  EXPECT_FALSE(current_context().is_valid());
}

}  // namespace
}  // namespace alphaswarm::observability

#endif
