// How a session begins or goes on: bars, strategy, account at the exchange, saved state.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/persistence/bar_repository.hpp"
#include "alphaswarm/trading/backtest/engine.hpp"
#include "alphaswarm/trading/paper/session_run.hpp"

namespace alphaswarm::trading::paper {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxSymbols = 100;
constexpr std::size_t kMaxBars = 2'000'000;  // about 150 MB
constexpr std::int64_t kStateVersion = 1;

Bar to_bar(const persistence::BarRow& row) {
  return {row.timestamp,  Price(row.open),  Price(row.high),
          Price(row.low), Price(row.close), Quantity(row.volume)};
}

Result<Series> load_series(persistence::BarRepository& bars, const VtSymbol& symbol,
                           const persistence::BarQuery& query) {
  const auto rows = bars.load(query);
  if (!rows) return std::unexpected(rows.error());
  Series series{.symbol = symbol, .bars = {}};
  series.bars.reserve(rows->size());
  for (const persistence::BarRow& row : *rows) series.bars.push_back(to_bar(row));
  return series;
}

}  // namespace

Result<std::vector<VtSymbol>> SessionRun::universe() const {
  if (!config_.run.universe.empty()) return config_.run.universe;
  persistence::BarRepository repository(*services_.database);
  const auto known = repository.symbols();
  if (!known) return std::unexpected(known.error());
  const std::string_view interval = to_string(config_.run.matching.interval);
  std::vector<VtSymbol> symbols;
  for (const persistence::SymbolSummary& one : *known) {
    if (one.interval != interval) continue;
    Result<VtSymbol> symbol = VtSymbol::parse(one.vt_symbol);
    if (symbol) symbols.push_back(std::move(*symbol));
  }
  if (symbols.empty()) {
    return fail(ErrorCode::not_found,
                fmt::format("there are no {} bars in the database: ingest some first", interval));
  }
  if (symbols.size() > kMaxSymbols) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("session.universe is empty and the database holds {} symbols: name at "
                            "most {}",
                            symbols.size(), kMaxSymbols));
  }
  return symbols;
}

Result<Dataset> SessionRun::load_bars(const std::vector<VtSymbol>& symbols) const {
  persistence::BarRepository repository(*services_.database);
  Dataset all{.interval = config_.run.matching.interval, .series = {}};
  std::size_t count = 0;
  for (const VtSymbol& symbol : symbols) {
    persistence::BarQuery query;
    query.vt_symbol = symbol.text();
    query.interval = to_string(all.interval);
    query.start = config_.run.start;
    query.end = config_.run.end;
    query.limit = std::min<std::int64_t>(config_.run.max_bars.value_or(INT64_MAX), kMaxBars + 1);
    Result<Series> series = load_series(repository, symbol, query);
    if (!series) return std::unexpected(series.error());
    count += series->bars.size();
    if (count > kMaxBars) {
      return fail(ErrorCode::resource_exhausted,
                  fmt::format("a session replays at most {} bars: narrow feed.params.start and end",
                              kMaxBars));
    }
    if (!series->bars.empty()) all.series.push_back(std::move(*series));
  }
  if (const Result<void> sorted = normalise(all); !sorted) return std::unexpected(sorted.error());
  return select_bars(config_.run, all);
}

Result<void> SessionRun::warm_up(const std::vector<VtSymbol>& symbols) {
  if (config_.warmup_bars == 0) return {};
  persistence::BarRepository repository(*services_.database);
  Dataset before{.interval = data_.interval, .series = {}};
  UnixNanos first = feed_start();
  for (const Series& one : data_.series) first = std::min(first, one.bars.front().timestamp);
  for (const VtSymbol& symbol : symbols) {
    persistence::BarQuery query;
    query.vt_symbol = symbol.text();
    query.interval = to_string(before.interval);
    query.end = first;
    query.limit = config_.warmup_bars;
    query.latest = true;
    Result<Series> series = load_series(repository, symbol, query);
    if (!series) return std::unexpected(series.error());
    if (!series->bars.empty()) before.series.push_back(std::move(*series));
  }
  if (Result<void> sorted = normalise(before); !sorted) return sorted;
  TimeSteps steps(before);
  while (steps.next()) loop_->warm_up(steps.bars());
  return {};
}

Result<void> SessionRun::restore_state() {
  boost::system::error_code malformed;
  const json::value saved = json::parse(row_.state_json, malformed);
  const json::object* state = malformed ? nullptr : saved.if_object();
  if (state == nullptr) return fail(ErrorCode::data_loss, "the saved state is not JSON");
  row_.bars_seen = 0;
  row_.orders_submitted = 0;
  row_.fills = 0;
  if (state->empty()) return {};  // it ended before the first flush: from the start, then
  const json::value* version = state->if_contains("version");
  const json::value* index = state->if_contains("next_index");
  const json::value* loop = state->if_contains("loop");
  const bool usable = version != nullptr && version->is_int64() &&
                      version->get_int64() == kStateVersion && index != nullptr &&
                      index->is_int64() && loop != nullptr && loop->is_object();
  if (!usable) return fail(ErrorCode::data_loss, "the saved state is of another version");
  if (Result<void> restored = loop_->restore(loop->get_object()); !restored) return restored;
  next_index_ = index->get_int64();
  const auto number = [state](std::string_view key) {
    const json::value* value = state->if_contains(key);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
  };
  row_.bars_seen = number("bars_seen");
  row_.orders_submitted = number("orders");
  row_.fills = number("fills");
  last_flush_bar_ = next_index_;
  return read_live_state(*state);
}

json::object SessionRun::state() const {
  // A step that an earlier life began is about to be counted, as it was then.
  const std::int64_t seen = row_.bars_seen + (begun_ ? 1 : 0);
  json::object state{{"version", kStateVersion}, {"next_index", next_index_},
                     {"bars_seen", seen},        {"orders", row_.orders_submitted},
                     {"fills", row_.fills},      {"loop", loop_->state()}};
  write_live_state(state);
  return state;
}

std::vector<SymbolBar> SessionRun::last_bars(std::int64_t count) const {
  if (feed_) return latest_;
  std::vector<SymbolBar> last;
  TimeSteps steps(data_);
  for (std::int64_t index = 0; index < count && steps.next(); ++index) {
    for (const SymbolBar& one : steps.bars()) {
      const auto known = std::ranges::find(last, one.symbol, &SymbolBar::symbol);
      if (known == last.end()) {
        last.push_back(one);
      } else {
        known->bar = one.bar;
      }
    }
  }
  return last;
}

SimRestore SessionRun::books_after(std::int64_t steps) const {
  SimRestore restore;
  if (steps > 0) {
    restore.portfolio = &loop_->portfolio();
    restore.bar_index = steps - 1;
    restore.bars = last_bars(steps);
  }
  return restore;
}

net::task<Result<void>> SessionRun::open_account() {
  SimRestore books = books_after(next_index_);
  const Result<SimOpened> opened = co_await sim_->open(std::move(books));
  if (!opened) co_return std::unexpected(opened.error());
  co_return co_await continue_orders(opened->created);
}

net::task<Result<void>> SessionRun::reopen_account() {
  log_warning("paper", fmt::format("run {}: the exchange has forgotten the account, which is "
                                   "restored there",
                                   run_id_));
  note(LedgerType::meta, "warning", "the exchange had forgotten the account: restored", {});
  // The exchange cannot repeat what is before its restored books, so whoever resumes this session
  // must not go on from there: the state is saved now, or as soon as the bar is done.
  if (mid_bar_) {
    last_flush_bar_ = next_index_ - config_.state_flush_every_bars;
  } else if (!feed_) {
    --row_.bars_seen;  // whoever resumes counts this bar again
    const Result<void> written = flush();
    ++row_.bars_seen;
    if (!written) co_return written;
  }
  SimRestore books = books_after(mid_bar_ ? next_index_ + 1 : next_index_);
  const Result<SimOpened> opened = co_await sim_->open(std::move(books));
  if (!opened) co_return std::unexpected(opened.error());
  for (const auto& [client_id, id] : orders_.open_orders()) {
    const persistence::OrderRow row = *orders_.row_of(client_id);
    Result<OrderRequest> request = request_of(row, row.quantity - row.filled_quantity);
    if (!request) co_return std::unexpected(request.error());
    Result<Order> order = co_await broker_->submit_order(std::move(*request));
    if (!order) co_return std::unexpected(order.error());
    // As the session counts it: what was filled before is not the exchange's to know.
    order->filled = Quantity(row.filled_quantity);
    if (row.average_price) order->average_price = Price(*row.average_price);
    const BrokerUpdate told{"", std::move(*order), std::nullopt, ""};
    for (const BrokerUpdate& update : orders_.news(told)) co_await take(update);
  }
  co_return Result<void>();
}

// One open order of the saved state gets a span in this trace.
net::task<Result<void>> SessionRun::continue_order(std::string client_id, Decimal remaining,
                                                   bool exchange_forgot) {
  persistence::OrderRepository repository(*services_.database);
  Result<std::optional<persistence::OrderRow>> found = repository.find(client_id);
  if (!found) co_return std::unexpected(found.error());
  if (!*found) {
    co_return fail(ErrorCode::data_loss, "order " + client_id + " of the saved state has no row");
  }
  persistence::OrderRow row = std::move(**found);
  observability::Span span = observability::span("paper.session.submit_order",
                                                 {{"order.client_id", row.client_order_id},
                                                  {"order.side", row.side},
                                                  {"order.type", row.order_type},
                                                  {"order.quantity", row.quantity.to_double()},
                                                  {"market.symbol", row.vt_symbol},
                                                  {"paper.resumed", true}});
  // As it was then: what came after will be told again.
  row.filled_quantity = row.quantity - remaining;
  const bool untouched = row.filled_quantity.is_zero();
  if (untouched) row.average_price.reset();
  const bool unanswered = row.broker_order_id.empty();
  row.status = to_string(!untouched   ? OrderStatus::partial
                         : unanswered ? OrderStatus::submitting
                                      : OrderStatus::new_order);
  if (config_.live_venue()) {
    // What became of it is asked for before the next bar (see ask_about_orders).
  } else if (exchange_forgot || unanswered) {  // or it never arrived
    Result<OrderRequest> request = request_of(row, remaining);
    if (!request) co_return std::unexpected(request.error());
    const Result<Order> order = co_await broker_->submit_order(std::move(*request));
    if (!order) co_return std::unexpected(order.error());
    row.broker_order_id = order->id.value;
    row.status = to_string(untouched ? OrderStatus::new_order : OrderStatus::partial);
  }
  const observability::SpanContext context = span.context();
  if (context.is_valid()) {
    row.trace_id = context.trace_id.to_hex();
    row.span_id = context.span_id.to_hex();
  }
  orders_.open(std::move(span), std::move(row));
  co_return Result<void>();
}

net::task<Result<void>> SessionRun::continue_orders(bool exchange_forgot) {
  const json::object saved = loop_->state();
  for (const json::value& open : saved.at("open_orders").as_array()) {
    std::string client_id(open.at("client_order_id").as_string());
    const Result<Decimal> remaining = Decimal::parse(open.at("remaining").as_string());
    if (!remaining) co_return std::unexpected(remaining.error());
    const Result<void> done =
        co_await continue_order(std::move(client_id), *remaining, exchange_forgot);
    if (!done) co_return done;
  }
  co_return Result<void>();
}

net::task<Result<void>> SessionRun::open() {
  co_await set_status("bootstrapping", "");
  auto strategy = make_strategy(config_.run.strategy, config_.run.strategy_params);
  if (!strategy) co_return std::unexpected(strategy.error());
  DecisionLoopConfig loop_config;
  loop_config.run_id = run_id_;
  loop_config.initial_cash = config_.run.matching.initial_cash;
  loop_config.risk = config_.run.risk;
  loop_config.history_window = config_.run.history_window_bars;
  Result<DecisionLoop> loop = DecisionLoop::create(std::move(loop_config), std::move(*strategy));
  if (!loop) co_return std::unexpected(loop.error());
  loop_ = std::make_unique<DecisionLoop>(std::move(*loop));
  const Result<std::vector<VtSymbol>> symbols = universe();
  if (!symbols) co_return std::unexpected(symbols.error());
  if (config_.live_feed()) {
    steps_total_ = config_.run.max_bars.value_or(0);  // 0: nobody knows
  } else {
    Result<Dataset> data = load_bars(*symbols);
    if (!data) co_return std::unexpected(data.error());
    data_ = std::move(*data);
    TimeSteps count(data_);
    const std::int64_t most = config_.run.max_bars.value_or(INT64_MAX);
    while (steps_total_ < most && count.next()) ++steps_total_;
  }

  co_await set_status("warming_up", "");
  if (const Result<void> warm = warm_up(*symbols); !warm) co_return warm;
  if (resumed_) {
    if (const Result<void> known = recorder_.load_known(); !known) co_return known;
    if (const Result<void> restored = restore_state(); !restored) co_return restored;
  }
  ready_ = true;
  co_return co_await open_market(*symbols);
}

// Where bars come from and orders go to.
net::task<Result<void>> SessionRun::open_market(const std::vector<VtSymbol>& symbols) {
  if (const Result<void> live = open_live(symbols); !live) co_return live;
  if (!config_.live_venue()) {
    SimConfig sim;
    sim.base_url = config_.base_url.empty() ? services_.exchange_url : config_.base_url;
    sim.key_id = run_id_;
    sim.terms = config_.run.matching;
    sim.retry = services_.retry;
    sim.timeout = services_.venue_timeout;
    sim.waiting = services_.waiting;
    sim.observer = services_.observer;
    sim_ = std::make_unique<SimBroker>(std::move(sim), *services_.http);
    broker_ = sim_.get();
    co_return co_await open_account();
  }
  const Result<void> connected = co_await broker_->connect();
  if (!connected) co_return connected;
  const Result<void> continued = co_await continue_orders(false);
  if (!continued) co_return continued;
  // What an earlier life decided and did not come to send goes out when it is known what became of
  // its orders, unless the session was asked to stop meanwhile.
  if (const Result<void> asked = co_await ask_about_orders(); !asked) co_return asked;
  if (!decisions_.empty()) co_await look_for_stop(*services_.bus, task_id_, interrupts_);
  co_return co_await submit_decisions();
}

}  // namespace alphaswarm::trading::paper
