#include "alphaswarm/trading/paper/left_orders.hpp"

#include <fmt/format.h>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/base/random.hpp"
#include "alphaswarm/trading/paper/order_change.hpp"
#include "alphaswarm/trading/paper/order_tracker.hpp"

namespace alphaswarm::trading::paper {

namespace otel = alphaswarm::observability;

namespace {

constexpr std::string_view kPart = "paper";

Broker* broker_of(const Services& services, std::string_view venue) {
  if (venue == "alpaca") return services.live.alpaca;
  return venue == "tradier" ? services.live.tradier : nullptr;
}

// One order, while it is looked at.
class LeftOrder {
 public:
  LeftOrder(Services& services, Broker& broker, persistence::OrderRow row)
      : database_(*services.database), broker_(broker), row_(std::move(row)) {
    otel::SpanOptions options;
    options.provider = services.provider;
    options.root = true;
    span_ = otel::span("paper.order.follow_up", options,
                       {{"order.client_id", row_.client_order_id},
                        {"alphaswarm.run_id", row_.run_id},
                        {"broker.venue", row_.venue}});
  }

  // True: look again.
  net::task<Result<bool>> look() {
    Result<Order> order = co_await find();
    if (order && !is_final(order->status)) {
      OrderId id = order->id;
      // Whether that was in time is told by the next look.
      std::ignore = co_await broker_.cancel_order(id);
      order = co_await broker_.query_order(std::move(id));
    }
    if (order) co_return keep(*order);
    if (order.error().code == ErrorCode::cancelled) co_return std::unexpected(order.error());
    span_.error(order.error().message);
    log_warning(kPart,
                fmt::format("order.client_id={}: {}", row_.client_order_id, order.error().message));
    // What the venue has named and denies now, or does not tell us: not before the next start.
    if (order.error().code == ErrorCode::unauthenticated) co_return false;
    if (order.error().code != ErrorCode::not_found) co_return true;
    co_return row_.broker_order_id.empty() ? wait_for_it() : note_denial();
  }

 private:
  net::task<Result<Order>> find() {
    if (row_.broker_order_id.empty()) {
      ClientOrderId name{row_.client_order_id};
      co_return co_await broker_.query_order(std::move(name));
    }
    OrderId id{row_.broker_order_id};
    co_return co_await broker_.query_order(std::move(id));
  }
  Result<bool> keep(const Order& order) {
    const BrokerUpdate told{"", order, std::nullopt, ""};
    const auto kept = keep_told(database_, row_.client_order_id, told);
    if (!kept) return std::unexpected(kept.error());
    span_.set("order.status", to_string(order.status));
    return !is_final(order.status);
  }
  // It stays open: most likely the credentials are of another account now, and when they are right
  // again somebody has to cancel it.
  Result<bool> note_denial() {
    const Result<void> written = doubt(database_, row_, kDenied);
    if (!written) return std::unexpected(written.error());
    return false;
  }
  Result<bool> wait_for_it() {
    const Unseen known = unseen(broker_, row_.created_at, row_.created_at);
    if (known == Unseen::on_its_way) return true;
    const Result<void> written = known == Unseen::never_came
                                     ? end_unplaced(database_, row_, kNeverCame)
                                     : doubt(database_, row_, kUnknown);
    if (!written) return std::unexpected(written.error());
    return false;
  }

  persistence::Database& database_;
  Broker& broker_;
  const persistence::OrderRow row_;
  otel::Span span_;  // of this look
};

}  // namespace

net::task<void> follow_left_orders(Services& services) {
  if (services.live.alpaca == nullptr && services.live.tradier == nullptr) co_return;
  for (int looked = 1;; ++looked) {
    const auto rows = persistence::OrderRepository(*services.database).left_open();
    if (!rows) log_warning(kPart, "orders that were left open: " + rows.error().message);
    bool again = !rows;
    for (const persistence::OrderRow& row : rows.value_or(std::vector<persistence::OrderRow>())) {
      Broker* broker = broker_of(services, row.venue);
      if (broker == nullptr) {
        log_warning(kPart, fmt::format("order.client_id={} was left open at {}, which is not "
                                       "configured",
                                       row.client_order_id, row.venue));
        continue;
      }
      LeftOrder order(services, *broker, row);
      const Result<bool> more = co_await order.look();
      if (!more && more.error().code == ErrorCode::cancelled) co_return;
      again = again || more.value_or(true);
    }
    if (!again) co_return;
    const Result<void> waited =
        co_await net::sleep_for(backoff(services.retry, looked, thread_random().uniform()));
    if (!waited) co_return;
  }
}

}  // namespace alphaswarm::trading::paper
