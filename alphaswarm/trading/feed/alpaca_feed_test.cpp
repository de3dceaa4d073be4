// The feed where its stream cannot be had, against a server that publishes bars as a test says.

#include "alphaswarm/trading/feed/alpaca_feed.hpp"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <mutex>
#include <set>

#include "alphaswarm/net/http_server.hpp"
#include "alphaswarm/net/task.hpp"

namespace alphaswarm::trading {
namespace {

namespace json = boost::json;
using net::HttpRequest;
using net::HttpResponse;
using std::chrono::milliseconds;

constexpr std::int64_t kMinute = 60'000'000'000;

class AlpacaFeedTest : public ::testing::Test {
 protected:
  AlpacaFeedTest() {
    net::Router router;
    net::Route route;
    route.method = "GET";
    route.path = "/v2/stocks/bars";
    route.handler = [this](const HttpRequest& request) -> net::task<HttpResponse> {
      co_return bars(request);
    };
    router.add(std::move(route));
    auto started = net::HttpServer::start(runtime_, std::move(router), {});
    EXPECT_TRUE(started);
    server_ = std::move(*started);
    AlpacaDataConfig config;
    config.base_url = "http://127.0.0.1:" + std::to_string(server_->port());
    config.stream_url = "ws" + config.base_url.substr(4);  // which serves none
    config.key_id = "key";
    config.secret_key = "secret";
    config.rate_limit = {};
    config.retry.shortest = config.retry.longest = milliseconds(100);
    data_ = std::make_unique<AlpacaData>(std::move(config), http_);
  }
  ~AlpacaFeedTest() override {
    stop_.request_stop();
    client_runtime_.stop();
  }

  HttpResponse bars(const HttpRequest& request) {
    const std::scoped_lock lock(mutex_);
    ++asked_;
    const UnixNanos start = *from_rfc3339(*request.query_param("start"));
    json::object all;
    for (const auto& [ticker, times] : published_) {
      json::array list;
      for (const std::int64_t time : times) {
        if (UnixNanos{time * kMinute} < start) continue;
        list.push_back(json::object{
            {"t", to_rfc3339({time * kMinute})}, {"o", 1}, {"h", 1}, {"l", 1}, {"c", 1}, {"v", 1}});
      }
      if (!list.empty()) all[ticker] = std::move(list);
    }
    return HttpResponse::json(
        200, json::serialize(json::object{{"bars", std::move(all)}, {"next_page_token", nullptr}}));
  }
  void publish(const std::string& ticker, std::int64_t time) {
    const std::scoped_lock lock(mutex_);
    published_[ticker].insert(time);
  }
  // Until the server has been asked that often.
  void await_asks(int count) {
    const auto enough = [this, count] {
      const std::scoped_lock lock(mutex_);
      return asked_ >= count;
    };
    const auto moment = []() -> net::task<void> {
      std::ignore = co_await net::sleep_for(milliseconds(1));
    };
    while (!enough()) net::block_on(client_runtime_, moment());
  }
  void start(bool stream) {
    AlpacaFeedConfig config;
    config.symbols = {*VtSymbol::parse("A.US"), *VtSymbol::parse("B.US")};
    config.stream = stream;
    config.poll = milliseconds(100);
    config.grace = milliseconds(20);  // less than it takes to ask again
    config.after = {0};
    feed_ = std::make_unique<AlpacaFeed>(*data_, std::move(config));
    net::spawn(client_runtime_, stop_, feed_->run());
  }
  BarStep take() {
    const auto wait = [this]() -> net::task<BarStep> {
      for (;;) {
        if (auto step = feed_->take()) co_return std::move(*step);
        std::ignore = co_await net::sleep_for(milliseconds(1));
      }
    };
    return net::block_on(client_runtime_, wait());
  }

  net::Runtime runtime_{"alpaca", 1};
  net::Runtime client_runtime_{"client", 2};
  net::HttpClient http_{client_runtime_};
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<AlpacaData> data_;
  std::mutex mutex_;
  std::map<std::string, std::set<std::int64_t>> published_;  // guarded by mutex_, like the next
  int asked_ = 0;
  std::unique_ptr<AlpacaFeed> feed_;
  std::stop_source stop_;
};

class AlpacaFeedWaysTest : public AlpacaFeedTest, public ::testing::WithParamInterface<bool> {};

// Of the two, B is published when A has been told already: it is asked for again, and waited for.
TEST_P(AlpacaFeedWaysTest, ASymbolThatComesLateIsInItsStep) {
  publish("A", 1);
  start(GetParam());
  await_asks(1);  // A alone is in the answer
  publish("B", 1);
  const BarStep step = take();
  EXPECT_EQ(step.time.value, kMinute);
  EXPECT_EQ(step.bars.size(), 2U);
}

TEST_P(AlpacaFeedWaysTest, ASymbolThatDoesNotTradeHoldsNothingUp) {
  publish("A", 1);
  start(GetParam());
  EXPECT_EQ(take().bars.size(), 1U);
  publish("A", 2);
  publish("B", 2);
  const BarStep step = take();
  EXPECT_EQ(step.time.value, 2 * kMinute);
  EXPECT_EQ(step.bars.size(), 2U);
}

INSTANTIATE_TEST_SUITE_P(Ways, AlpacaFeedWaysTest, ::testing::Bool());

}  // namespace
}  // namespace alphaswarm::trading
