// What becomes of a batch on its way to the receiver: tried again, given up, counted; and how long
// a shutdown takes.

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/sdk/accounting_fixture_test.hpp"
#include "alphaswarm/observability/tracing.hpp"

#if ALPHASWARM_OTEL

namespace alphaswarm::observability {
namespace {

using testing::kScale;
using testing::make_spans;
using testing::milliseconds;
using testing::TestSink;

class DeliveryTest : public testing::AccountedTest {};

TEST_F(DeliveryTest, RefusedAndPartlyAcceptedBatchesAreCounted) {
  const auto provider = make();
  sink_->answer({.status = SinkResult::rejected, .message = "no"});
  make_spans(*provider, 5);
  EXPECT_TRUE(provider->force_flush(5'000));
  EXPECT_EQ(provider->stats().dropped.export_failed, 10U);
  // Said once, counted each time.
  std::atomic<int> said = 0;
  set_log_listener([&](LogLevel, std::string_view, std::string_view message) {
    if (message.contains("three are bad")) ++said;
  });
  sink_->answer({.rejected_spans = 3, .message = "three are bad"});
  make_spans(*provider, 5);
  EXPECT_TRUE(provider->force_flush(5'000));
  EXPECT_EQ(provider->stats().dropped.rejected, 3U);
  EXPECT_EQ(provider->stats().exported, 7U);
  EXPECT_EQ(said, 1);
  make_spans(*provider, 5);
  EXPECT_TRUE(provider->force_flush(5'000));
  set_log_listener(nullptr);
  EXPECT_EQ(said, 1);
  EXPECT_EQ(provider->stats().dropped.rejected, 6U);
  expect_exact(*provider);
}

TEST_F(DeliveryTest, RetriesUntilAccepted) {
  const auto provider = make();
  sink_->answer({.status = SinkResult::retry, .message = "away"});
  make_spans(*provider, 5);
  EXPECT_FALSE(provider->force_flush(50));
  sink_->wait_for_calls(1);
  sink_->answer({});
  EXPECT_TRUE(provider->force_flush(10'000));
  EXPECT_GE(provider->stats().retries, 1U);
  EXPECT_EQ(provider->stats().exported, 10U);
  expect_exact(*provider);
}

TEST_F(DeliveryTest, WaitsLongerEachTimeAndAsLongAsAsked) {
  const auto provider = make({.timeout_ms = 60'000});
  sink_->answer({.status = SinkResult::retry});
  make_spans(*provider, 1);
  EXPECT_FALSE(provider->force_flush(1));
  sink_->wait_for_calls(3);  // two pauses by the sender's own rule
  sink_->answer({.status = SinkResult::retry, .retry_after = milliseconds(4'500)});
  sink_->wait_for_calls(4);
  sink_->answer({});
  EXPECT_TRUE(provider->force_flush(10'000));
  const auto pauses = sink_->pauses();
  ASSERT_EQ(pauses.size(), 4U);
  const auto expect_within = [](milliseconds pause, int least, int most) {
    EXPECT_GE(pause.count(), least);
    EXPECT_LT(pause.count(), most + 3'000);  // a busy machine
  };
  expect_within(pauses[0], 500, 1'000);
  expect_within(pauses[1], 1'000, 2'000);
  expect_within(pauses[2], 2'000, 4'000);
  expect_within(pauses[3], 4'500, 4'500);
}

// It lies in the chunks of its threads, some of which have gone, while others go on.
TEST_F(DeliveryTest, ABatchStaysAsItIsUntilItIsTaken) {
  const auto provider = make({.timeout_ms = 60'000, .schedule_delay_ms = 0});
  sink_->answer({.status = SinkResult::retry});
  std::jthread early([&] { make_spans(*provider, 5'000); });
  early.join();
  std::jthread late([&] { make_spans(*provider, 20'000 * kScale); });
  late.join();
  sink_->wait_for_calls(2);
  sink_->answer({});
  EXPECT_TRUE(provider->force_flush(20'000));
  expect_exact(*provider);
}

TEST_F(DeliveryTest, ShutdownIsBoundedWhenTheReceiverIsAway) {
  const auto provider = make();
  sink_->answer({.status = SinkResult::retry, .message = "away"});
  make_spans(*provider, 5);
  const auto start = std::chrono::steady_clock::now();
  static_cast<void>(provider->shutdown(300));
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(3'000));
  EXPECT_EQ(provider->stats().dropped.total(), 10U);
  expect_exact(*provider);
}

TEST_F(DeliveryTest, ShutdownIsBoundedWhenTheSinkHangs) {
  const auto provider = make();
  sink_->block(true);
  make_spans(*provider, 5);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(provider->shutdown(100));
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(3'000));
  EXPECT_EQ(provider->stats().dropped.export_failed, 10U) << "left behind, and not counted";
  expect_exact(*provider);
  sink_->block(false);
  sink_->wait_for_calls(1);
}

TEST_F(DeliveryTest, TheSimpleProcessorSendsEachSpanByItself) {
  const auto provider = make({.simple = true});
  make_spans(*provider, 20);
  sink_->wait_for_calls(40);  // without a flush
  EXPECT_TRUE(provider->force_flush(5'000));
  EXPECT_EQ(provider->stats().batches, 40U);
  expect_exact(*provider);
}

TEST_F(DeliveryTest, LargeBatchesAreSplit) {
  const auto provider = make({.max_batch_spans = 10, .max_batch_bytes = 2'000});
  make_spans(*provider, 100);
  EXPECT_TRUE(provider->force_flush(5'000));
  EXPECT_GE(provider->stats().batches, 20U);
  expect_exact(*provider);
}

TEST_F(DeliveryTest, SpansOpenedByASinkAreNotRecorded) {
  class Tracing final : public BatchSink {
   public:
    SinkResult send(const Batch&, milliseconds) override {
      if (span("export").recording()) recorded = true;
      return {};
    }
    std::atomic<bool> recorded{false};
  };
  const auto tracing = std::make_shared<Tracing>();
  auto provider = TracerProvider::create({.sink = tracing});
  (*provider)->install_as_default();
  span("one").end();
  EXPECT_TRUE((*provider)->force_flush(5'000));
  EXPECT_FALSE(tracing->recorded.load());
}

}  // namespace
}  // namespace alphaswarm::observability

#endif
