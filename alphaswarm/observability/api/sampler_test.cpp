#include "alphaswarm/observability/api/sampler.hpp"

#include <gtest/gtest.h>

#include "alphaswarm/observability/api/propagation.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/tracing.hpp"

#if ALPHASWARM_OTEL

namespace alphaswarm::observability {
namespace {

constexpr const char* kSpan = "b7ad6b7169203331";

// What a rule decides for a trace id under an optional parent's tracestate: "1 ot=th:8".
std::string decide(const SamplerPtr& sampler, std::string_view trace,
                   const char* parent_state = nullptr, bool parent_sampled = true,
                   bool remote = true) {
  SpanContext parent;
  if (parent_state != nullptr) {
    parent = *extract_traceparent(
        "00-" + std::string(trace) + "-" + kSpan + (parent_sampled ? "-01" : "-00"), parent_state);
    parent.remote = remote;
  }
  const SamplingResult result = sampler->sample({parent_state != nullptr ? &parent : nullptr,
                                                 *TraceId::from_hex(trace),
                                                 "name",
                                                 SpanKind::internal,
                                                 {}});
  SpanContext own;
  own.tracestate = result.tracestate;
  return (result.sampled ? "1 " : "0 ") + to_tracestate(own);
}

// Made with opentelemetry-sdk 1.45.2: composite_sampler(composable_traceid_ratio_based(ratio))
// .should_sample(parent, trace_id, …), its decision and the tracestate it returns; and
// TraceIdRatioBased(ratio) in the last column. Regenerate with tests/interop/sampler_table.py.
struct Row {
  double ratio;
  const char* trace;
  const char* state;  // null: a root
  const char* consistent;
  bool trace_id_ratio;
};
// clang-format off
constexpr Row kPython[] = {
#include "alphaswarm/observability/api/sampler_table_test.inc"
};
// clang-format on

TEST(Sampler, DecidesAsPythonsCompositeSampler) {
  for (const Row& row : kPython) {
    // Of a span that is not kept, Python leaves a stale `ot` where nothing new is to be said; we
    // take its threshold out.
    const std::string ours = decide(ratio_sampler(row.ratio), row.trace, row.state);
    EXPECT_EQ(ours.substr(0, ours[0] == '1' ? std::string::npos : 1),
              std::string_view(row.consistent).substr(0, row.consistent[0] == '1' ? 200 : 1))
        << row.ratio << " " << row.trace;
  }
}

TEST(Sampler, TheOlderRuleDecidesAsPythonsTraceIdRatioBased) {
  for (const Row& row : kPython) {
    EXPECT_EQ(decide(trace_id_ratio_sampler(row.ratio), row.trace)[0] == '1', row.trace_id_ratio)
        << row.ratio << " " << row.trace;
  }
}

TEST(Sampler, ParentBasedAsksTheRightOne) {
  constexpr const char* kTrace = "0af7651916cd43dd8448eb211c80319c";
  const SamplerPtr on = always_on_sampler();
  const SamplerPtr off = always_off_sampler();
  const auto answers = [&](const ParentBasedSamplers& samplers) {
    const SamplerPtr sampler = parent_based_sampler(samplers);
    std::string text;
    text += decide(sampler, kTrace)[0];
    for (const bool remote : {true, false}) {
      for (const bool sampled : {true, false})
        text += decide(sampler, kTrace, "a=1", sampled, remote)[0];
    }
    return text;
  };
  EXPECT_EQ(answers({.root = on}), "11010");
  EXPECT_EQ(answers({.root = off}), "01010");
  EXPECT_EQ(answers({.root = on, .remote_sampled = off}), "10010");
  EXPECT_EQ(answers({.root = on, .remote_not_sampled = on}), "11110");
  EXPECT_EQ(answers({.root = on, .local_sampled = off}), "11000");
  EXPECT_EQ(answers({.root = on, .local_not_sampled = on}), "11011");
  EXPECT_EQ(decide(parent_based_sampler({.root = on}), kTrace, "a=1,ot=th:c"), "1 a=1,ot=th:c");
}

// Keeps what is named "order …", with a mark of its own in tracestate.
class Orders final : public Sampler {
 public:
  SamplingResult sample(const SamplingInput& input) const noexcept override {
    const bool kept = input.name.starts_with("order") && input.kind == SpanKind::server &&
                      input.attributes.size() == 1;
    return {kept, kept ? mark_ : TraceState{}};
  }

 private:
  TraceState mark_ =
      extract_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "desk=1")
          ->tracestate;
};

TEST(Sampler, OnesOwnDecidesForEverySpan) {
  const auto memory = std::make_shared<MemorySink>();
  auto provider = TracerProvider::create({.sink = memory, .sampler = std::make_shared<Orders>()});
  ASSERT_TRUE(provider.has_value());
  {
    const auto other = span("poll", {.provider = provider->get()});
    EXPECT_FALSE(other.recording());
    const auto order = span("order 7", {.kind = SpanKind::server}, {{"id", 7}});
    EXPECT_TRUE(order.recording());
    const auto child = span("check");
    EXPECT_FALSE(child.recording());
    EXPECT_FALSE(child.context().sampled());
  }
  (*provider)->force_flush();
  EXPECT_EQ(memory->tree(), "order 7\n");
  EXPECT_EQ(memory->find("order 7").tracestate, "desk=1");
}

TEST(Sampler, RatiosAreSaidInTracestate) {
  const auto memory = std::make_shared<MemorySink>();
  for (const bool parent_based : {true, false}) {
    memory->clear();
    auto provider =
        TracerProvider::create({.sink = memory, .sample_ratio = 0.5, .parent_based = parent_based});
    ASSERT_TRUE(provider.has_value());
    for (int i = 0; i < 64; ++i) {
      const auto root = span("root", {.provider = provider->get()});
      const auto child = span("child");
      EXPECT_EQ(root.recording(), child.recording());
      EXPECT_EQ(to_tracestate(root.context()), root.recording() ? "ot=th:8" : "");
      EXPECT_EQ(to_tracestate(child.context()), root.recording() ? "ot=th:8" : "");
    }
    (*provider)->force_flush();
    EXPECT_GT(memory->spans().size(), 20U);
    for (const FinishedSpan& one : memory->spans()) EXPECT_EQ(one.tracestate, "ot=th:8");
  }
}

}  // namespace
}  // namespace alphaswarm::observability

#endif
