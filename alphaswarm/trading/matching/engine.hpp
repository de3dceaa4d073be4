#pragma once

// The one place where orders become fills. The backtest calls it directly, the simulated exchange
// serves it over HTTP; the same orders over the same bars give the same fills in both.
//
// Rules (all prices per share; a bar is met only by orders submitted before it):
//   market      at the bar's open, with slippage
//   stop        triggers at the open if that is at or beyond the stop, else at the stop if the
//               bar's range reaches it; fills there, with slippage
//   limit       at the open if that is as good as the limit or better, else at the limit if the
//               range reaches it; no slippage: a limit is never filled worse than it says
//   stop_limit  triggers like a stop, then is a limit order from the trigger price on: in its
//               trigger bar it fills only at that price (nobody knows what the bar did next, except
//               when it triggered at the open), later like any limit
//   slippage    a buy pays price × (1 + bps/10000), a sell gets price × (1 − bps/10000), rounded
//               half away from zero at the eighth decimal
//   commission  rate × price × quantity, each product rounded the same way
//   day         ends with the bar (intervals of a day and more), or when a bar of a later UTC date
//               than the first it met arrives
//   ioc         may fill at the open of the first bar it meets; the rest is cancelled
// Buying power = leverage × equity − gross exposure − what open orders would add. An order whose
// opening part costs more is rejected: at once, judged by its limit or stop price or the last
// close; and again at its fill, judged by the price it would get.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "alphaswarm/trading/market/portfolio.hpp"
#include "alphaswarm/trading/market/types.hpp"

namespace alphaswarm::trading {

struct MatchingConfig {
  Money initial_cash{Decimal::from_units(100'000 * Decimal::kScale)};
  Decimal slippage_bps = Decimal::from_units(2 * Decimal::kScale);
  Decimal commission_rate = Decimal::from_units(Decimal::kScale / 2'000);  // 0.0005 of notional
  Decimal leverage = Decimal::from_units(Decimal::kScale);                 // 1: a cash account
  bool allow_short = false;  // if not, selling more than is held is rejected
  // An order fills at most this share of its quantity in one bar (rounded up to whole shares),
  // the rest in later ones; 1: all at once.
  Decimal max_fill_share = Decimal::from_units(Decimal::kScale);
  Interval interval = Interval::day;
  std::uint64_t id_seed = 0;  // order ids are UUIDs made of this and a running number
};

// One sentence naming the field, its value and the range.
[[nodiscard]] Result<void> validate(const MatchingConfig& config);

enum class OrderEvent : std::uint8_t { fill, partial_fill, cancelled, expired, rejected };
[[nodiscard]] std::string_view to_string(OrderEvent event) noexcept;

// What a bar did to an order; `order` is its state right after.
struct OrderUpdate {
  OrderEvent event;
  Order order;
  std::optional<Fill> fill;
};

// One account's orders, cash and positions. Deterministic: no clock, no randomness, no threads.
class MatchingEngine {
 public:
  [[nodiscard]] static Result<MatchingEngine> create(const MatchingConfig& config);
  // Continues an earlier account instead of starting with `initial_cash`.
  [[nodiscard]] static Result<MatchingEngine> create(const MatchingConfig& config,
                                                     Portfolio portfolio);

  // Errors: invalid_argument for a malformed request, already_exists for a client id seen before
  // (its order is unchanged; find it by client id). A refusal by the account (buying power, short
  // sale) is not an error: the order comes back `rejected`, with the reason, and is kept.
  [[nodiscard]] Result<Order> submit(const OrderRequest& request, UnixNanos now);
  // Errors: not_found; conflict if the order is final already.
  [[nodiscard]] Result<Order> cancel(const OrderId& id, UnixNanos now);

  // Ends an open order as cancelled, with the reason "replaced by …", and submits `request` in its
  // stead; if that comes back rejected, or is an error, the old order goes on as it was, and the
  // new one is not kept. Errors: as submit and cancel.
  [[nodiscard]] Result<Order> replace(const OrderId& id, const OrderRequest& request,
                                      UnixNanos now);

  // Meets the open orders of these symbols with their bars, in the order of submission, then marks
  // positions at the closes. At most one bar a symbol; bars of one symbol must come in time order.
  [[nodiscard]] std::vector<OrderUpdate> advance(std::span<const SymbolBar> bars);

  [[nodiscard]] const Order* find(const OrderId& id) const noexcept;
  [[nodiscard]] const Order* find(const ClientOrderId& id) const noexcept;
  [[nodiscard]] const std::vector<Order>& orders() const noexcept { return orders_; }
  [[nodiscard]] std::vector<Order> open_orders() const;
  [[nodiscard]] bool has_open_orders() const noexcept { return !open_.empty(); }

  [[nodiscard]] const Portfolio& portfolio() const noexcept { return portfolio_; }
  [[nodiscard]] const MatchingConfig& config() const noexcept { return config_; }
  [[nodiscard]] Money buying_power() const noexcept;

 private:
  struct OpenOrder {
    std::size_t index;  // into orders_
    bool triggered = false;
    bool met = false;            // a bar has reached it
    std::int64_t first_day = 0;  // UTC days since the epoch, of the first bar it met
    Price reserve_price;         // by which its buying power is reserved
  };
  struct Match {
    Price price;
    bool slips;
  };

  MatchingEngine(const MatchingConfig& config, Portfolio portfolio)
      : config_(config), portfolio_(std::move(portfolio)) {}

  std::optional<Match> match(const Order& order, OpenOrder& open, const Bar& bar) const;
  void meet(OpenOrder& open, const Bar& bar, std::vector<OrderUpdate>& updates);
  void finish(Order& order, OrderStatus status, std::string reason, UnixNanos now,
              std::vector<OrderUpdate>& updates) const;
  void fill(Order& order, Price price, Quantity quantity, const Bar& bar,
            std::vector<OrderUpdate>& updates);
  // The sentence why the account cannot take it, or nothing. `index` is the order's own.
  std::optional<std::string> refusal(const OrderRequest& request, Quantity quantity, Price price,
                                     std::size_t index) const;
  Quantity opening_part(const VtSymbol& symbol, Side side, Quantity quantity,
                        std::size_t before) const noexcept;
  Money reserved(std::size_t except) const noexcept;
  Price reference_price(const OrderRequest& request) const noexcept;
  Price slipped(Price price, Side side) const noexcept;
  OrderId next_id();

  MatchingConfig config_;
  Portfolio portfolio_;
  std::vector<Order> orders_;  // every order ever submitted, oldest first
  std::vector<OpenOrder> open_;
  std::map<std::string, std::size_t, std::less<>> by_client_id_;
  std::map<VtSymbol, Price> last_close_;
};

}  // namespace alphaswarm::trading
