#include "alphaswarm/tracestore/memory_store.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "alphaswarm/base/thread.hpp"
#include "alphaswarm/tracestore/search.hpp"
#include "tests/support/otlp_builder.hpp"

namespace alphaswarm::tracestore {
namespace {

using namespace alphaswarm::testing;

TEST(MemoryStore, GivesBackWhatCameInOverSeveralBatches) {
  MemoryStore store;
  store.add(batch("api", {{.id = span_id(1), .name = "POST /paper/start"},
                          {.trace = trace_id(2), .id = span_id(7), .name = "other"}}));
  store.add(batch("worker", {{.id = span_id(2), .parent = span_id(1), .name = "run"}}));
  const auto trace = store.find(trace_id(1));
  ASSERT_TRUE(trace);
  ASSERT_EQ(trace->blocks.size(), 2U);
  const SpanBlock& second = *trace->blocks[1];
  ASSERT_EQ(second.records.size(), 1U);
  EXPECT_EQ(second.operation(second.records[0]).name, "run");
  EXPECT_EQ(second.origin(second.records[0]).resource->service, "worker");
  EXPECT_EQ(second.view(second.records[0]).parent_span_id, span_id(1));
  EXPECT_FALSE(store.find(trace_id(3)));
  EXPECT_EQ(store.stats().spans, 3U);
  EXPECT_EQ(store.stats().traces, 2U);
}

TEST(MemoryStore, CountsOperations) {
  MemoryStore store;
  store.add(batch("api", {{.id = span_id(1), .name = "a"},
                          {.id = span_id(2), .name = "a", .status = otlp::StatusCode::error},
                          {.id = span_id(3), .name = "a", .kind = otlp::SpanKind::server}}));
  store.add(batch("", {{.trace = trace_id(2), .name = "b"}}));
  const auto operations = store.operations();
  ASSERT_EQ(operations.size(), 3U);
  EXPECT_EQ(operations[0].spans, 2U);
  EXPECT_EQ(operations[0].errors, 1U);
  EXPECT_EQ(operations[1].kind, otlp::SpanKind::server);
  EXPECT_EQ(operations[2].service, "unknown_service");
}

TEST(MemoryStore, EvictsTheQuietestWholeTracesAndCountsThem) {
  MemoryStore store({.max_bytes = 200'000});
  const std::string filler(1'000, 'x');
  const auto add = [&](std::uint32_t trace, std::uint32_t id) {
    SpanSpec span{.trace = trace_id(trace), .id = span_id(id), .name = "n" + std::to_string(trace)};
    span.attributes = {text("filler", filler)};
    store.add(batch("api", {span}));
  };
  add(1, 1);
  add(2, 1);
  ASSERT_TRUE(store.pin(trace_id(2)));
  std::uint64_t longest =
      0;                   // of trace 1, which stays busy and grows until it alone fills the store
  bool restarted = false;  // then it goes too: the bound holds
  for (std::uint32_t trace = 3; trace < 1'000; ++trace) {
    add(trace, 1);
    add(1, trace);
    EXPECT_LE(store.stats().bytes, 200'000U);
    const auto summary = store.summary(trace_id(1));
    restarted = restarted || !summary || summary->spans < longest;
    if (summary) longest = std::max(longest, summary->spans);
  }
  EXPECT_TRUE(restarted);
  EXPECT_GT(longest, 50U);
  EXPECT_TRUE(store.find(trace_id(2)));
  EXPECT_FALSE(store.find(trace_id(3)));
  const StoreStats stats = store.stats();
  EXPECT_GT(stats.evicted_traces, 10U);
  EXPECT_EQ(stats.added_spans, stats.spans + stats.evicted_spans);
  std::uint64_t counted = 0;
  for (const OperationStats& operation : store.operations()) counted += operation.spans;
  EXPECT_EQ(counted, stats.spans);
}

std::vector<std::uint32_t> found(const MemoryStore& store, SearchQuery query) {
  std::vector<std::uint32_t> numbers;
  for (const TraceMatch& match : search(store, query).traces) {
    numbers.push_back(match.trace.id.bytes[15]);
  }
  return numbers;
}

class Search : public ::testing::Test {
 protected:
  Search() {
    for (std::uint32_t i = 1; i <= 9; ++i) {
      SpanSpec root{.trace = trace_id(i), .id = span_id(1), .name = "root", .start_ns = i * 1'000};
      SpanSpec child{.trace = trace_id(i),
                     .id = span_id(2),
                     .parent = span_id(1),
                     .name = "child",
                     .start_ns = i * 1'000 + 1,
                     .duration_ns = i * 100};
      child.attributes = {integer("number", i), text("order.client_id", "run-" + std::to_string(i)),
                          boolean("even", i % 2 == 0)};
      if (i == 5) child.status = otlp::StatusCode::error;
      child.events = {event("fill", 1, {real("price", 1.5 * i)})};
      store_.add(batch(i % 3 == 0 ? "three" : "api", {root, child}));
    }
  }
  std::vector<std::uint32_t> by(std::string_view conditions) {
    SearchQuery query;
    query.filter.conditions = parse_conditions(conditions).value();
    return found(store_, query);
  }
  using Numbers = std::vector<std::uint32_t>;
  MemoryStore store_;
};

TEST_F(Search, NewestFirstUpToTheLimit) {
  SearchQuery query;
  query.limit = 3;
  EXPECT_EQ(found(store_, query), (Numbers{9, 8, 7}));
  EXPECT_TRUE(search(store_, query).more);
  query.limit = 9;
  EXPECT_TRUE(search(store_, query).complete);
}

TEST_F(Search, ByServiceOperationDurationAndTime) {
  SearchQuery query;
  query.filter.service = "three";
  EXPECT_EQ(found(store_, query), (Numbers{9, 6, 3}));
  query.filter.operation = "child";
  query.filter.min_duration_ns = 600;
  EXPECT_EQ(found(store_, query), (Numbers{9, 6}));
  query.filter.max_duration_ns = 600;
  EXPECT_EQ(found(store_, query), (Numbers{6}));
  query.filter = {};
  query.filter.start_min_ns = 3'000;
  query.filter.start_max_ns = 4'500;
  EXPECT_EQ(found(store_, query), (Numbers{4, 3}));
  query.filter = {};
  query.filter.operation = "missing";
  EXPECT_TRUE(found(store_, query).empty());
  query.filter.operation = "child";
  query.filter.kind = otlp::SpanKind::server;
  EXPECT_TRUE(found(store_, query).empty());
}

TEST_F(Search, ByAttributes) {
  EXPECT_EQ(by("number=7"), (Numbers{7}));
  EXPECT_EQ(by("number>7"), (Numbers{9, 8}));
  EXPECT_EQ(by("number>=2 number<4"), (Numbers{3, 2}));
  EXPECT_EQ(by("order.client_id=run-4"), (Numbers{4}));
  EXPECT_EQ(by("order.client_id!=\"run-4\" even=true"), (Numbers{8, 6, 2}));
  EXPECT_EQ(by("even"), (Numbers{9, 8, 7, 6, 5, 4, 3, 2, 1}));
  EXPECT_EQ(by("error=true"), (Numbers{5}));
  EXPECT_EQ(by("status=error"), (Numbers{5}));
  EXPECT_EQ(by("price=3"), (Numbers{2}));  // of an event, a double
  EXPECT_EQ(by("host.name=test number=1"), (Numbers{1}));
  EXPECT_EQ(by("name=child service=three duration>800ns"), (Numbers{9}));
  EXPECT_TRUE(by("missing!=1").empty());
  EXPECT_TRUE(by("number=seven").empty());
}

TEST_F(Search, ForSpans) {
  SearchQuery query;
  query.spans = true;
  query.filter.conditions = parse_conditions("number>7").value();
  const SearchResult result = search(store_, query);
  ASSERT_EQ(result.spans.size(), 2U);
  EXPECT_EQ(result.spans[0].record().id, span_id(2));
}

TEST(Conditions, BadOnesAreExplained) {
  EXPECT_EQ(parse_conditions("a=\"b").error().message,
            "attribute query, character 3: this quote is never closed");
  EXPECT_EQ(parse_conditions("  =b").error().message,
            "attribute query, character 3: a key is expected");
  EXPECT_FALSE(parse_conditions("a!b"));
  EXPECT_EQ(parse_conditions(R"(a="x \"y\"")").value()[0].value, "x \"y\"");
  EXPECT_TRUE(parse_conditions("")->empty());
}

TEST(Durations, AreReadAsGoWritesThem) {
  EXPECT_EQ(parse_duration("1.5ms").value(), 1'500'000U);
  EXPECT_EQ(parse_duration("2h45m").value(), 9'900'000'000'000U);
  EXPECT_EQ(parse_duration("100us").value(), 100'000U);
  EXPECT_EQ(parse_duration("100µs").value(), 100'000U);
  EXPECT_EQ(parse_duration("0").value(), 0U);
  for (const char* bad : {"", "5", "ms", "-1s", "1.5.2s", "1d", "1e30h", "1 s"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
}

// Readers see whole batches of a trace while writers add and evict.
TEST(MemoryStore, AnswersWhileItTakesIn) {
  MemoryStore store({.max_bytes = 400'000});
  std::atomic<bool> done{false};
  std::vector<std::jthread> threads;
  for (std::uint32_t writer = 0; writer < 2; ++writer) {
    threads.push_back(start_thread("writer", [&, writer](std::stop_token) {
      for (std::uint32_t i = 0; i < 2'000; ++i) {
        const TraceId trace = trace_id(writer << 24 | i / 4);
        store.add(batch("s" + std::to_string(i % 50),
                        {{.trace = trace, .id = span_id(2 * i), .name = "a"},
                         {.trace = trace, .id = span_id(2 * i + 1), .name = "b"}}));
      }
      done.store(true, std::memory_order_release);  // pairs with the reader's acquire
    }));
  }
  threads.push_back(start_thread("reader", [&](std::stop_token) {
    while (!done.load(std::memory_order_acquire)) {
      SearchQuery query;
      query.filter.operation = "b";
      query.filter.service = "s7";
      for (const TraceMatch& match : search(store, query).traces) {
        EXPECT_GE(match.matched, 1U);
        for (const BlockPtr& block : match.trace.blocks) EXPECT_EQ(block->records.size(), 2U);
      }
      (void)store.operations();
    }
  }));
  threads.clear();
  const StoreStats stats = store.stats();
  EXPECT_EQ(stats.added_spans, 8'000U);
  EXPECT_EQ(stats.added_spans, stats.spans + stats.evicted_spans);
  EXPECT_LE(stats.bytes, 400'000U);
}

}  // namespace
}  // namespace alphaswarm::tracestore
