#pragma once

// One account of the simulated exchange: its orders, its books and its own market. Sessions that
// run side by side each have one, so none sees another's bars or cash.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/net/channel.hpp"
#include "alphaswarm/trading/exchange/shapes.hpp"
#include "alphaswarm/trading/matching/engine.hpp"

namespace alphaswarm::trading::exchange {

struct AccountBounds {
  std::size_t max_orders = 100'000;
  std::size_t max_symbols = 1'000;
  // Replies of advance that can be asked for again. A session flushes its state more often than
  // that, so that one that resumes can always repeat the bars since.
  std::size_t kept_steps = 1'024;
  std::size_t max_listeners = 16;
  std::size_t listener_queue = 10'000;
  std::size_t kept_equity = 200'000;  // points of the portfolio history, one a step
};

// Where an account continues that the exchange has forgotten (it was restarted, the session was
// not): the session's own books after bar `bar_index`.
struct Restored {
  Portfolio portfolio{Money()};
  std::int64_t bar_index = -1;
  std::vector<SymbolBar> bars;  // the last of each symbol
};

// GET /v2/orders
struct OrderFilter {
  enum class State : std::uint8_t { open, closed, all } state = State::open;
  std::size_t limit = 50;
  bool ascending = false;
  std::optional<UnixNanos> after, until;  // by creation, both exclusive
  std::vector<std::string> symbols;
  std::optional<Side> side;
};

// GET /v2/account/portfolio/history
struct HistoryQuery {
  std::string period = "1M";  // back from the end, unless `start` is given
  std::string timeframe;      // empty: "1D" for more than a week, else "15Min"
  std::optional<UnixNanos> start, end;
};

// GET /v2/stocks/bars
struct BarsQuery {
  std::vector<std::string> symbols;
  std::string timeframe;  // "1Min", "1Day" …; bars come as they were fed, whatever it says
  std::optional<UnixNanos> start, end;
  std::size_t limit = 1'000;  // 1 to 10,000, over all symbols
  std::size_t offset = 0;     // from a page token
};

// The messages of one /stream connection; closed when it fell too far behind.
using Listener = std::shared_ptr<net::Channel<std::string>>;

// One connection of the data stream: its bars, and the names it wants (guarded by the account; "*"
// is all). Closed when it fell too far behind.
struct BarSubscription {
  explicit BarSubscription(std::size_t capacity) : queue(capacity) {}
  net::Channel<boost::json::array> queue;
  std::vector<std::string> names;
};
using BarListener = std::shared_ptr<BarSubscription>;

// What one call of advance brought; the same bytes when it is repeated.
struct Advanced {
  std::string body;
  bool repeated = false;
};

// Thread-safe: each call is one step of the market, never seen half done.
class Account {
 public:
  [[nodiscard]] static Result<std::shared_ptr<Account>> create(
      std::string key_id, const MatchingConfig& config, const AccountBounds& bounds,
      std::optional<Restored> restored = std::nullopt);

  // The order as it then is. Refusals by the account are 403, a known client id is 422, an account
  // that has not been opened and has seen no bar is 404.
  [[nodiscard]] ApiResult<boost::json::object> submit(std::string_view body);
  [[nodiscard]] ApiResult<boost::json::object> order(std::string_view id) const;
  [[nodiscard]] ApiResult<boost::json::object> order_by_client_id(std::string_view id) const;
  [[nodiscard]] boost::json::array orders(const OrderFilter& filter) const;
  // The cancelled order. 404 if unknown, 422 if it is final already.
  [[nodiscard]] ApiResult<boost::json::object> cancel(std::string_view id);
  boost::json::array cancel_all();  // [{"id", "status": 200}]
  // {"qty", "time_in_force", "limit_price", "stop_price", "client_order_id"}, all optional: ends
  // the order as `replaced` and answers with the new one. If the account cannot take that (403),
  // the old one goes on. 404 if unknown, 422 if it is final already.
  [[nodiscard]] ApiResult<boost::json::object> replace(std::string_view id, std::string_view body);

  [[nodiscard]] boost::json::object account() const;
  [[nodiscard]] boost::json::array positions() const;  // without closed ones
  [[nodiscard]] ApiResult<boost::json::object> position(std::string_view symbol) const;
  // Sells (or buys back) a position at the next open: all of it, `quantity` of it, or `percent`, of
  // whole shares a whole number. 403 for more than open orders leave of it.
  [[nodiscard]] ApiResult<boost::json::object> close_position(std::string_view symbol,
                                                              std::optional<Decimal> quantity = {},
                                                              std::optional<Decimal> percent = {});
  boost::json::array close_all_positions();  // [{"symbol", "status", "body"}]
  [[nodiscard]] boost::json::object configurations() const;
  // Changes some of them: suspend_trade (no new orders, 403) and what only is remembered. The terms
  // the account was opened with cannot be changed (422).
  [[nodiscard]] ApiResult<boost::json::object> configure(std::string_view body);
  [[nodiscard]] ApiResult<boost::json::object> portfolio_history(const HistoryQuery& query) const;
  [[nodiscard]] ApiResult<boost::json::object> bars(const BarsQuery& query) const;
  // By default 31 days from the market's today on.
  [[nodiscard]] ApiResult<boost::json::array> calendar(std::optional<UnixNanos> start,
                                                       std::optional<UnixNanos> end) const;
  [[nodiscard]] boost::json::array assets() const;
  [[nodiscard]] ApiResult<boost::json::object> asset(std::string_view symbol) const;
  [[nodiscard]] boost::json::object clock() const;

  // Its caller has asked for it, as POST /sim/v1/account does: its market may begin at any bar.
  void mark_opened();
  // {"bar_index": n, "bars": [{"symbol", "t", "o", "h", "l", "c", "v"}, …]}, or one bar as
  // {"bar_index", "symbol", "bar": {…}}. The bars of one instant: open orders meet them, then
  // positions are marked. A repeated index changes nothing and gets the first reply again; an
  // index that went by, or one that comes again with other bars, is 422. 404 if the market goes on
  // here without having begun: most likely the exchange was restarted and has forgotten it.
  [[nodiscard]] ApiResult<Advanced> advance(std::string_view body);

  [[nodiscard]] ApiResult<Listener> listen();
  [[nodiscard]] ApiResult<BarListener> listen_to_bars();
  // Adds or takes away names; all it then has.
  [[nodiscard]] std::vector<std::string> subscribe(const BarListener& listener,
                                                   const std::vector<std::string>& names, bool add);
  // Cuts the connections of both kinds of stream, as an outage would.
  void cut_streams();
  [[nodiscard]] std::int64_t last_bar_index() const;  // −1 before the first
  [[nodiscard]] bool used() const;                    // has seen a bar or an order
  [[nodiscard]] const std::string& key_id() const noexcept { return key_id_; }
  [[nodiscard]] const MatchingConfig& config() const noexcept { return engine_.config(); }

 private:
  struct Listing {
    std::int64_t last_index = -1;
    Bar last;
  };
  struct Step {
    std::int64_t index;
    std::vector<SymbolBar> bars;
    std::string body;
  };
  struct EquityPoint {
    UnixNanos time;
    Money equity;
  };
  struct Batch {
    std::int64_t index = 0;
    std::vector<SymbolBar> bars;
  };

  Account(std::string key_id, MatchingEngine engine, const AccountBounds& bounds)
      : key_id_(std::move(key_id)), bounds_(bounds), engine_(std::move(engine)) {}

  [[nodiscard]] static ApiResult<Batch> parse_batch(std::string_view body);
  // Whether the account takes another order at all, and has none of that client id.
  [[nodiscard]] ApiResult<void> may_place(const OrderRequest& request) const;
  [[nodiscard]] ApiResult<boost::json::object> place(const OrderRequest& request);
  [[nodiscard]] Quantity available(const VtSymbol& symbol) const;
  [[nodiscard]] ApiResult<boost::json::object> sell_off(const VtSymbol& symbol, Quantity held);
  [[nodiscard]] ApiResult<VtSymbol> listed(std::string_view symbol) const;
  [[nodiscard]] ApiResult<const Step*> earlier_step(const Batch& batch) const;
  [[nodiscard]] ApiResult<void> check_fresh(const Batch& batch) const;
  [[nodiscard]] std::string step(Batch batch);
  // As order_json, with what replaced it and what it replaces.
  [[nodiscard]] boost::json::object shape(const Order& order) const;
  [[nodiscard]] boost::json::object configurations_json() const;
  // Whether nobody opened it and nothing happened in it: it was made for a key that somebody used.
  [[nodiscard]] bool unopened() const noexcept { return !opened_ && last_index_ < 0; }
  void note_equity();
  void list(const VtSymbol& symbol, std::int64_t index, const Bar& bar);
  void publish(const boost::json::object& data);
  void publish(std::string_view event, const Order& order);
  void publish_bars(const std::vector<SymbolBar>& bars);
  [[nodiscard]] UnixNanos now() const noexcept;  // the market's time: of the last bar

  const std::string key_id_;
  const AccountBounds bounds_;
  mutable std::mutex mutex_;  // guards all below
  MatchingEngine engine_;
  bool opened_ = false;
  std::map<VtSymbol, Listing> listings_;
  std::int64_t last_index_ = -1;
  UnixNanos time_{};
  Money day_start_;
  std::deque<Step> steps_;
  std::deque<EquityPoint> equity_;
  std::map<std::string, std::string> replaced_by_, replaces_;  // order ids
  boost::json::object settings_;                               // what configure() changed
  std::vector<std::weak_ptr<net::Channel<std::string>>> listeners_;
  std::vector<std::weak_ptr<BarSubscription>> bar_listeners_;
};

}  // namespace alphaswarm::trading::exchange
