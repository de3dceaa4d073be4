// What may keep a session from going on: stop signals, the kill switch, the clock; and what the
// world is told about its state.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/trading/paper/session_run.hpp"

namespace alphaswarm::trading::paper {

namespace json = boost::json;
namespace otel = alphaswarm::observability;

namespace {
constexpr std::string_view kStopping = "the session is stopping";
// How often a halted session asks again, should no message tell it.
constexpr std::chrono::milliseconds kAskAgainAfter(500);
// How often one that waits for its next bar does.
constexpr std::chrono::seconds kPollKillSwitch(1);

// What is asked every second would be most of a session's trace. Whoever finds something asks
// again.
otel::Span unrecorded() {
  otel::SpanContext parent = otel::current_context();
  if (!parent.is_valid()) return {};
  parent.flags &= static_cast<std::uint8_t>(~otel::SpanContext::kSampled);
  otel::SpanOptions options;
  options.parent = &parent;
  return otel::span("paper.session.poll", options);
}
}  // namespace

void SessionRun::end(Ending ending) {
  if (!ending_) ending_ = std::move(ending);
}

void SessionRun::end_by_stop() {
  if (const auto reason = interrupts_.stop_reason()) {
    end({.status = "cancelled", .reason = *reason, .error = std::nullopt});
    return;
  }
  // Not a signal to this session: the worker, or the process, is stopping.
  if (!services_.resume_after_worker_stop) {
    end({.status = "cancelled", .reason = "the process is stopping", .error = std::nullopt});
    return;
  }
  const std::string reason = "its worker stopped; it resumes when another takes it";
  end({.status = "stale",
       .reason = reason,
       .error = Error{ErrorCode::cancelled, reason, true},
       .left = true});
}

bool SessionRun::stopping() {
  const bool asked = interrupts_.stop_reason() || net::this_task_stop_token().stop_requested();
  if (asked) end_by_stop();
  return ending_.has_value();
}

void SessionRun::end_by_error(const Error& error) {
  if (error.code == ErrorCode::cancelled) return end_by_stop();
  end({.status = "error", .reason = error.message, .error = error});
}

net::task<void> SessionRun::set_status(std::string status, std::string reason) {
  if (row_.status == status && row_.status_reason == reason) co_return;
  row_.status = status;
  row_.status_reason = reason;
  // Not fatal here: what cannot be written now is tried again at the next flush.
  std::ignore = flush();
  co_await progress_.state(std::move(status), std::move(reason));
}

Result<void> SessionRun::flush() {
  last_heartbeat_ns_ = monotonic_ns();
  row_.last_heartbeat_at = now_unix();
  if (ready_) {
    if (!mid_bar_) {
      row_.state_json = json::serialize(state());
      last_flush_bar_ = next_index_;
    }
    row_.final_equity = loop_->portfolio().equity().value();
    row_.realised_pnl = loop_->portfolio().realised().value();
  }
  return recorder_.commit(&row_);
}

// Waits for `limit`, an interrupt or the next heartbeat, whichever is first. False if this task was
// asked to stop.
net::task<bool> SessionRun::wait(std::chrono::nanoseconds limit) {
  const std::int64_t beat_in =
      last_heartbeat_ns_ + std::chrono::nanoseconds(config_.heartbeat).count() - monotonic_ns();
  const std::chrono::nanoseconds beat(std::max<std::int64_t>(0, beat_in));
  const bool go_on = co_await interrupts_.wait_for(std::min(limit, beat));
  if (monotonic_ns() - last_heartbeat_ns_ >= std::chrono::nanoseconds(config_.heartbeat).count()) {
    std::ignore = flush();
  }
  if (!go_on) end_by_stop();
  co_return go_on;
}

net::task<bool> SessionRun::gate(otel::Span& span) {
  bool halted = false;
  for (;;) {
    if (interrupts_.stop_reason()) {
      end_by_stop();
      co_return false;
    }
    const Result<KillSwitchState> state = co_await kill_switch_.state();
    if (!state && state.error().code == ErrorCode::cancelled) {
      end_by_stop();
      co_return false;
    }
    if (state && !state->engaged) break;
    const std::string reason = state ? "kill switch: " + state->reason : state.error().message;
    if (!halted) span.event("session.halted", {{"reason", reason}});
    halted = true;
    if (state) co_await cancel_open_orders(reason);
    co_await set_status("halted", reason);
    // What the venue says while it is halted is written down when it is heard.
    if (recorder_.has_orders()) std::ignore = flush();
    if (state && config_.stop_on_kill_switch) {
      end({.status = "cancelled", .reason = reason, .error = std::nullopt});
      co_return false;
    }
    if (!co_await wait(kAskAgainAfter)) co_return false;
  }
  if (interrupts_.take_bus_return()) {
    span.event("session.bus_returned");
    note(LedgerType::meta, "warning",
         "the message bus was away and may have lost what it held; the session goes on from the "
         "database",
         json::object());
  }
  if (halted) {
    span.event("session.resumed");
    co_await set_status("running", "");
  }
  co_return true;
}

// What the kill switch says now, before each order; and whether the session is stopping, which may
// have begun meanwhile. While the switch cannot be read, nothing leaves: the session is halted
// within the bar, and goes on with the order when it can.
net::task<std::optional<std::string>> SessionRun::held_back(otel::Span& span) {
  bool halted = false;
  for (;;) {
    std::ignore = interrupts_.take_kill_switch_change();
    const Result<KillSwitchState> state = co_await kill_switch_.state();
    if (stopping()) co_return std::string(kStopping);
    if (state) {
      if (halted) {
        span.event("session.resumed");
        co_await set_status("running", "");
      }
      if (state->engaged) co_return "the kill switch is engaged: " + state->reason;
      // A live market has moved on meanwhile.
      if (halted && config_.live_venue()) {
        co_return "the kill switch could not be read when the order was due";
      }
      co_return std::nullopt;
    }
    if (!halted) span.event("session.halted", {{"reason", state.error().message}});
    halted = true;
    co_await set_status("halted", state.error().message);
    if (state.error().code == ErrorCode::cancelled || !co_await wait(kAskAgainAfter)) {
      end_by_stop();
      co_return std::string(kStopping);
    }
  }
}

// Null: it is not too late to send what was decided on the last bar. Else why it is.
std::optional<std::string> SessionRun::too_late(otel::Span& span) const {
  if (!too_old(loop_->time())) return std::nullopt;
  static Counter& counted =
      alphaswarm::counter("alphaswarm_paper_orders_too_old_total", "",
                          "Orders that were decided on too long ago to be sent to a live venue.");
  counted.add();
  std::string why =
      fmt::format("decided on the bar of {}, too old to send", to_rfc3339(loop_->time()));
  span.event("order.too_old", {{"reason", why}});
  return why;
}

// Whether the switch was engaged since it was last asked: at once if that was told, within a second
// if the word was lost.
net::task<bool> SessionRun::kill_switch_came() {
  const bool told = interrupts_.take_kill_switch_change();
  if (!told && monotonic_ns() < poll_kill_switch_at_ns_) co_return false;
  poll_kill_switch_at_ns_ = monotonic_ns() + std::chrono::nanoseconds(kPollKillSwitch).count();
  const otel::Span quiet = unrecorded();
  const Result<KillSwitchState> state = co_await kill_switch_.state();
  co_return !state || state->engaged;
}

// Between bars, where a speed was asked for: waits until the next bar is due.
net::task<bool> SessionRun::keep_pace() {
  if (config_.speed <= 0) co_return true;
  if (pace_start_ns_ == 0) pace_start_ns_ = monotonic_ns();
  const double due_after = static_cast<double>(++paced_bars_) / config_.speed * 1e9;
  const std::int64_t due = pace_start_ns_ + static_cast<std::int64_t>(due_after);
  for (;;) {
    const std::int64_t left = due - monotonic_ns();
    if (left <= 0) co_return true;
    const std::chrono::nanoseconds most(kPollKillSwitch);
    if (!co_await wait(std::min(most, std::chrono::nanoseconds(left)))) co_return false;
    if (interrupts_.stop_reason()) {
      end_by_stop();
      co_return false;
    }
    // The next bar's gate deals with it; orders must not wait for that.
    if (co_await kill_switch_came()) co_return true;
  }
}

// A breached loss limit halts the session in the eyes of its user: orders that would open anything
// are refused by the risk gate of each order, closing ones are not.
net::task<void> SessionRun::watch_risk() {
  const RiskMonitor& monitor = loop_->monitor();
  const RiskLimits& limits = config_.run.risk;
  std::string reason;
  if (monitor.drawdown() > limits.max_drawdown_pct) {
    reason = "risk: the drawdown is more than " + limits.max_drawdown_pct.to_string();
  } else if (monitor.daily_loss() > limits.max_daily_loss_pct) {
    reason = "risk: the day's loss is more than " + limits.max_daily_loss_pct.to_string();
  }
  row_.max_drawdown = std::max(row_.max_drawdown, monitor.drawdown().to_double());
  std::string status = reason.empty() ? "running" : "halted";
  co_await set_status(std::move(status), std::move(reason));
}

}  // namespace alphaswarm::trading::paper
