#pragma once

// For tests: sessions that run in the background while something happens to them.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "alphaswarm/trading/kill_switch/stop_signal.hpp"
#include "alphaswarm/trading/paper/session_fixture.hpp"

namespace alphaswarm::trading::paper {

namespace json = boost::json;

// A bus that can be away, as one in another process can.
class DistantBus final : public tasks::Bus {
 public:
  explicit DistantBus(std::shared_ptr<tasks::Bus> bus) : bus_(std::move(bus)) {}
  void set_away(bool away) { away_.store(away); }

  // Called before each message; set before the bus is used.
  void on_publish(std::function<void(const std::string&)> told) { on_publish_ = std::move(told); }

  net::task<Result<void>> publish(std::string channel, std::string payload) override {
    if (away_.load()) co_return gone();
    if (on_publish_) on_publish_(payload);
    co_return co_await bus_->publish(std::move(channel), std::move(payload));
  }
  net::task<Result<tasks::Subscription>> subscribe(std::string channel) override {
    if (away_.load()) co_return gone();
    co_return co_await bus_->subscribe(std::move(channel));
  }
  net::task<Result<void>> set(std::string key, std::string value,
                              std::optional<std::chrono::seconds> time_to_live) override {
    if (away_.load()) co_return gone();
    co_return co_await bus_->set(std::move(key), std::move(value), time_to_live);
  }
  net::task<Result<std::optional<std::string>>> get(std::string key) override {
    if (away_.load()) co_return gone();
    co_return co_await bus_->get(std::move(key));
  }
  net::task<Result<bool>> del(std::string key) override {
    if (away_.load()) co_return gone();
    co_return co_await bus_->del(std::move(key));
  }

 private:
  static std::unexpected<Error> gone() { return fail(ErrorCode::unavailable, "the bus is away"); }
  std::shared_ptr<tasks::Bus> bus_;
  std::function<void(const std::string&)> on_publish_;
  std::atomic<bool> away_{false};
};

class SessionFaultsTest : public SessionFixture {
 protected:
  // Runs a session in the background; what happens to it is told by progress frames.
  struct Running {
    std::optional<Result<SessionResult>> result;
    net::AsyncEvent ended;
    std::stop_source stop;
  };

  void launch(Running& running, json::object config, std::string task_id) {
    net::spawn(runtime_, running.stop, work(running, std::move(config), std::move(task_id)));
  }
  net::task<void> work(Running& running, json::object config, std::string task_id) {
    running.result =
        co_await run_document(services_, std::move(config), "test", std::move(task_id));
    running.ended.set();
  }
  Result<SessionResult> join(Running& running) {
    const auto wait = [&]() -> net::task<Result<void>> {
      co_return co_await running.ended.wait_for(std::chrono::seconds(60));
    };
    const Result<void> ended = net::block_on(runtime_, wait());
    EXPECT_TRUE(ended);
    if (!ended) {
      running.stop.request_stop();  // it must not outlive the test
      std::ignore = net::block_on(runtime_, wait());
    }
    return running.result ? *running.result
                          : Result<SessionResult>(fail(ErrorCode::deadline_exceeded, "no end"));
  }
  // Waits for a frame of that stage that `accept` likes.
  template <class Accept>
  void await_frame(tasks::ProgressStream& stream, Accept accept) {
    const auto wait = [&]() -> net::task<void> {
      while (auto text = co_await stream.next()) {
        if (accept(json::parse(*text).as_object())) co_return;
      }
      ADD_FAILURE() << "the frames ended";
    };
    net::block_on(runtime_, wait());
  }
  tasks::ProgressStream watch(const std::string& task_id) {
    auto stream = net::block_on(runtime_, services_.progress->subscribe(task_id));
    EXPECT_TRUE(stream);
    return std::move(*stream);
  }
  static auto stage_is(std::string stage) {
    return [stage = std::move(stage)](const json::object& frame) {
      return frame.at("stage").as_string() == stage;
    };
  }
  static auto status_is(std::string status) {
    return [status = std::move(status)](const json::object& frame) {
      return frame.at("stage").as_string() == "state" && frame.at("status").as_string() == status;
    };
  }
  static json::object slow_document(double speed, const std::string& session = "{}") {
    json::object config = document();
    config["feed"] = json::object{{"params", json::object{{"speed", speed}}}};
    for (auto& entry : json::parse(session).as_object()) {
      config["session"].as_object()[entry.key()] = entry.value();
    }
    return config;
  }
  void expect_books_closed(const std::string& run_id) {
    const auto all = spans();
    auto names = count_names(all);
    const auto orders = orders_of(run_id);
    EXPECT_EQ(names["paper.session.submit_order"], static_cast<int>(orders.size()));
    EXPECT_EQ(count_events(all, "order.fill"), static_cast<int>(fills_of(run_id).size()));
    EXPECT_EQ(names["paper.session.bar"], row_of(run_id).bars_seen);
    for (const auto& order : orders) {
      EXPECT_TRUE(order.status == "filled" || order.status == "cancelled" ||
                  order.status == "rejected" || order.status == "expired")
          << order.client_order_id << ' ' << order.status;
    }
    EXPECT_EQ(paper_->stats().open, 0U);
  }
};

}  // namespace alphaswarm::trading::paper
