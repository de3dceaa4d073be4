// A live session in a process of its own, killed and killed again: bars and orders by Alpaca's
// protocol, from and at the simulated exchange, which the test moves.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <csignal>
#include <map>
#include <thread>

#include "alphaswarm/base/time.hpp"
#include "tests/integration/apart.hpp"

namespace alphaswarm::testing {
namespace {

namespace json = boost::json;

constexpr int kBars = 40;

// The market of the account that our services trade with. Its minutes are those to come: a session
// at a live venue trades on no bar that is old.
class Market {
 public:
  explicit Market(const Apart& system)
      : url_(system.exchange.url()), http_(url_), start_{now_unix().value / kMinute * kMinute} {}

  [[nodiscard]] std::string start() const { return to_rfc3339(start_); }
  [[nodiscard]] int moved() const noexcept { return moved_; }
  void move() {
    const auto price = [](double minute) {
      return std::round(100 * (100 + 6 * std::sin(minute / 3) + 3 * std::sin(minute))) / 100;
    };
    const double open = price(moved_);
    const double close = price(moved_ + 0.8);
    const json::object bar{{"symbol", "SWING.US"},
                           {"t", to_rfc3339({start_.value + moved_ * kMinute})},
                           {"o", open},
                           {"h", std::max(open, close) + 1},
                           {"l", std::min(open, close) - 1},
                           {"c", close},
                           {"v", 100'000}};
    const json::object body{{"bar_index", moved_++}, {"bars", json::array{bar}}};
    const auto reply = call("POST", "/sim/v1/advance", json::serialize(body));
    ASSERT_EQ(reply.status, 200) << reply.body;
  }
  // Each line: client id, venue's id, status, filled.
  std::string orders() {
    const auto reply = call("GET", "/v2/orders?status=all&limit=500&direction=asc");
    std::map<std::string, std::string> lines;
    for (const json::value& one : reply.json().as_array()) {
      const std::string id(one.at("client_order_id").as_string());
      const std::string_view status(one.at("status").as_string());
      const std::string line = id + '|' + one.at("id").as_string().c_str() + '|' +
                               std::string(status == "canceled" ? "cancelled" : status) + '|' +
                               one.at("filled_qty").as_string().c_str() + '\n';
      EXPECT_TRUE(lines.emplace(id, line).second) << "twice at the exchange: " << id;
    }
    std::string all;
    for (const auto& [id, line] : lines) all += line;
    return all;
  }

 private:
  static constexpr std::int64_t kMinute = 60'000'000'000;

  Http::Reply call(std::string method, const std::string& path, std::string body = {}) {
    net::ClientRequest request;
    request.method = std::move(method);
    request.url = url_ + path;
    request.headers.set("APCA-API-KEY-ID", kLiveKey);
    request.headers.set("APCA-API-SECRET-KEY", "secret");
    request.body = std::move(body);
    return http_.send(std::move(request));
  }

  std::string url_;
  Http http_;
  UnixNanos start_;
  int moved_ = 0;
};

json::object start_live(Apart& system, const Market& market) {
  const json::object config = {
      {"session", {{"universe", {"SWING.US"}}, {"initial_cash", 100000}, {"max_bars", kBars}}},
      {"strategy",
       {{"name", "mean_reversion"}, {"params", {{"lookback", 5}, {"z_threshold", 0.8}}}}},
      {"brokerage", {{"venue", "alpaca"}}},
      {"feed", {{"kind", "alpaca"}, {"params", {{"interval", "1m"}, {"start", market.start()}}}}}};
  const auto reply = system.api().post("/paper/start", {{"config", config}, {"run_name", "live"}});
  EXPECT_EQ(reply.status, 202) << reply.body;
  return reply.json().as_object();
}

class LiveSession {
 public:
  LiveSession(Apart& system, Market& market)
      : system_(system), market_(market), accepted_(start_live(system, market)) {}

  // Its row when it has ended.
  json::object end() {
    const auto reply = system_.api().poll(path(), [](const Http::Reply& one) {
      return one.status == 200 && one.json().at("status").as_string() == "completed";
    });
    return reply.json().as_object();
  }
  // Moves the market until the session has seen `bars` bars, or is over. Whatever it did not hear,
  // because it was not there, it asks for when it hears the next.
  void play(int bars) {
    while (market_.moved() < 4 * kBars) {
      market_.move();
      int seen = 0;
      for (int i = 0; i < 100 && seen < market_.moved(); ++i) {
        seen = bars_seen();
        if (seen >= bars) return;
        std::this_thread::sleep_for(milliseconds(20));
      }
    }
    FAIL() << "it has seen only " << bars_seen() << " bars of " << market_.moved();
  }

 private:
  [[nodiscard]] std::string path() const {
    return "/paper/runs/" + std::string(accepted_.at("task_id").as_string());
  }
  int bars_seen() {
    const auto reply = system_.api().get(path());
    return reply.status == 200 ? reply.json().at("bars_seen").to_number<int>() : 0;
  }

  Apart& system_;
  Market& market_;
  const json::object accepted_;
};

TEST(Live, AWorkerKilledInMidSessionLeavesEachOrderAtTheVenueOnce) {
  Apart system;
  Market market(system);
  LiveSession session(system, market);
  for (const int bars : {10, 22}) {
    session.play(bars);
    market.move();  // it is at work on this bar when it dies
    system.paper_worker().signal(SIGKILL);
    (void)system.paper_worker().wait();
    system.start_paper_worker();
  }
  session.play(kBars);
  const json::object row = session.end();
  EXPECT_EQ(row.at("status").as_string(), "completed") << row.at("error");
  EXPECT_EQ(row.at("bars_seen").to_number<int>(), kBars);
  const std::string run(row.at("id").as_string());
  const std::string where = " FROM orders WHERE run_id = '" + run + "' AND broker_order_id <> ''";
  EXPECT_EQ(system.sql("SELECT client_order_id, broker_order_id, status, "
                       "filled_quantity / 100000000" +
                       where + " ORDER BY client_order_id"),
            market.orders());
  EXPECT_GT(std::stoi(system.sql("SELECT count(*)" + where + " AND status = 'filled'")), 4);
  // What was filled is in table fills, once.
  EXPECT_EQ(system.sql("SELECT sum(quantity) FROM fills WHERE run_id = '" + run + "'"),
            system.sql("SELECT sum(filled_quantity)" + where));
}

}  // namespace
}  // namespace alphaswarm::testing
