#include "alphaswarm/trading/strategy/decision_loop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

namespace alphaswarm::trading {
namespace json = boost::json;

std::string_view to_string(LedgerType type) noexcept {
  switch (type) {
    case LedgerType::signal:
      return "SIGNAL";
    case LedgerType::order:
      return "ORDER";
    case LedgerType::fill:
      return "FILL";
    case LedgerType::risk:
      return "RISK";
    case LedgerType::meta:
      return "META";
  }
  return "META";
}

Result<DecisionLoop> DecisionLoop::create(DecisionLoopConfig config,
                                          std::unique_ptr<Strategy> strategy) {
  if (strategy->required_history() > config.history_window) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("strategy {} needs {} bars of history, the window "
                            "(history_window_bars) holds only {}",
                            strategy->name(), strategy->required_history(), config.history_window));
  }
  return DecisionLoop(std::move(config), std::move(strategy));
}

DecisionLoop::DecisionLoop(DecisionLoopConfig config, std::unique_ptr<Strategy> strategy)
    : config_(std::move(config)),
      strategy_(std::move(strategy)),
      portfolio_(config_.initial_cash),
      monitor_(config_.initial_cash) {}

void DecisionLoop::note(UnixNanos time, LedgerType type, std::string_view level,
                        std::string message, const json::object& payload) {
  ledger_.push_back({.time = time,
                     .type = type,
                     .level = std::string(level),
                     .message = std::move(message),
                     .payload_json = json::serialize(payload)});
}

std::vector<LedgerLine> DecisionLoop::take_ledger() { return std::exchange(ledger_, {}); }

void DecisionLoop::on_fill(const Fill& fill) {
  portfolio_.apply(fill);
  const auto open = open_.find(fill.client_id.value);
  if (open != open_.end()) {
    open->second.remaining -= fill.quantity;
    if (!open->second.remaining.is_positive()) open_.erase(open);
  }
  if (!config_.keep_ledger) return;
  note(fill.time, LedgerType::fill, "info",
       fmt::format("{} {} {} at {}, commission {}", to_string(fill.side), fill.quantity.to_string(),
                   fill.symbol.text(), fill.price.to_string(), fill.commission.to_string()),
       {{"client_order_id", fill.client_id.value},
        {"symbol", fill.symbol.text()},
        {"side", to_string(fill.side)},
        {"quantity", fill.quantity.to_string()},
        {"price", fill.price.to_string()},
        {"commission", fill.commission.to_string()}});
}

void DecisionLoop::on_order_closed(const ClientOrderId& id, OrderStatus status,
                                   std::string_view reason, UnixNanos time) {
  const auto open = open_.find(id.value);
  if (open == open_.end()) return;
  if (config_.keep_ledger) {
    note(time, LedgerType::order, "warning",
         fmt::format("order {} is {}{}{}", id.value, to_string(status), reason.empty() ? "" : ": ",
                     reason),
         {{"client_order_id", id.value},
          {"status", to_string(status)},
          {"unfilled", open->second.remaining.to_string()},
          {"reason", reason}});
  }
  open_.erase(open);
}

// Bars and symbol states are both sorted, so one walk finds them all.
template <class Each>
void DecisionLoop::push_history(std::span<const SymbolBar> bars, Each each) {
  std::size_t at = 0;
  for (const SymbolBar& one : bars) {
    while (at < symbols_.size() && symbols_[at].symbol < one.symbol) ++at;
    if (at == symbols_.size() || symbols_[at].symbol != one.symbol) {
      symbols_.insert(
          symbols_.begin() + static_cast<std::ptrdiff_t>(at),
          SymbolState{.symbol = one.symbol, .history = History(config_.history_window)});
    }
    symbols_[at].history.push(one.bar.close.to_double());
    each(symbols_[at], one);
  }
}

void DecisionLoop::warm_up(std::span<const SymbolBar> bars) {
  push_history(bars, [](SymbolState&, const SymbolBar&) {});
}

void DecisionLoop::observe(UnixNanos time, std::span<const SymbolBar> bars) {
  time_ = time;
  push_history(bars, [this](SymbolState& state, const SymbolBar& one) {
    portfolio_.mark(state.symbol, one.bar.close);
  });
  monitor_.update(time, portfolio_.equity());
}

std::span<const Decision> DecisionLoop::on_bars(UnixNanos time, std::span<const SymbolBar> bars) {
  time_ = time;
  ++steps_;
  views_.clear();
  signals_.clear();
  decisions_.clear();
  push_history(bars, [&](SymbolState& state, const SymbolBar& one) {
    ++state.session_bars;
    portfolio_.mark(one.symbol, one.bar.close);
    views_.push_back({.symbol = &one.symbol,
                      .bar = &one.bar,
                      .closes = state.history.closes(),
                      .bars_seen = state.history.bars_seen(),
                      .session_bars = state.session_bars,
                      .position = portfolio_.quantity(one.symbol),
                      .order_open = has_open_order(one.symbol)});
  });
  monitor_.update(time, portfolio_.equity());
  strategy_->on_bar({.timestamp = time, .symbols = views_}, signals_);
  for (const Signal& signal : signals_) decide(signal);
  return decisions_;
}

bool DecisionLoop::has_open_order(const VtSymbol& symbol) const noexcept {
  return !open_.empty() && std::ranges::any_of(open_, [&](const auto& entry) {
    return entry.second.symbol == symbol;
  });
}

void DecisionLoop::decide(const Signal& signal) {
  const SymbolView& view = views_[signal.symbol_index];
  const Price close = view.bar->close;
  const bool leaves = signal.kind == SignalKind::leave;
  if (leaves && view.position.is_zero()) return;
  const Quantity quantity = leaves
                                ? view.position.absolute()
                                : size_order(strategy_->sizing(), monitor_.state().equity, close);
  if (config_.keep_ledger) {
    const std::string_view outcome = view.order_open      ? "; an earlier order is open: no order"
                                     : quantity.is_zero() ? "; 0 shares: no order"
                                                          : "";
    note(time_, LedgerType::signal, outcome.empty() ? "info" : "warning",
         fmt::format("{}: {} {} at {}, score {:.4f}{}", strategy_->name(), to_string(signal.kind),
                     view.symbol->text(), close.to_string(), signal.score, outcome),
         {{"symbol", view.symbol->text()},
          {"signal", to_string(signal.kind)},
          {"score", signal.score},
          {"close", close.to_string()},
          {"quantity", quantity.to_string()},
          {"equity", monitor_.state().equity.to_string()}});
  }
  if (view.order_open || quantity.is_zero()) return;
  Side side = signal.kind == SignalKind::enter_long ? Side::buy : Side::sell;
  if (leaves && view.position.is_negative()) side = Side::buy;
  decisions_.push_back(
      {.order = {.client_id = {fmt::format("{}-{:06}", config_.run_id, next_order_++)},
                 .symbol = *view.symbol,
                 .side = side,
                 .type = OrderType::market,
                 .time_in_force = TimeInForce::day,
                 .quantity = quantity,
                 .limit_price = {},
                 .stop_price = {}},
       .signal = signal.kind,
       .score = signal.score,
       .reference = close});
}

RiskInput DecisionLoop::risk_input(const Decision& decision) const {
  // What each symbol's position would be, were all open orders filled.
  struct Projected {
    Quantity quantity;
    Price price;
  };
  std::map<VtSymbol, Projected> projected;
  for (const Position& position : portfolio_.positions()) {
    if (!position.quantity.is_zero()) {
      projected[position.symbol] = {.quantity = position.quantity, .price = position.mark};
    }
  }
  for (const auto& [id, open] : open_) {
    Projected& one = projected[open.symbol];
    one.quantity += open.side == Side::buy ? open.remaining : -open.remaining;
    if (one.price.is_zero()) one.price = open.reference;
  }
  Money gross;
  for (const auto& [symbol, one] : projected) gross += one.price * one.quantity.absolute();
  const auto own = projected.find(decision.order.symbol);
  return {.position = own == projected.end() ? Quantity() : own->second.quantity,
          .price = decision.reference,
          .equity = monitor_.state().equity,
          .gross_exposure = gross,
          .drawdown = monitor_.drawdown(),
          .daily_loss = monitor_.daily_loss()};
}

Verdict DecisionLoop::check(const Decision& decision) {
  Verdict verdict = check_pretrade(config_.risk, decision.order, risk_input(decision));
  if (!verdict.allowed() && config_.keep_ledger) {
    json::array breaches;
    for (const Breach& breach : verdict.breaches) {
      breaches.push_back(json::object{{"limit", breach.limit},
                                      {"value", breach.value.to_string()},
                                      {"allowed", breach.allowed.to_string()}});
    }
    note(time_, LedgerType::risk, "warning",
         fmt::format("order {} refused: {}", decision.order.client_id.value, verdict.message()),
         {{"client_order_id", decision.order.client_id.value}, {"breaches", std::move(breaches)}});
  }
  return verdict;
}

void DecisionLoop::on_submitted(const Decision& decision) {
  const OrderRequest& order = decision.order;
  open_.insert_or_assign(order.client_id.value, OpenOrder{.symbol = order.symbol,
                                                          .side = order.side,
                                                          .remaining = order.quantity,
                                                          .reference = decision.reference});
  if (!config_.keep_ledger) return;
  note(time_, LedgerType::order, "info",
       fmt::format("{} {} {} {}, order {}", to_string(order.type), to_string(order.side),
                   order.quantity.to_string(), order.symbol.text(), order.client_id.value),
       {{"client_order_id", order.client_id.value},
        {"symbol", order.symbol.text()},
        {"side", to_string(order.side)},
        {"type", to_string(order.type)},
        {"quantity", order.quantity.to_string()}});
}

void DecisionLoop::on_refused(const Decision& decision, std::string_view why) {
  open_.erase(decision.order.client_id.value);
  if (!config_.keep_ledger) return;
  note(time_, LedgerType::order, "warning",
       fmt::format("order {} was not placed: {}", decision.order.client_id.value, why),
       {{"client_order_id", decision.order.client_id.value}, {"reason", why}});
}

}  // namespace alphaswarm::trading
