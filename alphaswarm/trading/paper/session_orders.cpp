// The orders of a session at a live venue, between their submission and their end.
//
// A live market cannot be played again, so nothing is left to chance by a crash: each order is
// written down before it leaves, and what the venue did meanwhile is asked for. Updates of the
// order stream only make that earlier: an order is never ahead of what its row says, however often
// an update is told. What nobody has seen is not said: an order that the venue does not show is
// given time to arrive, and where the venue would not show it anyway its fate stays open.

#include <fmt/format.h>

#include <algorithm>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/trading/paper/session_run.hpp"

namespace alphaswarm::trading::paper {

namespace json = boost::json;

namespace {

// A venue that knows client ids is sent an order that had no answer once more, this long; the other
// is only asked, while it may be on its way (kOnItsWay). At the end of a session nothing is sent
// any more, and the venue that knows client ids is asked for this long.
constexpr std::chrono::seconds kSentAgainWithin(60);
constexpr std::chrono::seconds kOnItsWayAtTheEnd(3);
// How often such an order is asked for between bars.
constexpr std::chrono::seconds kAskAgainAfter(2);

// The session cannot go on.
bool ends_it(ErrorCode code) {
  return code == ErrorCode::cancelled || code == ErrorCode::unauthenticated;
}

}  // namespace

net::task<void> SessionRun::take_live(const BrokerUpdate& told) {
  for (const BrokerUpdate& one : orders_.news(told)) co_await take(one);
}

// What the stream has told since the last time.
net::task<Result<void>> SessionRun::hear_of_orders() {
  if (!follower_) co_return Result<void>();
  for (const BrokerUpdate& update : follower_->take()) co_await take_live(update);
  if (follower_->take_gap()) {
    const Result<void> asked = co_await ask_about_orders();
    if (!asked) co_return asked;
  }
  if (recorder_.has_orders()) co_return flush();
  co_return Result<void>();
}

// Before each bar: so that a decision rests on what the venue did, and a lost update costs no more
// than a bar.
net::task<Result<void>> SessionRun::ask_about_orders() {
  for (const auto& [client_id, id] : orders_.open_orders()) {
    const Result<void> asked = co_await ask_about(client_id, id);
    if (!asked) co_return asked;
  }
  co_return Result<void>();
}

// Between bars: no stream tells of an order that may not have arrived.
net::task<Result<void>> SessionRun::ask_about_unanswered() {
  if (!follower_ || monotonic_ns() < ask_again_at_ns_) co_return Result<void>();
  ask_again_at_ns_ = monotonic_ns() + std::chrono::nanoseconds(kAskAgainAfter).count();
  for (const auto& [client_id, id] : orders_.open_orders()) {
    if (!id.value.empty() || doubted_.contains(client_id)) continue;
    const Result<void> asked = co_await ask_about(client_id, id);
    if (!asked) co_return asked;
  }
  if (recorder_.has_orders()) co_return flush();
  co_return Result<void>();
}

net::task<Result<void>> SessionRun::ask_about(std::string client_id, OrderId id) {
  const bool unknown = id.value.empty();
  if (!unknown) co_await cancel_withdrawn(client_id, id);
  Result<Order> order;
  if (unknown) {
    ClientOrderId name{client_id};
    order = co_await broker_->query_order(std::move(name));
  } else {
    order = co_await broker_->query_order(std::move(id));
  }
  if (order && unknown && !is_final(order->status) && withdrawn_.contains(client_id)) {
    // It has appeared, and nobody wants it any more.
    OrderId found = order->id;
    co_await cancel_withdrawn(client_id, found);
    Result<Order> then = co_await broker_->query_order(std::move(found));
    if (then) order = std::move(then);
  }
  if (order) {
    const BrokerUpdate told{"", *order, std::nullopt, ""};
    co_await take_live(told);
    co_return Result<void>();
  }
  if (unknown && order.error().code == ErrorCode::not_found) {
    co_return co_await follow_unknown(std::move(client_id));
  }
  if (ends_it(order.error().code)) co_return std::unexpected(order.error());
  log_warning("paper", fmt::format("order.client_id={}: {}", client_id, order.error().message));
  co_return Result<void>();
}

// Asks the venue to cancel an order that is to be cancelled, until it has agreed once. It may have
// been filled before that came: what the venue says of it afterwards is true.
net::task<void> SessionRun::cancel_withdrawn(const std::string& client_id, const OrderId& id) {
  const auto wanted = withdrawn_.find(client_id);
  if (wanted == withdrawn_.end() || wanted->second) co_return;
  const Result<void> cancelled = co_await broker_->cancel_order(id);
  wanted->second = cancelled || cancelled.error().code == ErrorCode::conflict;
  if (wanted->second) co_return;
  log_warning("paper", fmt::format("order.client_id={} was not cancelled: {}", client_id,
                                   cancelled.error().message));
}

bool SessionRun::may_be_on_its_way(const persistence::OrderRow& row) const {
  if (ending_ && broker_->knows_client_ids()) {
    return monotonic_ns() - settling_since_ns_ <
           std::chrono::nanoseconds(kOnItsWayAtTheEnd).count();
  }
  const std::chrono::nanoseconds limit = broker_->knows_client_ids()
                                             ? std::chrono::nanoseconds(kSentAgainWithin)
                                             : std::chrono::nanoseconds(kOnItsWay);
  return unseen(*broker_, row.created_at, row.created_at, limit) == Unseen::on_its_way;
}

void SessionRun::close_unplaced(const std::string& client_id, std::string_view why) {
  orders_.close(client_id, OrderStatus::rejected, why);
  const ClientOrderId name{client_id};
  loop_->on_order_closed(name, OrderStatus::rejected, why, now_unix());
}

// Its row stays open, so that it is asked for again and its symbol is not traded meanwhile.
void SessionRun::doubt(const std::string& client_id) {
  if (!doubted_.insert(client_id).second) return;
  log_warning("paper",
              fmt::format("run {}: order.client_id={} is {}", run_id_, client_id, kUnknown));
  orders_.doubt(client_id, kUnknown);
  note(LedgerType::meta, "error", fmt::format("order {} is {}", client_id, kUnknown),
       {{"client_order_id", client_id}});
}

bool SessionRun::waits_for_orders() const {
  return std::ranges::any_of(orders_.open_orders(),
                             [this](const auto& order) { return !doubted_.contains(order.first); });
}

// The venue does not show an order whose submission had no answer, or was cut off by a crash.
net::task<Result<void>> SessionRun::follow_unknown(std::string client_id) {
  const persistence::OrderRow* row = orders_.row_of(client_id);
  if (row == nullptr) co_return Result<void>();
  if (!may_be_on_its_way(*row)) {
    if (broker_->shows_orders_since(row->created_at)) {
      close_unplaced(client_id, kNeverCame);
    } else {
      doubt(client_id);
    }
    co_return Result<void>();
  }
  const bool wanted = !stopping() && !withdrawn_.contains(client_id);
  if (!wanted || !broker_->knows_client_ids()) co_return Result<void>();  // it is asked for again
  Result<OrderRequest> request = request_of(*row, row->quantity);
  if (!request) co_return std::unexpected(request.error());
  const Result<KillSwitchState> state = co_await kill_switch_.state();
  if (!state || state->engaged) co_return Result<void>();
  const Result<Order> order = co_await broker_->submit_order(std::move(*request));
  if (order) {
    const BrokerUpdate told{"", *order, std::nullopt, ""};
    co_await take_live(told);
    co_return Result<void>();
  }
  if (ends_it(order.error().code)) co_return std::unexpected(order.error());
  log_warning("paper", fmt::format("order.client_id={}: {}", client_id, order.error().message));
  if (is_refusal(order.error().code)) close_unplaced(client_id, order.error().message);
  co_return Result<void>();
}

}  // namespace alphaswarm::trading::paper
