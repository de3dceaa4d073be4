// What only a live session does, the market: bars as they happen, how old they may be, and what is
// saved of them. Its orders: session_orders.cpp.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/persistence/bar_repository.hpp"
#include "alphaswarm/trading/broker/alpaca_json.hpp"
#include "alphaswarm/trading/paper/session_run.hpp"

namespace alphaswarm::trading::paper {

namespace json = boost::json;
namespace otel = alphaswarm::observability;

namespace {

// How often a session looks for bars and orders, should nothing wake it.
constexpr std::chrono::milliseconds kLookAgainAfter(500);
// A session with an end waits this long for the last bar before it.
constexpr std::chrono::seconds kLateBar(60);

std::string_view setting_of(std::string_view venue) {
  return venue == "tradier" ? "set ALPHASWARM_TRADIER_TOKEN and ALPHASWARM_TRADIER_ACCOUNT_ID"
                            : "set ALPHASWARM_ALPACA_KEY_ID and ALPHASWARM_ALPACA_SECRET_KEY";
}

json::array bars_json(std::span<const SymbolBar> bars) {
  json::array list;
  for (const SymbolBar& one : bars) list.emplace_back(to_alpaca(one));
  return list;
}

std::unexpected<Error> unreadable() {
  return fail(ErrorCode::data_loss, "the saved state of the live session cannot be read");
}

std::string text_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// Empty where there is nothing of that name.
Result<std::vector<SymbolBar>> read_bars(const json::object& state, std::string_view key) {
  std::vector<SymbolBar> bars;
  const json::value* list = state.if_contains(key);
  if (list == nullptr) return bars;
  if (!list->is_array()) return unreadable();
  for (const json::value& item : list->get_array()) {
    const Result<Bar> bar = read_bar(item);
    if (!bar) return std::unexpected(bar.error());
    Result<VtSymbol> symbol = VtSymbol::parse(text_at(item.get_object(), "symbol"));
    if (!symbol) return std::unexpected(symbol.error());
    bars.push_back({std::move(*symbol), *bar});
  }
  return bars;
}

// The loop decides on market orders for the day only.
json::object decision_json(const Decision& decision) {
  return {{"client_order_id", decision.order.client_id.value},
          {"symbol", decision.order.symbol.text()},
          {"side", to_string(decision.order.side)},
          {"quantity", decision.order.quantity.to_string()},
          {"signal", static_cast<int>(decision.signal)},
          {"score", decision.score},
          {"reference", decision.reference.to_string()}};
}

Result<Decision> read_decision(const json::value& value) {
  const json::object* from = value.if_object();
  if (from == nullptr) return unreadable();
  const json::value* kind = from->if_contains("signal");
  const json::value* score = from->if_contains("score");
  const Result<VtSymbol> symbol = VtSymbol::parse(text_at(*from, "symbol"));
  const Result<Side> side = parse_side(text_at(*from, "side"));
  const Result<Decimal> quantity = Decimal::parse(text_at(*from, "quantity"));
  const Result<Decimal> reference = Decimal::parse(text_at(*from, "reference"));
  const bool sound = kind != nullptr && kind->is_int64() && kind->get_int64() >= 0 &&
                     kind->get_int64() <= static_cast<int>(SignalKind::leave) && score != nullptr &&
                     score->is_number() && symbol && side && quantity && reference;
  if (!sound) return unreadable();
  Decision decision;
  decision.order.client_id.value = text_at(*from, "client_order_id");
  decision.order.symbol = *symbol;
  decision.order.side = *side;
  decision.order.quantity = Quantity(*quantity);
  decision.signal = static_cast<SignalKind>(kind->get_int64());
  decision.score = score->to_number<double>();
  decision.reference = Price(*reference);
  return decision;
}

persistence::BarRow to_row(const SymbolBar& one, Interval interval) {
  persistence::BarRow row;
  row.vt_symbol = one.symbol.text();
  row.interval = to_string(interval);
  row.timestamp = one.bar.timestamp;
  row.open = one.bar.open.value();
  row.high = one.bar.high.value();
  row.low = one.bar.low.value();
  row.close = one.bar.close.value();
  row.volume = one.bar.volume.value();
  return row;
}

}  // namespace

// ---- state

void SessionRun::write_live_state(json::object& state) const {
  if (!feed_) return;
  state["latest"] = bars_json(latest_);
  if (!unanswered_.empty()) state["step"] = bars_json(unanswered_);
  if (decisions_.empty()) return;
  json::array decisions;
  for (const Decision& decision : decisions_) decisions.emplace_back(decision_json(decision));
  state["decisions"] = std::move(decisions);
}

Result<void> SessionRun::read_live_state(const json::object& state) {
  if (!config_.live_feed()) return {};
  Result<std::vector<SymbolBar>> latest = read_bars(state, "latest");
  if (!latest) return std::unexpected(latest.error());
  latest_ = std::move(*latest);
  Result<std::vector<SymbolBar>> step = read_bars(state, "step");
  if (!step) return std::unexpected(step.error());
  if (!step->empty()) {
    unanswered_ = *step;  // still so, should this life end before it is repeated
    begun_ = BarStep{step->front().bar.timestamp, std::move(*step)};
    // It is the next bar again, so it does not count as one that went by.
    row_.bars_seen = std::max<std::int64_t>(0, row_.bars_seen - 1);
  }
  const json::value* decisions = state.if_contains("decisions");
  if (decisions == nullptr) return {};
  if (!decisions->is_array()) return unreadable();
  for (const json::value& item : decisions->get_array()) {
    Result<Decision> decision = read_decision(item);
    if (!decision) return std::unexpected(decision.error());
    decisions_.push_back(std::move(*decision));
  }
  return {};
}

// ---- the market

// A live venue trades at today's prices. A bar that ended longer ago than bars last has a successor
// or has come late: what is decided on it would be an answer to another market.
bool SessionRun::too_old(UnixNanos bar_time) const {
  const std::int64_t interval = longest_ns(config_.run.matching.interval);
  return config_.live_venue() && services_.now().value - bar_time.value > 2 * interval;
}

// The books follow a bar that is too old to trade on.
void SessionRun::observe(UnixNanos time, std::span<const SymbolBar> bars) {
  static Counter& observed =
      alphaswarm::counter("alphaswarm_paper_bars_too_old_total", "",
                          "Bars of sessions at a live venue that were too old to trade on.");
  observed.add();
  otel::set_on_current("paper.too_old_to_trade", true);
  if (!std::exchange(catching_up_, true)) {
    note(LedgerType::meta, "warning",
         fmt::format("the bar of {} is too old to trade on: until newer ones come, bars only "
                     "update history and books",
                     to_rfc3339(time)),
         json::object());
  }
  loop_->observe(time, bars);
}

UnixNanos SessionRun::feed_start() const {
  if (!config_.live_feed()) return {INT64_MAX};
  return config_.run.start.value == INT64_MIN ? row_.started_at : config_.run.start;
}

Result<void> SessionRun::open_live(const std::vector<VtSymbol>& symbols) {
  const auto woken = [this] { interrupts_.wake(); };
  const auto not_configured = [](std::string_view what) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("{} is not configured: {}", what, setting_of(what)));
  };
  if (config_.live_feed()) {
    if (services_.live.data == nullptr) return not_configured("alpaca");
    AlpacaFeedConfig feed;
    feed.symbols = symbols;
    feed.interval = config_.run.matching.interval;
    feed.stream = config_.stream;
    feed.poll = config_.poll;
    feed.after = {feed_start().value - 1};
    for (const SymbolBar& one : latest_) feed.after = std::max(feed.after, one.bar.timestamp);
    if (begun_) feed.after = std::max(feed.after, begun_->time);
    feed.wake = woken;
    feed.now = services_.now;
    feed_ = std::make_unique<AlpacaFeed>(*services_.live.data, std::move(feed));
  }
  if (!config_.live_venue()) return {};
  broker_ = config_.venue == "tradier" ? services_.live.tradier : services_.live.alpaca;
  if (broker_ == nullptr) return not_configured(config_.venue);
  follower_ = std::make_unique<OrderFollower>(*broker_, services_.retry, woken);
  return {};
}

// Runs beside the session until that ends.
net::task<void> SessionRun::watch_market() {
  const auto feed = [this]() -> net::task<void> {
    if (feed_) co_await feed_->run();
    std::ignore = co_await stopped();
  };
  const auto follower = [this]() -> net::task<void> {
    if (follower_) co_await follower_->run();
    std::ignore = co_await stopped();
  };
  std::ignore = co_await net::all(feed(), follower());
}

net::task<Result<void>> SessionRun::stopped() {
  net::AsyncEvent never;
  co_return co_await never.wait();
}

// For charts, and for the warm-up of later sessions. What was ingested stands: it has the adjusted
// close and the volume of all exchanges.
Result<void> SessionRun::keep_bars(std::span<const SymbolBar> bars) {
  std::vector<persistence::BarRow> rows;
  for (const SymbolBar& one : bars) rows.push_back(to_row(one, config_.run.matching.interval));
  const auto kept = persistence::BarRepository(*services_.database).insert_absent(rows);
  if (!kept) return std::unexpected(kept.error());
  return {};
}

void SessionRun::note_latest(std::span<const SymbolBar> bars) {
  for (const SymbolBar& one : bars) {
    const auto known = std::ranges::find(latest_, one.symbol, &SymbolBar::symbol);
    if (known == latest_.end()) {
      latest_.push_back(one);
    } else {
      known->bar = one.bar;
    }
  }
}

// False when the session is over.
net::task<bool> SessionRun::play_step(const BarStep& step) {
  if (step.time >= config_.run.end) {
    end({.status = "completed", .reason = {}, .error = std::nullopt});
    co_return false;
  }
  co_await one_bar(step.time, step.bars);
  if (!ending_ && steps_total_ > 0 && next_index_ >= steps_total_) {
    end({.status = "completed", .reason = {}, .error = std::nullopt});
  }
  co_return !ending_;
}

net::task<void> SessionRun::play_feed() {
  if (begun_) {
    const BarStep step = std::move(*begun_);
    begun_.reset();
    if (!co_await play_step(step)) co_return;
  }
  const std::int64_t last_moment = config_.run.end.value == INT64_MAX
                                       ? INT64_MAX
                                       : config_.run.end.value +
                                             longest_ns(config_.run.matching.interval) +
                                             std::chrono::nanoseconds(kLateBar).count();
  for (;;) {
    if (interrupts_.stop_reason()) co_return end_by_stop();
    if (const auto failure = feed_->failure()) co_return end_by_error(*failure);
    if (const Result<void> heard = co_await hear_of_orders(); !heard) {
      co_return end_by_error(heard.error());
    }
    if (const auto step = feed_->take()) {
      if (!co_await play_step(*step)) co_return;
      continue;
    }
    // No bar may come for hours: neither an order without an answer nor the kill switch waits for
    // one.
    if (const Result<void> asked = co_await ask_about_unanswered(); !asked) {
      co_return end_by_error(asked.error());
    }
    if (co_await kill_switch_came()) {
      otel::Span span = otel::span("paper.session.gate", {{"paper.bar_index", next_index_}});
      if (!co_await gate(span)) co_return;
      continue;
    }
    if (services_.now().value > last_moment && feed_->caught_up()) {
      co_return end({.status = "completed", .reason = {}, .error = std::nullopt});
    }
    if (!co_await wait(kLookAgainAfter)) co_return;
  }
}

}  // namespace alphaswarm::trading::paper
