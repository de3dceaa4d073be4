// Tracers: their spans carry an instrumentation scope, on every way out of the process.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/console.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/sdk/scope_table.hpp"
#include "alphaswarm/observability/sdk/test_support_test.hpp"
#include "alphaswarm/observability/tracing.hpp"

namespace alphaswarm::observability {
namespace {

TEST(Tracer, IsAValueThatDoesNothingWithoutAProvider) {
  const Tracer none;
  EXPECT_FALSE(none.span("x").recording());
  EXPECT_FALSE(tracer("orders", "1.2").span("x", {}, {{"a", 1}}).recording());
}

#if ALPHASWARM_OTEL

class TracerTest : public ::testing::Test {
 protected:
  TracerTest() {
    auto made = TracerProvider::create({.service_name = "shop", .sink = memory_});
    provider_ = std::move(*made);
  }
  [[nodiscard]] std::map<std::string, FinishedSpan> spans() {
    EXPECT_TRUE(provider_->force_flush());
    std::map<std::string, FinishedSpan> found;
    for (FinishedSpan& each : memory_->spans()) found[each.name] = std::move(each);
    return found;
  }
  std::shared_ptr<MemorySink> memory_ = std::make_shared<MemorySink>();
  std::unique_ptr<TracerProvider> provider_;
};

TEST_F(TracerTest, SpansCarryTheScope) {
  const Tracer orders = provider_->tracer("orders", "1.2", {{"team", "desk"}, {"shard", 7}},
                                          "https://example.com/schema/1");
  const Tracer risk = provider_->tracer("risk");
  {
    const Span outer = orders.span("submit", {{"symbol", "AAPL"}});
    const Span inner = risk.span("check", {.kind = SpanKind::client});
    const Span plain = span("plain");
  }
  const auto found = spans();
  ASSERT_EQ(found.size(), 3U);
  const FinishedSpan& submit = found.at("submit");
  EXPECT_EQ(submit.scope, "orders");
  EXPECT_EQ(submit.scope_version, "1.2");
  EXPECT_EQ(submit.scope_attributes, (TextAttributes{{"team", "desk"}, {"shard", "7"}}));
  EXPECT_EQ(submit.schema_url, "https://example.com/schema/1");
  EXPECT_EQ(submit.attributes.at("symbol"), "AAPL");
  EXPECT_EQ(found.at("check").scope, "risk");
  EXPECT_EQ(found.at("check").scope_version, "");
  EXPECT_EQ(found.at("check").kind, SpanKind::client);
  EXPECT_EQ(found.at("check").parent_id, submit.span_id);
  EXPECT_EQ(found.at("plain").scope, "alphaswarm");
  EXPECT_EQ(found.at("plain").schema_url, "");
}

TEST_F(TracerTest, OneScopeEachInARequest) {
  const Tracer a = provider_->tracer("a");
  const Tracer b = provider_->tracer("b");
  for (int i = 0; i < 10; ++i) {
    a.span("x").end();
    span("y", {.provider = provider_.get()}).end();
    b.span("z").end();
  }
  ASSERT_TRUE(provider_->force_flush());
  std::map<std::string, std::size_t> sizes;
  for (const std::string& request : memory_->requests()) {
    for (const std::string& resource : testing::WireMessage(request).all(1)) {
      std::set<std::string> here;
      for (const std::string& scope : testing::WireMessage(resource).all(2)) {
        const testing::WireMessage message(scope);
        const std::string name = testing::WireMessage(message.one(1)).one(1);
        EXPECT_TRUE(here.insert(name).second) << name << " comes twice";
        EXPECT_FALSE(message.all(2).empty()) << name << " has no span";
        sizes[name] += message.all(2).size();
      }
    }
  }
  EXPECT_EQ(sizes, (std::map<std::string, std::size_t>{{"a", 10}, {"alphaswarm", 10}, {"b", 10}}));
}

TEST_F(TracerTest, TheSameScopeIsTheSameNumber) {
  const auto number = [&](const Tracer& each) { return each.target().scope; };
  const Tracer one = provider_->tracer("same", "1", {{"a", 1}});
  EXPECT_EQ(number(one), number(tracer("same", "1", {{"a", 1}})));
  EXPECT_NE(number(one), number(tracer("same", "1", {{"a", 2}})));
  EXPECT_NE(number(one), number(tracer("same", "2", {{"a", 1}})));
  EXPECT_NE(number(one), number(tracer("same", "1", {{"a", 1}}, "url")));
}

TEST_F(TracerTest, OneOfAProviderRecordsThere) {
  const auto other_memory = std::make_shared<MemorySink>();
  auto other = TracerProvider::create({.service_name = "other", .sink = other_memory});
  const Tracer bound = (*other)->tracer("bound");
  const Tracer free = tracer("free");
  {
    const Span root = span("root", {.provider = provider_.get()});
    const Span here = free.span("of the context");
    const Span there = bound.span("of its own");
    const Span chosen = bound.span("chosen", {.provider = provider_.get()});
  }
  EXPECT_TRUE((*other)->force_flush());
  EXPECT_EQ(other_memory->find("of its own").service_name, "other");
  const auto found = spans();
  EXPECT_EQ(found.at("of the context").scope, "free");
  EXPECT_EQ(found.at("chosen").scope, "bound");
  EXPECT_EQ(found.at("chosen").service_name, "shop");
}

// Small batches, records of every size, several threads: every span keeps its scope.
TEST_F(TracerTest, ScopesStayWithTheirSpans) {
  auto made = TracerProvider::create(
      {.sink = memory_, .max_batch_spans = 7, .max_batch_bytes = 4'000, .limits = {.events = 1}});
  provider_ = std::move(*made);
  const std::vector<Tracer> tracers = {provider_->tracer("s0"), provider_->tracer("s1"),
                                       provider_->tracer("s2"), provider_->tracer("alphaswarm-x")};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        const std::string big(3'000, 'x');
        for (int i = 0; i < 300; ++i) {
          const int which = (i * 7 + t) % 5;
          const std::string name = std::to_string(which) + "/" + std::to_string(t * 1'000 + i);
          Span one = which == 4 ? span(name, {.provider = provider_.get()})
                                : tracers[static_cast<std::size_t>(which)].span(name);
          if (i % 10 == 0) one.set("big", big);
          if (i % 4 == 0) one.event("a").event("dropped");
        }
      });
    }
  }
  const auto found = spans();
  ASSERT_EQ(found.size(), 900U);
  const std::string expected[] = {"s0", "s1", "s2", "alphaswarm-x", "alphaswarm"};
  for (const auto& [name, each] : found) {
    EXPECT_EQ(each.scope, expected[name[0] - '0']) << name;
    EXPECT_EQ(each.dropped_events, each.events.size()) << name;
  }
  const Stats stats = provider_->stats();
  EXPECT_EQ(stats.started, 900U);
  EXPECT_EQ(stats.exported, 900U);
}

TEST_F(TracerTest, OpenSpansKeepItAtShutdown) {
  const Tracer orders = provider_->tracer("orders");
  Span open = orders.span("open");
  EXPECT_TRUE(provider_->shutdown());
  EXPECT_EQ(memory_->find("open").scope, "orders");
  EXPECT_EQ(memory_->find("open").attributes.at("alphaswarm.span.open"), "true");
  open.end();
}

TEST_F(TracerTest, TheFlightRecorderKeepsIt) {
  auto made = TracerProvider::create(
      {.sink = memory_, .sample_ratio = 0.0, .flight_recorder_bytes = 1U << 20U});
  provider_ = std::move(*made);
  {
    const Span outer = provider_->tracer("orders", "3", {}, "url").span("outer");
    provider_->tracer("risk").span("inner").error("refused");
  }
  const auto found = spans();
  EXPECT_EQ(found.at("outer").scope, "orders");
  EXPECT_EQ(found.at("outer").schema_url, "url");
  EXPECT_EQ(found.at("inner").scope, "risk");
}

TEST_F(TracerTest, TheConsoleAndFilesShowIt) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("tracer_test." + std::to_string(::getpid()) + ".jsonl");
  auto made = TracerProvider::create({.sink = memory_, .file = path.string()});
  provider_ = std::move(*made);
  provider_->tracer("orders", "1.2", {{"team", "desk"}}, "url").span("submit").end();
  span("plain", {.provider = provider_.get()}).end();
  ASSERT_TRUE(provider_->force_flush());
  const std::string tree = ConsoleSink::to_tree(memory_->requests().at(0));
  EXPECT_NE(tree.find(" scope=orders/1.2"), std::string::npos) << tree;
  EXPECT_EQ(tree.find("scope="), tree.rfind("scope=")) << tree;
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  EXPECT_NE(line.find(R"("scope":{"name":"orders","version":"1.2","attributes":[{"key":"team")"),
            std::string::npos)
      << line;
  EXPECT_NE(line.find(R"("schemaUrl":"url")"), std::string::npos) << line;
  provider_.reset();
  std::filesystem::remove(path);
}

TEST(ScopeTable, IsBoundedAndRepairsText) {
  sdk::ScopeTable table;
  const std::uint32_t odd = table.intern("bad\xffname", "", {{"", 1}, {"k", 1}, {"k", 2}}, "");
  const testing::WireMessage scope(testing::WireMessage(table.fields(odd)).one(1));
  EXPECT_EQ(scope.one(1), "bad\xef\xbf\xbdname");
  EXPECT_EQ(testing::attributes_of(scope, 3), (std::map<std::string, std::string>{{"k", "i:2"}}));
  EXPECT_EQ(scope.integer(4), 1U);  // the attribute without a key
  for (int i = 0; i < 1'100; ++i) static_cast<void>(table.intern(std::to_string(i), "", {}, ""));
  EXPECT_EQ(table.intern("one more", "", {}, ""), 0U);
  EXPECT_NE(table.intern("7", "", {}, ""), 0U);
  EXPECT_GE(counter("alphaswarm_tracing_scopes_refused_total", "", "").value(), 76U);
}

#endif

}  // namespace
}  // namespace alphaswarm::observability
