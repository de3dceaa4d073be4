#include "alphaswarm/tasks/broker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "alphaswarm/base/thread.hpp"
#include "alphaswarm/tasks/message.hpp"

namespace alphaswarm::tasks {
namespace {

using namespace std::chrono_literals;

class BrokerTest : public testing::Test {
 protected:
  template <class T>
  T run(net::task<T> work) {
    return net::block_on(runtime_, std::move(work));
  }
  void push(const std::string& queue, int priority, const std::string& text) {
    EXPECT_TRUE(run(broker_->push(queue, priority, text)));
  }
  std::optional<Delivery> pop(std::vector<std::string> queues) {
    return *run(broker_->pop(std::move(queues), 0ms));
  }
  std::string pop_text(std::vector<std::string> queues) {
    const auto delivery = pop(std::move(queues));
    return delivery ? delivery->message : "nothing";
  }

  net::Runtime runtime_{"broker-test", 2};
  std::shared_ptr<Broker> broker_ = make_memory_broker({.max_messages = 5});
};

TEST_F(BrokerTest, GivesLowestPriorityStepFirstAndKeepsOrderWithinIt) {
  push("q", 9, "nine");
  push("q", 4, "four");  // rounded down to 3
  push("q", 0, "zero");
  push("q", 3, "three");
  for (const char* expected : {"zero", "four", "three", "nine", "nothing"}) {
    EXPECT_EQ(pop_text({"q"}), expected);
  }
}

TEST_F(BrokerTest, TakesQueuesInTurn) {
  for (int i = 0; i < 3; ++i) {
    push("a", 0, "a");
    push("b", 0, "b");
  }
  std::string order;
  for (int i = 0; i < 6; ++i) order += pop_text({"a", "b"});
  EXPECT_TRUE(order == "ababab" || order == "bababa") << order;
  EXPECT_EQ(pop_text({"c"}), "nothing");
}

TEST_F(BrokerTest, GivesBackToWhereItIsPoppedNextMarkedAsRedelivered) {
  TaskMessage message;
  message.id = "i";
  message.task = "t";
  push("q", 3, encode_message(message));
  push("q", 3, "later");
  const auto delivery = pop({"q"});
  ASSERT_TRUE(delivery);
  EXPECT_EQ(*run(broker_->unacknowledged()), 1U);
  EXPECT_TRUE(run(broker_->give_back(*delivery)));
  EXPECT_TRUE(run(broker_->give_back(*delivery)));  // does nothing
  EXPECT_EQ(*run(broker_->waiting("q")), 2U);
  const auto again = pop({"q"});
  ASSERT_TRUE(again);
  EXPECT_TRUE(decode_message(again->message)->redelivered);
  EXPECT_TRUE(run(broker_->acknowledge(*again)));
  EXPECT_TRUE(run(broker_->give_back(*again)));  // too late
  EXPECT_EQ(*run(broker_->unacknowledged()), 0U);
  EXPECT_EQ(pop_text({"q"}), "later");
}

TEST_F(BrokerTest, ANextTryTakesThePlaceOfTheOneBeforeItEvenInAFullQueue) {
  push("q", 0, "first");
  const auto delivery = pop({"q"});
  for (int i = 0; i < 5; ++i) push("q", 9, "x");
  EXPECT_TRUE(*run(broker_->requeue({*delivery}, {"q", 3, "second"})));
  EXPECT_EQ(*run(broker_->unacknowledged()), 0U);
  EXPECT_FALSE(*run(broker_->requeue({*delivery}, {"q", 0, "third"}))) << "it is not lent any more";
  EXPECT_EQ(pop_text({"q"}), "second");
  EXPECT_EQ(*run(broker_->waiting("q")), 5U);
}

TEST_F(BrokerTest, AFullQueueSaysSo) {
  for (int i = 0; i < 5; ++i) push("q", i, "x");
  const auto refused = run(broker_->push("q", 0, "x"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted);
  push("other", 0, "x");
}

TEST_F(BrokerTest, KnowsWhetherSomebodyTakesFromAQueue) {
  EXPECT_FALSE(broker_->has_consumer("q"));
  auto first = broker_->register_consumer({"q", "r"});
  auto second = broker_->register_consumer({"q"});
  first.reset();
  EXPECT_TRUE(broker_->has_consumer("q"));
  EXPECT_FALSE(broker_->has_consumer("r"));
  second.reset();
  EXPECT_FALSE(broker_->has_consumer("q"));
}

TEST_F(BrokerTest, AWaitingPopIsWokenByAPush) {
  const std::jthread producer =
      start_thread("producer", [&](const std::stop_token&) { push("q", 0, "x"); });
  const auto delivery = run(broker_->pop({"q"}, 20s));
  ASSERT_TRUE(delivery && *delivery);
  EXPECT_EQ((*delivery)->message, "x");
}

net::task<Result<std::optional<Delivery>>> pop_until_stopped(Broker& broker,
                                                             std::stop_source stop) {
  std::vector<std::string> queues = {"q"};
  auto waiting = broker.pop(std::move(queues), 20s);
  auto stopping = [](std::stop_source source) -> net::task<void> {
    source.request_stop();
    co_return;
  };
  (void)stop;
  auto outcome = co_await net::race(std::move(waiting), stopping(stop));
  co_return outcome.index() == 0 ? std::get<0>(std::move(outcome))
                                 : Result<std::optional<Delivery>>(std::nullopt);
}

TEST_F(BrokerTest, AWaitingPopEndsWhenItsTaskIsAskedToStop) {
  const auto outcome = run(pop_until_stopped(*broker_, std::stop_source()));
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(*outcome);
}

TEST_F(BrokerTest, ManyProducersAndConsumersLoseNothingAndGetNothingTwice) {
  broker_ = make_memory_broker();
  constexpr int kThreads = 3;
  constexpr int kMessages = 400;
  std::mutex mutex;
  std::multiset<std::string> seen;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.push_back(start_thread("producer", [&, i](const std::stop_token&) {
        for (int n = 0; n < kMessages; ++n) {
          push("q", n % 10, std::to_string(i) + ":" + std::to_string(n));
        }
      }));
      threads.push_back(start_thread("consumer", [&](const std::stop_token&) {
        for (int n = 0; n < kMessages; ++n) {
          const auto delivery = run(broker_->pop({"q"}, 20s));
          ASSERT_TRUE(delivery && *delivery);
          EXPECT_TRUE(run(broker_->acknowledge(**delivery)));
          const std::scoped_lock lock(mutex);
          seen.insert((*delivery)->message);
        }
      }));
    }
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kThreads * kMessages));
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), seen.size());
  EXPECT_EQ(*run(broker_->unacknowledged()), 0U);
}

}  // namespace
}  // namespace alphaswarm::tasks
