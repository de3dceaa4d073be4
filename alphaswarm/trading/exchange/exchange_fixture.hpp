#pragma once

// For tests: a real exchange on a free port, and a client that speaks raw HTTP to it.

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <string>

#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/net/task.hpp"
#include "alphaswarm/trading/exchange/exchange.hpp"

namespace alphaswarm::trading::exchange {

struct Answered {
  int status = 0;
  boost::json::value body;
  std::string text;
  net::Headers headers;
};

class ExchangeFixture : public ::testing::Test {
 protected:
  void start(ExchangeConfig config = {}) {
    config.port = 0;
    auto started = Exchange::start(server_runtime_, config);
    ASSERT_TRUE(started) << started.error().message;
    exchange_ = std::move(*started);
  }

  Answered call(std::string method, const std::string& path, std::string body = {},
                std::string key = "alice") {
    net::ClientRequest request;
    request.method = std::move(method);
    request.url = exchange_->base_url() + path;
    request.body = std::move(body);
    if (!key.empty()) {
      request.headers.set("APCA-API-KEY-ID", key);
      request.headers.set("APCA-API-SECRET-KEY", "secret");
    }
    auto response = net::block_on(client_runtime_, http_.send(std::move(request)));
    Answered answered;
    if (!response) {
      ADD_FAILURE() << response.error().message;
      return answered;
    }
    answered.status = response->status;
    answered.headers = response->headers;
    answered.text = response->body;
    boost::system::error_code malformed;
    if (!response->body.empty()) answered.body = boost::json::parse(response->body, malformed);
    return answered;
  }

  // Day `index` of 2020, with a range of one around `open` and `close`.
  static std::string bar_body(int index, double open, double close,
                              const std::string& symbol = "AAPL.NASDAQ") {
    const boost::json::object bar{{"symbol", symbol},
                                  {"t", to_rfc3339(day(index))},
                                  {"o", open},
                                  {"h", std::max(open, close) + 1},
                                  {"l", std::min(open, close) - 1},
                                  {"c", close},
                                  {"v", 1000}};
    return boost::json::serialize(
        boost::json::object{{"bar_index", index}, {"bars", boost::json::array{bar}}});
  }
  static UnixNanos day(int index) {
    return {(days_from_civil(2020, 1, 1) + index) * 86'400'000'000'000};
  }
  Answered advance(int index, double open, double close, const std::string& key = "alice") {
    return call("POST", "/sim/v1/advance", bar_body(index, open, close), key);
  }
  static std::string order_body(const std::string& client_id, const std::string& side,
                                const std::string& quantity) {
    return boost::json::serialize(boost::json::object{{"symbol", "AAPL.NASDAQ"},
                                                      {"qty", quantity},
                                                      {"side", side},
                                                      {"type", "market"},
                                                      {"time_in_force", "day"},
                                                      {"client_order_id", client_id}});
  }
  static std::string text(const boost::json::value& body, std::string_view key) {
    return std::string(body.at(key).as_string());
  }

  net::Runtime server_runtime_{"exchange", 1};
  net::Runtime client_runtime_{"client", 1};
  net::HttpClient http_{client_runtime_};
  std::unique_ptr<Exchange> exchange_;
};

}  // namespace alphaswarm::trading::exchange
