// How a session ends, whatever ended it: open orders cancelled, spans closed, the last row written.

#include <fmt/format.h>

#include <boost/json/serialize.hpp>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/trading/paper/session_run.hpp"

namespace alphaswarm::trading::paper {

namespace json = boost::json;
namespace otel = alphaswarm::observability;

namespace {

// An exchange that is gone must not hold up the end.
constexpr std::chrono::milliseconds kSettleWithin(800);
constexpr std::chrono::milliseconds kSettleLiveWithin(5'000);
constexpr std::chrono::milliseconds kAskAgainAfter(200);
constexpr std::chrono::milliseconds kGoodbyeWithin(200);

net::task<void> ignore_result(net::task<Result<void>> work) {
  std::ignore = co_await std::move(work);
}

net::task<void> time_limit(std::chrono::nanoseconds limit) {
  std::ignore = co_await net::sleep_for(limit);
}

}  // namespace

net::task<void> SessionRun::cancel_one(std::string client_id, OrderId id, std::string reason) {
  if (config_.live_venue()) {
    // Whether it is there already or appears later: see ask_about.
    withdrawn_.try_emplace(client_id, false);
    std::ignore = co_await ask_about(std::move(client_id), std::move(id));
    co_return;
  }
  const ClientOrderId name{client_id};
  if (id.value.empty()) {
    // Its submission had no answer.
    const Result<Order> known = co_await broker_->query_order(name);
    if (!known && known.error().code == ErrorCode::not_found) {
      close_unplaced(client_id, "it never reached the exchange");
    }
    if (!known) co_return;
    id = known->id;
  }
  const Result<void> cancelled = co_await broker_->cancel_order(id);
  if (!cancelled) {
    log_warning("paper", fmt::format("order.client_id={} was not cancelled: {}", client_id,
                                     cancelled.error().message));
    co_return;
  }
  bar_spans_.emplace_back(client_id, orders_.span_of(client_id));
  orders_.close(client_id, OrderStatus::cancelled, reason);
  loop_->on_order_closed(name, OrderStatus::cancelled, reason, now_unix());
}

net::task<void> SessionRun::cancel_open_orders(std::string reason) {
  for (const auto& [client_id, id] : orders_.open_orders()) {
    co_await cancel_one(client_id, id, reason);
  }
}

// Brings the session's books to what the exchange did, then ends what is open there. A step whose
// answer was cut off may have filled orders: the same step again tells, and does nothing twice.
net::task<void> SessionRun::settle(std::string reason) {
  if (broker_ == nullptr) co_return;
  if (!unanswered_.empty()) {
    const Result<SimStep> step = co_await sim_->advance(next_index_, unanswered_);
    if (step) {
      ++next_index_;
      for (const BrokerUpdate& update : step->updates) co_await take(update);
    }
    unanswered_.clear();
  }
  settling_since_ns_ = monotonic_ns();
  co_await cancel_open_orders(std::move(reason));
  // A live venue takes a moment to cancel, and to show an order that was on its way.
  while (config_.live_venue() && waits_for_orders()) {
    const Result<void> slept = co_await net::sleep_for(kAskAgainAfter);
    if (!slept || !co_await ask_about_orders()) co_return;
  }
}

net::task<void> SessionRun::finish() {
  if (!ending_) end_by_error(Error{ErrorCode::internal, "the session ended without a reason"});
  const Ending ending = *ending_;
  recorder_.begin_bar(Recorder::kAfterBars);
  if (!ending.left) {
    co_await set_status("stopping", ending.reason);
    std::string why = ending.reason.empty() ? "the session ended" : ending.reason;
    const auto limit = config_.live_venue() ? kSettleLiveWithin : kSettleWithin;
    std::ignore = co_await net::race(settle(std::move(why)), time_limit(limit));
  }
  orders_.leave_all(ending.left ? "the session resumes later" : "the venue did not confirm");
  json::object payload{{"status", ending.status},
                       {"bars_seen", row_.bars_seen},
                       {"orders", row_.orders_submitted},
                       {"fills", row_.fills}};
  note(LedgerType::meta, ending.status == "error" ? "error" : "info",
       fmt::format("session {}{}{}", ending.status, ending.reason.empty() ? "" : ": ",
                   ending.reason),
       std::move(payload));
  if (loop_) co_await write_ledger(otel::current_context());
  row_.status = ending.status;
  row_.status_reason = ending.reason;
  if (ending.status == "error") row_.error = ending.reason;
  if (!ending.left) row_.stopped_at = now_unix();
  // What is left for another worker goes on from the last saved state: this bar may be half done.
  // Replayed, it leaves the same rows again; a live venue may tell of a fill in another way.
  if (ending.left && config_.live_venue()) recorder_.forget();
  const Result<void> written = ending.left ? recorder_.commit(&row_) : flush();
  if (!written) {
    log_error("paper", fmt::format("the end of run {} was not written: {}", run_id_,
                                   written.error().message));
  }
  if (broker_ && !ending.left) {
    std::ignore =
        co_await net::race(ignore_result(broker_->disconnect()), time_limit(kGoodbyeWithin));
  }
  co_await progress_.state(ending.status, ending.reason);
  log_info("paper", fmt::format("run {} is {}{}{}: {} bars, {} orders, {} fills", run_id_,
                                ending.status, ending.reason.empty() ? "" : ", ", ending.reason,
                                row_.bars_seen, row_.orders_submitted, row_.fills));
}

SessionResult SessionRun::result() const {
  return {.run_id = run_id_,
          .trace_id = row_.trace_id,
          .status = row_.status,
          .reason = row_.status_reason,
          .bars_seen = row_.bars_seen,
          .orders = row_.orders_submitted,
          .fills = row_.fills,
          .initial_cash = Money(row_.initial_cash),
          .final_equity = Money(row_.final_equity.value_or(row_.initial_cash)),
          .realised = Money(row_.realised_pnl),
          .max_drawdown = row_.max_drawdown};
}

net::task<Result<SessionResult>> SessionRun::run(otel::Span& span) {
  try {
    log_info("paper", fmt::format("run {} {}: {} at {}", run_id_, resumed_ ? "resumes" : "starts",
                                  row_.strategy, row_.brokerage));
    const Result<void> opened = co_await open();
    if (!opened) {
      end_by_error(opened.error());
    } else if (!ending_) {
      co_await set_status("running", "");
      co_await play_watched();
    }
  } catch (const std::exception& error) {
    span.record_current_exception();
    end_by_error(Error{ErrorCode::internal, error.what()});
  }
  // Whatever asked this task to stop must not keep it from ending in order.
  co_await net::shielded(finish());
  if (ending_->error) {
    if (!ending_->left) span.error(ending_->error->message);
    co_return std::unexpected(*ending_->error);
  }
  co_return result();
}

}  // namespace alphaswarm::trading::paper
