#pragma once

// One session from its first moment to its last. Private to paper; the door is session.hpp.

#include <boost/json/object.hpp>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "alphaswarm/trading/backtest/dataset.hpp"
#include "alphaswarm/trading/broker/sim_broker.hpp"
#include "alphaswarm/trading/feed/alpaca_feed.hpp"
#include "alphaswarm/trading/paper/interrupts.hpp"
#include "alphaswarm/trading/paper/order_follower.hpp"
#include "alphaswarm/trading/paper/order_tracker.hpp"
#include "alphaswarm/trading/paper/progress_reporter.hpp"
#include "alphaswarm/trading/paper/recorder.hpp"
#include "alphaswarm/trading/paper/session.hpp"
#include "alphaswarm/trading/strategy/decision_loop.hpp"

namespace alphaswarm::trading::paper {

// How a session ends.
struct Ending {
  std::string status;  // completed, cancelled, error; stale where it is left to another worker
  std::string reason;
  std::optional<Error> error;  // of status error and of a session that is left
  bool left = false;           // for another worker: orders stay at the venue
};

// All members are used by the session's own task, one call after the other; only interrupts_ is
// written by others.
class SessionRun {
 public:
  SessionRun(Services& services, SessionRequest request, persistence::RunRow row, bool resumed);

  // Everything within span paper.session.run, which the caller has opened.
  net::task<Result<SessionResult>> run(observability::Span& span);

 private:
  // session_open.cpp
  net::task<Result<void>> open();
  net::task<Result<void>> open_market(const std::vector<VtSymbol>& symbols);
  [[nodiscard]] Result<std::vector<VtSymbol>> universe() const;
  // From when on bars count: a feed's, or that of all replays.
  [[nodiscard]] UnixNanos feed_start() const;
  [[nodiscard]] Result<Dataset> load_bars(const std::vector<VtSymbol>& symbols) const;
  [[nodiscard]] Result<void> warm_up(const std::vector<VtSymbol>& symbols);
  [[nodiscard]] Result<void> restore_state();
  net::task<Result<void>> open_account();
  // The exchange has forgotten the account in mid-session: it was restarted. It gets the account
  // and the open orders back as they are here.
  net::task<Result<void>> reopen_account();
  net::task<Result<void>> continue_orders(bool exchange_forgot);
  net::task<Result<void>> continue_order(std::string client_id, Decimal remaining,
                                         bool exchange_forgot);
  [[nodiscard]] SimRestore books_after(std::int64_t steps) const;
  // Of each symbol, in the first so many steps.
  [[nodiscard]] std::vector<SymbolBar> last_bars(std::int64_t steps) const;

  // session_live.cpp: the market
  [[nodiscard]] Result<void> open_live(const std::vector<VtSymbol>& symbols);
  net::task<void> play_feed();
  net::task<bool> play_step(const BarStep& step);
  net::task<void> watch_market();
  [[nodiscard]] net::task<Result<void>> stopped();  // waits until this task is asked to stop
  [[nodiscard]] Result<void> keep_bars(std::span<const SymbolBar> bars);
  void note_latest(std::span<const SymbolBar> bars);
  // Whether a bar of that time is no longer to be traded on.
  [[nodiscard]] bool too_old(UnixNanos bar_time) const;
  void observe(UnixNanos time, std::span<const SymbolBar> bars);
  void write_live_state(boost::json::object& state) const;
  [[nodiscard]] Result<void> read_live_state(const boost::json::object& state);

  // session_orders.cpp: at a live venue
  net::task<Result<void>> hear_of_orders();
  net::task<Result<void>> ask_about_orders();
  net::task<Result<void>> ask_about_unanswered();
  net::task<Result<void>> ask_about(std::string client_id, OrderId id);
  net::task<Result<void>> follow_unknown(std::string client_id);
  net::task<void> cancel_withdrawn(const std::string& client_id, const OrderId& id);
  net::task<void> take_live(const BrokerUpdate& told);
  [[nodiscard]] bool may_be_on_its_way(const persistence::OrderRow& row) const;
  // It ends as rejected, without having been at the venue.
  void close_unplaced(const std::string& client_id, std::string_view why);
  void doubt(const std::string& client_id);
  // Whether asking may still tell of an open order.
  [[nodiscard]] bool waits_for_orders() const;

  // session_bars.cpp
  net::task<void> play_watched();
  net::task<void> play();
  net::task<void> one_bar(UnixNanos time, std::span<const SymbolBar> bars);
  net::task<Result<void>> work_on_bar(UnixNanos time, std::span<const SymbolBar> bars,
                                      const observability::SpanContext& span);
  net::task<void> take(const BrokerUpdate& update);
  net::task<Result<void>> submit_decisions();
  net::task<Result<void>> submit(const Decision& decision);
  void take_decision();
  net::task<Result<void>> place(const Decision& decision, observability::Span span,
                                persistence::OrderRow row);
  net::task<Result<Order>> send(const OrderRequest& request);
  void refuse(const Decision& decision, persistence::OrderRow& row, std::string_view why);
  net::task<Result<void>> meet_exchange(std::span<const SymbolBar> bars);
  void check_books();
  net::task<void> write_ledger(const observability::SpanContext& span);
  net::task<void> report_bar(UnixNanos time, std::span<const SymbolBar> bars);

  // session_gate.cpp
  // False: the session ends (ending_ says how).
  net::task<bool> gate(observability::Span& span);
  net::task<bool> wait(std::chrono::nanoseconds limit);
  net::task<bool> keep_pace();
  // Null: the order may leave. Else why not.
  net::task<std::optional<std::string>> held_back(observability::Span& span);
  [[nodiscard]] std::optional<std::string> too_late(observability::Span& span) const;
  net::task<bool> kill_switch_came();
  net::task<void> watch_risk();
  net::task<void> set_status(std::string status, std::string reason);
  [[nodiscard]] Result<void> flush();
  void end(Ending ending);
  void end_by_stop();
  // Whether nothing new may go out: the session ends, or was asked to, which ending_ says then.
  [[nodiscard]] bool stopping();
  void end_by_error(const Error& error);
  [[nodiscard]] boost::json::object state() const;

  // session_end.cpp
  net::task<void> finish();
  net::task<void> settle(std::string reason);
  net::task<void> cancel_open_orders(std::string reason);
  net::task<void> cancel_one(std::string client_id, OrderId id, std::string reason);
  void note(LedgerType type, std::string level, std::string message, boost::json::object payload);
  [[nodiscard]] SessionResult result() const;

  Services& services_;
  const SessionConfig config_;
  const std::string run_id_, task_id_;
  persistence::RunRow row_;
  const bool resumed_;

  KillSwitch kill_switch_;
  Interrupts interrupts_;
  Recorder recorder_;
  OrderTracker orders_;
  ProgressReporter progress_;
  std::unique_ptr<SimBroker> sim_;           // null at a live venue
  Broker* broker_ = nullptr;                 // sim_, or the live venue; null until it is open
  std::unique_ptr<AlpacaFeed> feed_;         // null in a replay
  std::unique_ptr<OrderFollower> follower_;  // of a live venue
  std::unique_ptr<DecisionLoop> loop_;
  Dataset data_;
  std::int64_t steps_total_ = 0;
  std::int64_t next_index_ = 0;  // of the step to work on
  bool ready_ = false;           // loop_ holds the saved state, or the first: it may be saved again
  bool mid_bar_ = false;         // loop_ is ahead of next_index_: no moment to save it
  std::vector<Decision> decisions_;  // of the last bar, still to become orders or refusals
  std::vector<SymbolBar> latest_;    // of a live feed: each symbol's last bar
  std::optional<BarStep> begun_;     // of a live feed: what an earlier life was at
  bool catching_up_ = false;         // the last bar was too old to trade on
  // Orders that are to be cancelled, by client id: whether the venue has agreed to.
  std::map<std::string, bool> withdrawn_;
  std::set<std::string> doubted_;     // orders whose fate nobody knows
  std::int64_t ask_again_at_ns_ = 0;  // for orders without an answer; monotonic, like the next
  std::int64_t poll_kill_switch_at_ns_ = 0;
  std::int64_t settling_since_ns_ = 0;
  std::optional<Ending> ending_;
  // Bars of a step that the exchange may or may not have seen: its answer was not waited for.
  std::vector<SymbolBar> unanswered_;
  std::vector<LedgerLine> notes_;  // of the session itself, until the bar is closed
  // Spans of orders that were touched in this bar: a ledger line links to its order's.
  std::vector<std::pair<std::string, observability::SpanContext>> bar_spans_;
  Money exchange_cash_, exchange_equity_;  // as the simulated exchange last said
  bool books_differed_ = false;
  std::int64_t last_flush_bar_ = 0;
  std::int64_t last_heartbeat_ns_ = 0;  // monotonic
  std::int64_t pace_start_ns_ = 0;
  std::int64_t paced_bars_ = 0;
};

}  // namespace alphaswarm::trading::paper
