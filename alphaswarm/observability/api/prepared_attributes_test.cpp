#include "alphaswarm/observability/api/prepared_attributes.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/sdk/test_support_test.hpp"
#include "alphaswarm/observability/tracing.hpp"

#if ALPHASWARM_OTEL

namespace alphaswarm::observability {
namespace {

constexpr std::uint32_t kAttributes = 9;  // field numbers of Span
constexpr std::uint32_t kDropped = 10;

// Two spans, one with a prepared set, one with the same list; what random lists come to is compared
// by tests/interop/wire_property.py.
class PreparedAttributesTest : public ::testing::Test {
 protected:
  void make(SpanLimits limits) {
    memory_ = std::make_shared<MemorySink>();
    auto made = TracerProvider::create({.service_name = "test", .sink = memory_, .limits = limits});
    ASSERT_TRUE(made.has_value()) << made.error().message;
    provider_ = std::move(*made);
    provider_->install_as_default();
  }

  // What both spans have, as an independent decoder reads it.
  std::map<std::string, std::string> expect_same(Attributes before, Attributes given) {
    const PreparedAttributes prepared(given);
    {
      span("listed").set(before).set(given);
    }
    {
      span("prepared").set(before).set(prepared);
    }
    EXPECT_TRUE(provider_->force_flush());
    const auto spans = testing::spans_of(memory_->requests().back());
    if (spans.size() != 2) throw std::runtime_error("not two spans");
    EXPECT_EQ(spans[0].all(kAttributes), spans[1].all(kAttributes));  // the bytes
    EXPECT_EQ(spans[0].integer(kDropped), spans[1].integer(kDropped));
    dropped_ = spans[1].integer(kDropped);
    return testing::attributes_of(spans[1], kAttributes);
  }

  std::shared_ptr<MemorySink> memory_;
  std::unique_ptr<TracerProvider> provider_;
  std::uint64_t dropped_ = 0;
};

TEST_F(PreparedAttributesTest, AreWhatTheListWouldBe) {
  make({});
  const std::vector<std::int64_t> numbers = {1, -2};
  const auto got = expect_same({{"first", true}}, {{"address", "127.0.0.1"},
                                                   {"port", 8080},
                                                   {"long", std::string(300, 'x')},
                                                   {"umlaut", "\xc3\xbc"},
                                                   {"broken", "\xff"},
                                                   {"numbers", std::span(numbers)}});
  EXPECT_EQ(got.size(), 7U);
  EXPECT_EQ(got.at("port"), "i:8080");
  EXPECT_EQ(got.at("umlaut"), "s:\xc3\xbc");
  EXPECT_EQ(got.at("broken"), "s:\xef\xbf\xbd");
  EXPECT_EQ(got.at("numbers"), "[i:1,i:-2]");
}

TEST_F(PreparedAttributesTest, OverwriteAKeyThatIsThere) {
  make({});
  const auto got = expect_same({{"a", 1}, {"b", 2}}, {{"c", 3}, {"b", "two"}, {"c", 4}});
  EXPECT_EQ(got, (std::map<std::string, std::string>{{"a", "i:1"}, {"b", "s:two"}, {"c", "i:4"}}));
}

TEST_F(PreparedAttributesTest, AreOverwrittenLater) {
  make({});
  const PreparedAttributes prepared({{"a", 1}, {"b", 2}});
  {
    span("one").set(prepared).set("a", "later").set(prepared).set("b", "latest");
  }
  ASSERT_TRUE(provider_->force_flush());
  const auto spans = testing::spans_of(memory_->requests().back());
  EXPECT_EQ(testing::attributes_of(spans[0], kAttributes),
            (std::map<std::string, std::string>{{"a", "i:1"}, {"b", "s:latest"}}));
}

TEST_F(PreparedAttributesTest, ObeyTheLimitsOfTheSpan) {
  make({.attributes = 3, .value_bytes = 4});
  const auto got = expect_same({{"a", 1}}, {{"b", "12345"}, {"", 1}, {"c", 3}, {"d", 4}});
  EXPECT_EQ(got, (std::map<std::string, std::string>{{"a", "i:1"}, {"b", "s:1234"}, {"c", "i:3"}}));
  EXPECT_EQ(dropped_, 2U);
}

TEST_F(PreparedAttributesTest, CutWhatGrowsWhenItIsRepaired) {
  make({.value_bytes = 8});
  const auto got = expect_same({}, {{"a", "\xff\xff\xff\xff\xff"}});
  EXPECT_EQ(got.at("a"), "s:\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_F(PreparedAttributesTest, MayBeMoreThanASlotHolds) {
  make({});
  const std::string text(400, 'x');
  const auto got = expect_same({}, {{"a", text}, {"b", text}, {"c", text}});
  EXPECT_EQ(got.at("c"), "s:" + text);
  const auto full = expect_same({{"a", text}}, {{"b", text}});  // the second does not fit any more
  EXPECT_EQ(full.size(), 2U);
}

TEST_F(PreparedAttributesTest, OutliveWhatTheyWereMadeOf) {
  make({});
  PreparedAttributes prepared;
  {
    span("none").set(prepared);
  }
  {
    const std::string key = "a key that no small string holds";
    const std::vector<std::string> texts = {"a text that no small string holds"};
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    prepared = PreparedAttributes({{key, std::span(views)}, {"big", std::string(5'000, 'y')}});
  }
  {
    span("kept").set(prepared);
  }
  ASSERT_TRUE(provider_->force_flush());
  const auto spans = testing::spans_of(memory_->requests().back());
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_TRUE(testing::attributes_of(spans[0], kAttributes).empty());
  const auto got = testing::attributes_of(spans[1], kAttributes);
  EXPECT_EQ(got.at("a key that no small string holds"), "[s:a text that no small string holds]");
  EXPECT_EQ(got.at("big"), "s:" + std::string(5'000, 'y'));
}

TEST_F(PreparedAttributesTest, DoNothingOnASpanThatIsNone) {
  Span nothing;
  nothing.set(PreparedAttributes({{"a", 1}}));
  EXPECT_FALSE(nothing.recording());
}

}  // namespace
}  // namespace alphaswarm::observability

#endif
