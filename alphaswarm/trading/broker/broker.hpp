#pragma once

// The one interface to a venue that takes orders. Each method is a span `broker.<method>` with
// broker.venue (and order.id, order.client_id where there is an order).

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/net/coroutine.hpp"
#include "alphaswarm/trading/market/types.hpp"

namespace alphaswarm::trading {

struct BrokerAccount {
  std::string id;
  std::string status;  // "ACTIVE"
  Money cash, equity, buying_power;
};

struct BrokerPosition {
  VtSymbol symbol;
  Quantity quantity;  // negative: short
  Price average_cost;
  Price mark;
};

// What happened to an order, as the venue tells it.
struct BrokerUpdate {
  std::string event;  // "new", "fill", "partial_fill", "canceled", "expired", "rejected", …
  Order order;        // right after it
  std::optional<Fill> fill;
  std::string execution_id;  // of the fill; the same if it is told twice
};

// Updates of an account's orders from when it was opened. Used by one task.
class OrderUpdateStream {
 public:
  virtual ~OrderUpdateStream() = default;
  // nullopt: the venue ended the stream in good order. After an error the stream is over: open
  // another and ask for the orders, since updates in between are not repeated.
  [[nodiscard]] virtual net::task<Result<std::optional<BrokerUpdate>>> next() = 0;
  virtual net::task<void> close() = 0;
};

// Whether an error of submit_order is the venue's own no. After any other one the order may be
// there, or get there yet.
[[nodiscard]] constexpr bool is_refusal(ErrorCode code) noexcept {
  return code == ErrorCode::invalid_argument || code == ErrorCode::unauthenticated ||
         code == ErrorCode::permission_denied || code == ErrorCode::not_found ||
         code == ErrorCode::conflict || code == ErrorCode::already_exists;
}

// Thread-safe. Transport errors and refusals of the moment are tried again within each call (see
// RetryPolicy); what comes back after that is final for now: unavailable. Other errors:
// unauthenticated, invalid_argument (the venue calls the request malformed), not_found, conflict,
// cancelled when the task is asked to stop.
class Broker {
 public:
  virtual ~Broker() = default;

  [[nodiscard]] virtual std::string_view venue() const noexcept = 0;  // "sim", "alpaca", …
  // Whether the venue itself refuses a second order with a client id it has seen, so that an order
  // of unknown fate may be submitted again at any time.
  [[nodiscard]] virtual bool knows_client_ids() const noexcept = 0;
  // Whether query_order by client id would find any order that came at that time, whatever became
  // of it. Where not, not_found does not say that it never came.
  [[nodiscard]] virtual bool shows_orders_since(UnixNanos) const noexcept { return true; }
  // Proves that the venue answers and accepts the credentials.
  virtual net::task<Result<void>> connect() = 0;
  virtual net::task<Result<void>> disconnect() = 0;

  // The order as the venue has it. At most one order has the request's client id, however often
  // this is called: if the venue knows it already, that order comes back (already_exists if it is
  // a different one). A refusal by the account (buying power, short sale) is not an error: the
  // order comes back `rejected`, with the reason. An answer that cannot be read leaves open what
  // became of the order: unavailable.
  virtual net::task<Result<Order>> submit_order(OrderRequest request) = 0;
  // Success also if it was cancelled before; conflict if it ended otherwise; unavailable if it is
  // open and the venue does not cancel it now.
  virtual net::task<Result<void>> cancel_order(OrderId id) = 0;
  virtual net::task<Result<Order>> query_order(OrderId id) = 0;
  virtual net::task<Result<Order>> query_order(ClientOrderId id) = 0;
  virtual net::task<Result<std::vector<Order>>> query_open_orders() = 0;
  virtual net::task<Result<std::vector<BrokerPosition>>> query_positions() = 0;
  virtual net::task<Result<BrokerAccount>> query_account() = 0;
  virtual net::task<Result<std::unique_ptr<OrderUpdateStream>>> stream_order_updates() = 0;
  // What was learnt of other orders while one was submitted, and is told nowhere else; each once.
  [[nodiscard]] virtual std::vector<BrokerUpdate> take_news() { return {}; }
};

// How long an order whose submission had no answer may still arrive at a venue.
inline constexpr std::chrono::minutes kOnItsWay(10);

// What is known of such an order when the venue does not show it.
enum class Unseen : std::uint8_t {
  on_its_way,  // it may arrive yet
  never_came,
  unknown,  // it may have been there: the venue no longer shows orders of the day it was first sent
};
// Unless it never came, a venue that does not know client ids MUST NOT be sent it again.
[[nodiscard]] inline Unseen unseen(const Broker& broker, UnixNanos first_sent, UnixNanos last_sent,
                                   std::chrono::nanoseconds on_its_way = kOnItsWay) {
  if (now_unix().value - last_sent.value < on_its_way.count()) return Unseen::on_its_way;
  return broker.shows_orders_since(first_sent) ? Unseen::never_came : Unseen::unknown;
}

}  // namespace alphaswarm::trading
