// Retries over a Redis that goes away, and of workers that die on the way: each try is run once.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "alphaswarm/persistence/task_repository.hpp"
#include "alphaswarm/tasks/loss_test_support.hpp"
#include "alphaswarm/tasks/message.hpp"
#include "tests/support/cutting_proxy.hpp"

namespace alphaswarm::tasks {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using ::testing::ElementsAre;

// What sends the second try, and nothing else.
constexpr char kRetryIsSent[] = R"("retries":1)";

class RetryTest : public test::LossTest {
 protected:
  // Fails its first try.
  std::unique_ptr<Worker> make_flaky(std::shared_ptr<Broker> broker, std::shared_ptr<Bus> bus,
                                     WorkerConfig config) {
    auto worker = std::make_unique<Worker>(system_.runtime, std::move(broker), std::move(bus),
                                           system_.database, system_.progress, std::move(config));
    worker->register_task("flaky",
                          [this](TaskContext& context) -> net::task<Result<json::value>> {
                            note_try(context.id, context.retries);
                            if (context.retries == 0) co_return fail(ErrorCode::unavailable, "no");
                            co_return json::value(context.retries);
                          },
                          {.max_retries = 3, .first_backoff = 50ms, .longest_backoff = 50ms});
    worker->start();
    return worker;
  }
  // Behind the proxy. Redis knows its scripts then, and it holds no lock there.
  std::unique_ptr<Worker> start_cut_off() {
    auto worker = make_flaky(cut_off_broker_, make_redis_bus(cut_off_, cut_off_),
                             {.concurrency = 1, .hostname = "one@here"});
    EXPECT_EQ(system_.wait(system_.apply("flaky")).status, kSuccess);
    expect_nothing_left();
    wait_until([&] { return server_.cli({"EXISTS", "unacked_mutex"}) == "0\n"; });
    return worker;
  }
  std::unique_ptr<Worker> start_beside() {
    return make_flaky(system_.broker, system_.bus, {.claim_grace = 100ms, .hostname = "two@here"});
  }
  void note_try(const std::string& id, std::int64_t number) {
    const std::scoped_lock lock(mutex_);
    tries_[id].push_back(number);
  }
  std::vector<std::int64_t> tries(const std::string& id) {
    const std::scoped_lock lock(mutex_);
    return tries_[id];
  }
  // What a dead worker had is back in its queue.
  void restore_all() {
    const auto hasty = make_redis_broker(system_.runtime, client_, {.visibility_timeout = 50ms});
    wait_until([&] {
      EXPECT_TRUE(net::block_on(system_.runtime, hasty->restore()));
      return system_.unacknowledged() == 0;
    });
  }
  void expect_nothing_left() {
    wait_until([&] { return system_.waiting("default") == 0 && system_.unacknowledged() == 0; });
  }

  alphaswarm::testing::CuttingProxy proxy_{server_.port()};
  std::shared_ptr<net::RedisClient> cut_off_ = [this] {
    auto config =
        *net::parse_redis_url("redis://127.0.0.1:" + std::to_string(proxy_.port()) + "/0");
    config.command_timeout = 400ms;
    config.backoff_max = 100ms;
    return std::make_shared<net::RedisClient>(system_.runtime, config);
  }();
  std::shared_ptr<Broker> cut_off_broker_ =
      make_redis_broker(system_.runtime, cut_off_, {.restore_interval = 1'000s});
  std::map<std::string, std::vector<std::int64_t>> tries_;  // guarded by mutex_
};

// ---- its worker dies

TEST_F(RetryTest, IsRunOnceIfItsWorkerDiesAsItIsQueued) {
  const auto one = start_cut_off();
  proxy_.die_after(kRetryIsSent);
  const std::string id = system_.apply("flaky");
  wait_until([&] { return proxy_.cuts() == 1; });
  EXPECT_TRUE(one->stop(test::kLimit));
  restore_all();
  EXPECT_EQ(system_.waiting("default"), 1U) << "the try before it is still there";
  const auto two = start_beside();
  EXPECT_EQ(system_.wait(id).result, json::value(1));
  expect_nothing_left();
  EXPECT_THAT(tries(id), ElementsAre(0, 1));
}

TEST_F(RetryTest, IsRunInThePlaceOfTheTryBeforeItIfItsWorkerDiesBeforeItIsQueued) {
  const auto one = start_cut_off();
  proxy_.die_before(kRetryIsSent);
  const std::string id = system_.apply("flaky");
  wait_until([&] { return proxy_.cuts() == 1; });
  EXPECT_TRUE(one->stop(test::kLimit)) << "a worker that stops does not wait for its Redis";
  restore_all();
  const auto two = start_beside();
  EXPECT_EQ(system_.wait(id).result, json::value(1));
  expect_nothing_left();
  EXPECT_THAT(tries(id), ElementsAre(0, 1));
}

// ---- Redis is away for a moment

TEST_F(RetryTest, IsQueuedOnceThoughTheReplyIsLost) {
  const auto one = start_cut_off();
  proxy_.lose_reply_to(kRetryIsSent);
  const std::string id = system_.apply("flaky");
  EXPECT_EQ(system_.wait(id).result, json::value(1));
  EXPECT_EQ(proxy_.cuts(), 1);
  expect_nothing_left();
  EXPECT_TRUE(one->stop(test::kLimit));
  EXPECT_THAT(tries(id), ElementsAre(0, 1));
}

TEST_F(RetryTest, IsQueuedOnceThoughItArrivesLate) {
  const auto one = start_cut_off();
  proxy_.hold(kRetryIsSent);
  const std::string id = system_.apply("flaky");
  EXPECT_EQ(system_.wait(id).result, json::value(1));
  EXPECT_EQ(proxy_.cuts(), 1);
  expect_nothing_left();
  EXPECT_TRUE(one->stop(test::kLimit));
  proxy_.deliver_held();
  EXPECT_EQ(system_.waiting("default"), 0U);
  EXPECT_THAT(tries(id), ElementsAre(0, 1));
}

// ---- somebody else has ended it

TEST_F(RetryTest, IsNotQueuedForATaskThatHasEndedMeanwhile) {
  const std::string id = system_.apply("ends itself");
  auto worker = system_.make_worker({.hostname = "one@here"});
  worker->register_task(
      "ends itself",
      [this](TaskContext& context) -> net::task<Result<json::value>> {
        note_run(context.id);
        EXPECT_TRUE(*persistence::TaskRepository(*system_.database)
                         .mark_finished(context.id, kFailure, "", "elsewhere", now_unix()));
        co_return fail(ErrorCode::unavailable, "again");
      },
      {.max_retries = 3, .first_backoff = 1ms});
  worker->start();
  wait_until([&] { return stored(id).find("elsewhere") != std::string::npos; });
  expect_nothing_left();
  EXPECT_EQ(runs(id), 1);
}

}  // namespace
}  // namespace alphaswarm::tasks
