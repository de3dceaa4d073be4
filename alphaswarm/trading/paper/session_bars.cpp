// A session's bars: fills of earlier orders, decision, risk gate, submission, books, ledger.

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/trading/paper/session_run.hpp"

namespace alphaswarm::trading::paper {

namespace json = boost::json;
namespace otel = alphaswarm::observability;

namespace {

constexpr std::chrono::milliseconds kStopGrace(500);

std::string symbols_of(std::span<const SymbolBar> bars) {
  std::string names;
  for (const SymbolBar& one : bars) {
    if (!names.empty()) names += ',';
    names += one.symbol.text();
  }
  return names;
}

std::string_view text_at(const json::value& payload, std::string_view key) {
  const json::object* object = payload.if_object();
  const json::value* value = object == nullptr ? nullptr : object->if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                : std::string_view();
}

}  // namespace

// The watchers never finish by themselves, so the race is over when the bars are; or when a bar
// does not come to its end in time after a request to stop, say because a venue is being retried.
net::task<void> SessionRun::play_watched() {
  std::ignore = co_await net::race(
      feed_ ? play_feed() : play(), watch_market(), interrupts_.wait_for_stop(kStopGrace),
      watch_stop_signal(*services_.bus, task_id_, interrupts_),
      watch_kill_switch(*services_.bus, kill_switch_.engaged_channel(), interrupts_),
      watch_kill_switch(*services_.bus, kill_switch_.released_channel(), interrupts_));
}

net::task<void> SessionRun::play() {
  TimeSteps steps(data_);
  for (std::int64_t index = 0; index < steps_total_ && steps.next(); ++index) {
    if (index < next_index_) continue;  // an earlier life of the session did it
    co_await one_bar(steps.time(), steps.bars());
    if (ending_) co_return;
    if (!co_await keep_pace()) co_return;
  }
  end({.status = "completed", .reason = {}, .error = std::nullopt});
}

net::task<void> SessionRun::one_bar(UnixNanos time, std::span<const SymbolBar> bars) {
  otel::Span span = otel::span("paper.session.bar", {{"market.symbol", symbols_of(bars)},
                                                     {"market.bar_time", to_rfc3339(time)},
                                                     {"paper.bar_index", next_index_}});
  ++row_.bars_seen;
  try {
    if (!co_await gate(span)) co_return;
    const Result<void> worked = co_await work_on_bar(time, bars, span.context());
    if (worked) co_return;
    if (worked.error().code != ErrorCode::cancelled) span.error(worked.error().message);
    end_by_error(worked.error());
  } catch (...) {
    span.record_current_exception();
    throw;
  }
}

net::task<Result<void>> SessionRun::work_on_bar(UnixNanos time, std::span<const SymbolBar> bars,
                                                const otel::SpanContext& span) {
  recorder_.begin_bar(next_index_);
  bar_spans_.clear();
  if (feed_) {
    if (const Result<void> kept = keep_bars(bars); !kept) co_return kept;
  }
  const bool old = too_old(time);
  Result<void> met;
  if (sim_) {
    met = co_await meet_exchange(bars);
  } else {
    met = co_await ask_about_orders();
  }
  if (!met) co_return met;
  if (feed_) note_latest(bars);
  mid_bar_ = true;
  if (old) {
    observe(time, bars);
  } else {
    catching_up_ = false;
    const std::span<const Decision> decided = loop_->on_bars(time, bars);
    decisions_.assign(decided.begin(), decided.end());
  }
  if (config_.live_venue()) {
    // Decided once and for all: each order is written down before it leaves.
    ++next_index_;
    mid_bar_ = false;
  }
  const Result<void> submitted = co_await submit_decisions();
  if (sim_ && !decisions_.empty() && ending_ && ending_->left) {
    // The bar is half done, and whoever resumes works on it once more: mid_bar_ stays, and what the
    // ledger says of it is said then.
    std::ignore = loop_->take_ledger();
    co_return submitted;
  }
  // From here on the bar is done, whatever became of its orders: they are tracked.
  if (sim_) ++next_index_;
  mid_bar_ = false;
  if (sim_) check_books();
  co_await write_ledger(span);
  co_await watch_risk();
  const bool heartbeat_due =
      monotonic_ns() - last_heartbeat_ns_ >= std::chrono::nanoseconds(config_.heartbeat).count();
  const bool flush_due =
      feed_ != nullptr || next_index_ - last_flush_bar_ >= config_.state_flush_every_bars;
  const Result<void> written = flush_due || heartbeat_due ? flush() : recorder_.commit(nullptr);
  if (!written) co_return written;
  co_await report_bar(time, bars);
  co_return submitted;
}

// The simulated exchange sees the bars and says what they did to earlier orders.
net::task<Result<void>> SessionRun::meet_exchange(std::span<const SymbolBar> bars) {
  unanswered_.assign(bars.begin(), bars.end());
  if (feed_) {
    // Written down first: whoever resumes repeats this very step, whatever else has come since.
    if (const Result<void> written = flush(); !written) co_return written;
  }
  Result<SimStep> step = co_await sim_->advance(next_index_, bars);
  if (!step && step.error().code == ErrorCode::not_found) {
    if (const Result<void> again = co_await reopen_account(); !again) co_return again;
    step = co_await sim_->advance(next_index_, bars);
  }
  if (!step) co_return std::unexpected(step.error());
  unanswered_.clear();
  for (const BrokerUpdate& update : step->updates) co_await take(update);
  exchange_cash_ = step->cash;
  exchange_equity_ = step->equity;
  co_return Result<void>();
}

net::task<void> SessionRun::take(const BrokerUpdate& update) {
  const std::string& client_id = update.order.request.client_id.value;
  const otel::SpanContext span = orders_.span_of(client_id);
  if (!span.is_valid() && !orders_.contains(client_id)) co_return;  // not an order of this run
  bar_spans_.emplace_back(client_id, span);
  if (update.fill) {
    loop_->on_fill(*update.fill);
    ++row_.fills;
  }
  if (is_final(update.order.status) && update.order.status != OrderStatus::filled) {
    loop_->on_order_closed(update.order.request.client_id, update.order.status, update.order.reason,
                           update.order.updated);
  }
  const OrderTracker::Applied applied = orders_.apply(update);
  if (applied.fill) co_await progress_.fill(*applied.fill);
  co_await progress_.order(applied.row);
}

void SessionRun::refuse(const Decision& decision, persistence::OrderRow& row,
                        std::string_view why) {
  if (!config_.dry_run) {
    log_warning("paper", fmt::format("run {}: order.client_id={} was refused: {}", run_id_,
                                     decision.order.client_id.value, why));
  }
  if (config_.live_venue() && loop_->has_open(decision.order.client_id)) {
    loop_->on_order_closed(decision.order.client_id, OrderStatus::rejected, why, now_unix());
  } else {
    loop_->on_refused(decision, why);
  }
  row.status = to_string(OrderStatus::rejected);
  row.status_reason = why;
}

// A decision stays first among decisions_, and so in what is saved, until it has become an order or
// a refusal. If the session is left to another worker meanwhile, it is taken up there. If it ends,
// what is left is refused.
net::task<Result<void>> SessionRun::submit_decisions() {
  while (!decisions_.empty()) {
    if (stopping() && ending_->left) break;
    const Decision decision = decisions_.front();
    const Result<void> submitted = co_await submit(decision);
    if (!submitted && submitted.error().code == ErrorCode::cancelled) end_by_stop();
    if (!submitted) co_return submitted;
  }
  co_return Result<void>();
}

void SessionRun::take_decision() {
  decisions_.erase(decisions_.begin());
  ++row_.orders_submitted;
}

net::task<Result<void>> SessionRun::submit(const Decision& decision) {
  const OrderRequest& order = decision.order;
  otel::Span span =
      otel::span("paper.session.submit_order", {{"order.client_id", order.client_id.value},
                                                {"order.side", to_string(order.side)},
                                                {"order.type", to_string(order.type)},
                                                {"order.quantity", order.quantity.to_double()},
                                                {"market.symbol", order.symbol.text()}});
  const otel::SpanContext context = span.context();
  bar_spans_.emplace_back(order.client_id.value, context);
  persistence::OrderRow row = make_order_row(order, run_id_, broker_->venue(), context);
  const Verdict verdict = loop_->check(decision);
  span.set("risk.verdict", verdict.text());
  if (!verdict.allowed()) {
    row.status = to_string(OrderStatus::rejected);
    row.status_reason = verdict.message();
  } else if (config_.dry_run) {
    refuse(decision, row, "dry run");
  } else if (const auto why = co_await held_back(span)) {
    if (ending_ && ending_->left) {
      span.event("order.left_undecided", {{"order.client_id", order.client_id.value}});
      co_return Result<void>();
    }
    refuse(decision, row, *why);
  } else if (const auto late = too_late(span)) {
    refuse(decision, row, *late);
  } else {
    co_return co_await place(decision, std::move(span), std::move(row));
  }
  take_decision();
  span.set("order.status", row.status);
  recorder_.order(row);
  co_await progress_.order(std::move(row));
  co_return Result<void>();
}

net::task<Result<void>> SessionRun::place(const Decision& decision, otel::Span span,
                                          persistence::OrderRow row) {
  take_decision();
  if (config_.live_venue()) {
    // Whatever happens from here on, this order is known and followed.
    loop_->on_submitted(decision);
    recorder_.order(row);
    if (const Result<void> written = flush(); !written) co_return written;
  }
  const Result<Order> order = co_await send(decision.order);
  const bool locked_out = !order && order.error().code == ErrorCode::unauthenticated;
  const bool refused = !order && !locked_out && is_refusal(order.error().code);
  if (refused || (order && order->status == OrderStatus::rejected)) {
    if (order) update_row(row, *order);
    refuse(decision, row, order ? std::string_view(order->reason) : order.error().message);
    span.set("order.status", row.status);
    recorder_.order(row);
    co_await progress_.order(std::move(row));
    co_return Result<void>();
  }
  if (order) {
    row.broker_order_id = order->id.value;
    row.status = to_string(OrderStatus::new_order);
    span.set("order.id", order->id.value);
  } else {
    // Nobody knows whether it arrived: a live venue is asked from now on, the simulated exchange by
    // whatever ends the session.
    row.status_reason = order.error().message;
    if (order.error().code != ErrorCode::cancelled) span.error(order.error().message);
  }
  if (!config_.live_venue()) loop_->on_submitted(decision);
  persistence::OrderRow shown = row;
  orders_.open(std::move(span), std::move(row));
  co_await progress_.order(std::move(shown));
  // A live venue may be back before the next bar, and is asked about the order then.
  const bool given_up =
      !order && (!config_.live_venue() || locked_out || order.error().code == ErrorCode::cancelled);
  if (given_up) co_return std::unexpected(order.error());
  co_return Result<void>();
}

net::task<Result<Order>> SessionRun::send(const OrderRequest& request) {
  Result<Order> order = co_await broker_->submit_order(request);
  if (!sim_ || order || order.error().code != ErrorCode::not_found) co_return order;
  if (const Result<void> again = co_await reopen_account(); !again) {
    co_return std::unexpected(again.error());
  }
  co_return co_await broker_->submit_order(request);
}

void SessionRun::note(LedgerType type, std::string level, std::string message,
                      json::object payload) {
  notes_.push_back({.time = now_unix(),
                    .type = type,
                    .level = std::move(level),
                    .message = std::move(message),
                    .payload_json = json::serialize(payload)});
}

// The exchange keeps the same books with the same code: a difference is a bug or a lost message.
void SessionRun::check_books() {
  const Portfolio& books = loop_->portfolio();
  const bool differ = exchange_cash_ != books.cash() || exchange_equity_ != books.equity();
  if (differ && !books_differed_) {
    note(LedgerType::meta, "error", "the exchange's books differ from the session's",
         {{"exchange_cash", exchange_cash_.to_string()},
          {"session_cash", books.cash().to_string()},
          {"exchange_equity", exchange_equity_.to_string()},
          {"session_equity", books.equity().to_string()}});
  }
  books_differed_ = differ;
}

net::task<void> SessionRun::write_ledger(const otel::SpanContext& span) {
  std::vector<LedgerLine> lines = loop_->take_ledger();
  for (LedgerLine& line : notes_) lines.push_back(std::move(line));
  notes_.clear();
  for (const LedgerLine& line : lines) {
    boost::system::error_code malformed;
    const json::value payload = json::parse(line.payload_json, malformed);
    Recorder::LineContext context;
    context.client_order_id = text_at(payload, "client_order_id");
    context.span = span;
    for (const auto& [id, order_span] : bar_spans_) {
      if (id == context.client_order_id) context.span = order_span;
    }
    if (line.type == LedgerType::signal) {
      context.strategy = loop_->strategy().name();
      context.symbol = text_at(payload, "symbol");
      const std::string_view kind = text_at(payload, "signal");
      const Result<VtSymbol> symbol = VtSymbol::parse(context.symbol);
      const bool held_short = symbol && loop_->portfolio().quantity(*symbol).is_negative();
      const bool buys = kind == to_string(SignalKind::enter_long) ||
                        (kind == to_string(SignalKind::leave) && held_short);
      context.side = to_string(buys ? Side::buy : Side::sell);
      if (const json::value* score = payload.as_object().if_contains("score")) {
        if (score->is_number()) context.strength = score->to_number<double>();
      }
    }
    persistence::LedgerRow row = recorder_.ledger(line, context);
    co_await progress_.ledger(std::move(row));
  }
}

net::task<void> SessionRun::report_bar(UnixNanos time, std::span<const SymbolBar> bars) {
  if (!progress_.wants_bar(next_index_ == steps_total_)) co_return;
  ProgressReporter::BarFrame frame;
  frame.done = next_index_;
  frame.total = steps_total_;
  frame.bar_time = to_rfc3339(time);
  frame.symbol = symbols_of(bars);
  frame.equity = loop_->equity().to_double();
  frame.cash = loop_->portfolio().cash().to_double();
  frame.drawdown = loop_->monitor().drawdown().to_double();
  for (const Position& position : loop_->portfolio().positions()) {
    if (position.quantity.is_zero()) continue;
    frame.positions[position.symbol.text()] = position.quantity.to_double();
  }
  frame.orders = row_.orders_submitted;
  frame.fills = row_.fills;
  co_await progress_.bar(std::move(frame));
}

}  // namespace alphaswarm::trading::paper
