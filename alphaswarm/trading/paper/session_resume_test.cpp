// Sessions that go on in another process after theirs was killed.
#include <chrono>

#include "alphaswarm/trading/paper/session_faults_fixture.hpp"

namespace alphaswarm::trading::paper {
namespace {

// What a killed process leaves: rows up to its last bar, state up to its last flush.
class ResumeTest : public SessionFaultsTest {
 protected:
  // Cuts a session off in the middle and makes its row look as after a kill -9.
  std::string interrupted_run(bool exchange_forgets) {
    store_bars(300);
    services_.resume_after_worker_stop = true;
    auto frames = watch("resumed");
    Running running;
    launch(running, slow_document(400, R"({"state_flush_every_bars": 25})"), "resumed");
    await_frame(frames, [](const json::object& frame) {
      return frame.at("stage").as_string() == "bar" && frame.at("bars_done").as_int64() > 70;
    });
    running.stop.request_stop();
    const Result<SessionResult> left = join(running);
    EXPECT_FALSE(left);
    EXPECT_EQ(left.error().code, ErrorCode::cancelled);
    const auto row = persistence::RunRepository(*services_.database).find_by_task("resumed");
    EXPECT_EQ((*row)->status, "stale");
    EXPECT_GT(json::parse((*row)->state_json).at("next_index").as_int64(), 0);
    EXPECT_EQ(paper_->stats().open, 0U);
    if (exchange_forgets) {
      exchange_->stop();
      start_exchange();
    }
    return (*row)->id;
  }
  void expect_as_if_nothing_happened(const std::string& run_id) {
    const Result<SessionResult> result = run(document(), "resumed");
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->run_id, run_id);
    EXPECT_EQ(result->status, "completed") << result->reason;
    const Result<SessionResult> straight = run(document());
    ASSERT_TRUE(straight) << straight.error().message;
    EXPECT_EQ(result->bars_seen, straight->bars_seen);
    EXPECT_EQ(result->final_equity, straight->final_equity);
    EXPECT_EQ(result->fills, straight->fills);
    const auto strip = [](const std::string& id) { return id.substr(id.size() - 6); };
    const auto mine = orders_of(run_id);
    const auto other = orders_of(straight->run_id);
    ASSERT_EQ(mine.size(), other.size());
    EXPECT_EQ(result->orders, static_cast<std::int64_t>(mine.size()));
    for (std::size_t i = 0; i < mine.size(); ++i) {
      EXPECT_EQ(strip(mine[i].client_order_id), strip(other[i].client_order_id));
      EXPECT_EQ(mine[i].quantity, other[i].quantity);
      EXPECT_EQ(mine[i].filled_quantity, other[i].filled_quantity);
      EXPECT_EQ(mine[i].average_price, other[i].average_price);
      EXPECT_EQ(mine[i].status, other[i].status);
    }
    EXPECT_EQ(fills_of(run_id).size(), fills_of(straight->run_id).size());
    const auto kinds = [this](const std::string& id) {
      std::map<std::string, int> counts;
      for (const auto& line : ledger_of(id)) {
        if (line.entry_type != "META") ++counts[line.entry_type + line.level];
        EXPECT_NE(line.level, "error") << line.message;
      }
      return counts;
    };
    EXPECT_EQ(kinds(run_id), kinds(straight->run_id));
  }
};

TEST_F(ResumeTest, ItGoesOnFromTheLastFlush) {
  expect_as_if_nothing_happened(interrupted_run(false));
}

TEST_F(ResumeTest, AlsoIfTheExchangeHasForgottenIt) {
  expect_as_if_nothing_happened(interrupted_run(true));
}

TEST_F(ResumeTest, AFinishedRunIsNotRunAgain) {
  store_bars(40);
  const Result<SessionResult> first = run(document(), "twice");
  const Result<SessionResult> again = run(document(), "twice");
  ASSERT_TRUE(first && again);
  EXPECT_EQ(again->run_id, first->run_id);
  EXPECT_EQ(count_names(spans())["paper.session.run"], 1);
}

}  // namespace
}  // namespace alphaswarm::trading::paper
