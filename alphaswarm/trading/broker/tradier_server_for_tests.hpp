#pragma once

// For tests: a server that answers in Tradier's documented shapes, and keeps orders.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "alphaswarm/net/http_server.hpp"
#include "alphaswarm/net/task.hpp"

namespace alphaswarm::trading {

// Tests look into it and change it as they like; while a request may be under way, with `mutex`.
class TradierServer {
  using HttpRequest = net::HttpRequest;
  using HttpResponse = net::HttpResponse;

 public:
  TradierServer() {
    net::Router router;
    const auto add = [&router, this](std::string method, std::string path,
                                     HttpResponse (TradierServer::*serve)(const HttpRequest&)) {
      net::Route route;
      route.method = std::move(method);
      route.path = std::move(path);
      route.handler = [this, serve](const HttpRequest& request) -> net::task<HttpResponse> {
        if (hold && request.method == "POST") {
          arrived.set();
          (void)co_await let_go.wait();
        }
        const std::scoped_lock lock(mutex);
        if (request.headers.get("Authorization").value_or("") != "Bearer secret-token") {
          co_return HttpResponse::json(401, R"({"fault":{"faultstring":"Invalid Access Token"}})");
        }
        co_return (this->*serve)(request);
      };
      router.add(std::move(route));
    };
    add("POST", "/v1/accounts/VA1/orders", &TradierServer::place);
    add("GET", "/v1/accounts/VA1/orders", &TradierServer::list);
    add("GET", "/v1/accounts/VA1/orders/{id}", &TradierServer::one);
    add("DELETE", "/v1/accounts/VA1/orders/{id}", &TradierServer::cancel);
    add("GET", "/v1/accounts/VA1/balances", &TradierServer::balances);
    add("GET", "/v1/accounts/VA1/positions", &TradierServer::positions);
    add("GET", "/v1/markets/quotes", &TradierServer::quotes);
    auto started = net::HttpServer::start(runtime_, std::move(router), {});
    EXPECT_TRUE(started);
    server_ = std::move(*started);
  }

  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(server_->port());
  }
  // What is open of that symbol is filled.
  void fill(std::string_view symbol, double price) {
    const std::scoped_lock lock(mutex);
    for (auto& [id, order] : orders) {
      if (order.at("status").as_string() != "open" || order.at("symbol").as_string() != symbol) {
        continue;
      }
      order["status"] = "filled";
      order["exec_quantity"] = order.at("quantity");
      order["avg_fill_price"] = price;
    }
  }

  std::atomic<bool> hold{false};  // orders are held back from when they arrive …
  net::AsyncEvent arrived;
  net::AsyncEvent let_go;  // … until this is set
  std::mutex mutex;
  std::map<std::int64_t, boost::json::object> orders, on_their_way;
  bool late = false;  // orders get no answer and do not show yet
  bool refuses_to_cancel = false;
  bool pages = true;  // false: all orders in one answer, whatever page is asked for
  std::size_t largest_page = 100;
  int lists = 0;
  int posts = 0, fail_before = 0, fail_after = 0, fail_status = 503;
  std::string last_form, expiry;

 private:
  HttpResponse place(const HttpRequest& request) {
    ++posts;
    EXPECT_EQ(request.headers.get("Content-Type").value_or(""),
              "application/x-www-form-urlencoded");
    last_form = request.body;
    const auto value = [&](const std::string& key) {
      const std::size_t at = request.body.find("&" + key + "=");
      if (at == std::string::npos) return std::string();
      const std::size_t start = at + key.size() + 2;
      return request.body.substr(start, request.body.find('&', start) - start);
    };
    if (fail_before > 0) {
      --fail_before;
      HttpResponse failed = HttpResponse::json(fail_status, "{}");
      if (!expiry.empty()) failed.headers.set("X-Ratelimit-Expiry", expiry);
      return failed;
    }
    if (value("quantity") == "5000") {
      return HttpResponse::json(
          400, R"({"errors":{"error":["Backoffice rejected override","Buying power"]}})");
    }
    const auto id = static_cast<std::int64_t>(1000 + orders.size() + on_their_way.size());
    (late ? on_their_way : orders)[id] = {{"id", id},
                                          {"type", value("type")},
                                          {"symbol", value("symbol")},
                                          {"side", value("side")},
                                          {"quantity", std::stod(value("quantity"))},
                                          {"status", "open"},
                                          {"duration", value("duration")},
                                          {"avg_fill_price", 0.0},
                                          {"exec_quantity", 0.0},
                                          {"class", "equity"},
                                          {"tag", value("tag")},
                                          {"create_date", "2018-06-01T12:02:29.682Z"}};
    if (late || fail_after > 0) {
      --fail_after;
      return HttpResponse::json(504, "{}");
    }
    return HttpResponse::json(200,
                              boost::json::serialize(boost::json::object{
                                  {"order", {{"id", id}, {"status", "ok"}, {"partner_id", "p"}}}}));
  }
  static HttpResponse json_reply(const boost::json::value& body) {
    return HttpResponse::json(200, boost::json::serialize(body));
  }
  // An object for one, a list for more, the text "null" for none: as Tradier does it. A page has 25
  // orders unless the caller asks for another number.
  HttpResponse list(const HttpRequest& request) {
    ++lists;
    EXPECT_EQ(request.query_param("includeTags").value_or(""), "true");
    const auto number = [&](std::string_view name, std::size_t otherwise) {
      const auto given = request.query_param(name);
      return given ? static_cast<std::size_t>(std::atoll(std::string(*given).c_str())) : otherwise;
    };
    const std::size_t limit = pages ? std::min(number("limit", 25), largest_page) : orders.size();
    const std::size_t first = pages ? (number("page", 1) - 1) * limit : 0;
    boost::json::array all;
    std::size_t at = 0;
    for (const auto& [id, one] : orders) {
      if (at >= first && all.size() < limit) all.push_back(one);
      ++at;
    }
    if (all.empty()) return json_reply({{"orders", "null"}});
    if (all.size() == 1) return json_reply({{"orders", {{"order", all.front()}}}});
    return json_reply(
        boost::json::object{{"orders", boost::json::object{{"order", std::move(all)}}}});
  }
  boost::json::object* find(const HttpRequest& request) {
    const auto at = orders.find(std::atoll(std::string(*request.path_param("id")).c_str()));
    return at == orders.end() ? nullptr : &at->second;
  }
  HttpResponse one(const HttpRequest& request) {
    const boost::json::object* found = find(request);
    if (found == nullptr) return HttpResponse::text(404, "order not found");
    return json_reply(boost::json::object{{"order", *found}});
  }
  HttpResponse cancel(const HttpRequest& request) {
    boost::json::object* found = find(request);
    if (found == nullptr) return HttpResponse::text(404, "order not found");
    if (refuses_to_cancel) return HttpResponse::text(400, "order cannot be canceled at this time");
    if (found->at("status").as_string() != "open") {
      return HttpResponse::text(400, "order already in finalized state");
    }
    (*found)["status"] = "canceled";
    return json_reply(boost::json::object{{"order", {{"id", found->at("id")}, {"status", "ok"}}}});
  }
  HttpResponse balances(const HttpRequest&) {
    return HttpResponse::json(200, R"({"balances":{"account_number":"VA1","account_type":"margin",
      "total_equity":17798.36,"total_cash":14343.78,"margin":{"stock_buying_power":28687.56}}})");
  }
  HttpResponse positions(const HttpRequest&) {
    return HttpResponse::json(200, R"({"positions":{"position":{"cost_basis":2070.1,"id":130089,
      "date_acquired":"2018-08-08T14:41:11.405Z","quantity":10.0,"symbol":"AAPL"}}})");
  }
  HttpResponse quotes(const HttpRequest&) {
    return HttpResponse::json(200, R"({"quotes":{"quote":{"symbol":"AAPL","last":208.5}}})");
  }

  net::Runtime runtime_{"tradier", 1};
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace alphaswarm::trading
