#include "alphaswarm/trading/broker/desk_broker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/persistence/bar_repository.hpp"

namespace alphaswarm::trading {
namespace {

constexpr std::size_t kMaxNews = 10'000;

}  // namespace

std::vector<BrokerUpdate> DeskBroker::take_news() {
  const std::scoped_lock lock(news_mutex_);
  return std::exchange(news_, {});
}

void DeskBroker::keep(std::vector<BrokerUpdate> updates, const ClientOrderId& own,
                      const ClientOrderId& told) {
  const std::scoped_lock lock(news_mutex_);
  std::ranges::copy_if(std::make_move_iterator(updates.begin()),
                       std::make_move_iterator(updates.end()), std::back_inserter(news_),
                       [&](const BrokerUpdate& update) {
                         const ClientOrderId& id = update.order.request.client_id;
                         return id != own && id != told;
                       });
  if (news_.size() <= kMaxNews) return;
  const auto excess = static_cast<std::ptrdiff_t>(news_.size() - kMaxNews);
  news_.erase(news_.begin(), news_.begin() + excess);
  log_warning("broker", fmt::format("{} updates of orders by hand were taken by nobody", excess));
}

Result<Bar> DeskBroker::last_close(const VtSymbol& symbol) const {
  persistence::BarRepository bars(database_);
  const auto interval = bars.usual_interval(symbol.text());
  if (!interval) return std::unexpected(interval.error());
  persistence::BarQuery query;
  query.vt_symbol = symbol.text();
  if (*interval) query.interval = **interval;
  query.limit = 1;
  query.latest = true;
  const auto rows = bars.load(query);
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) {
    return fail(ErrorCode::not_found,
                "the database has no bar of " + symbol.text() + " to trade at: ingest some first");
  }
  const Price close(rows->front().close);
  return Bar{{}, close, close, close, close, Quantity(rows->front().volume)};
}

net::task<Result<void>> DeskBroker::open_market() {
  if (next_index_ >= 0) co_return Result<void>();
  SimRestore nothing;
  const Result<SimOpened> opened = co_await open(std::move(nothing));
  if (!opened) co_return std::unexpected(opened.error());
  next_index_ = opened->last_bar_index + 1;
  co_return Result<void>();
}

net::task<Result<void>> DeskBroker::repeat_unanswered(const ClientOrderId& own) {
  if (!unanswered_) co_return Result<void>();
  const std::array bars{unanswered_->bar};
  Result<SimStep> step = co_await advance(unanswered_->index, bars);
  if (step) {
    next_index_ = unanswered_->index + 1;
    keep(std::move(step->updates), own, unanswered_->told);
  } else if (is_refusal(step.error().code)) {
    log_warning("broker", fmt::format("what bar {} did to orders by hand is not known: {}",
                                      unanswered_->index, step.error().message));
    next_index_ = -1;
  } else {
    co_return std::unexpected(step.error());
  }
  unanswered_.reset();
  co_return Result<void>();
}

net::task<Result<void>> DeskBroker::step(SymbolBar bar, const ClientOrderId& own) {
  unanswered_ = Unanswered{next_index_, std::move(bar), {}};
  const std::array bars{unanswered_->bar};
  Result<SimStep> step = co_await advance(next_index_, bars);
  if (step) {
    ++next_index_;
    keep(std::move(step->updates), own, {});
  } else if (is_refusal(step.error().code)) {
    next_index_ = -1;
  } else {
    co_return std::unexpected(step.error());
  }
  unanswered_.reset();
  if (!step) co_return std::unexpected(step.error());
  co_return Result<void>();
}

net::task<Result<void>> DeskBroker::show(const VtSymbol& symbol, Bar bar,
                                         const ClientOrderId& own) {
  const Result<void> repeated = co_await repeat_unanswered(own);
  if (!repeated) co_return repeated;
  for (bool again = false;; again = true) {
    if (const Result<void> opened = co_await open_market(); !opened) co_return opened;
    bar.timestamp = now_unix();
    SymbolBar one{symbol, bar};
    const Result<void> seen = co_await step(std::move(one), own);
    // Another process may have moved the market of the account meanwhile, or the exchange was
    // restarted and has forgotten it.
    const bool elsewhere = !seen && (seen.error().code == ErrorCode::invalid_argument ||
                                     seen.error().code == ErrorCode::not_found);
    if (again || !elsewhere) co_return seen;
  }
}

net::task<Result<Order>> DeskBroker::submit_order(OrderRequest request) {
  const Result<net::AsyncMutex::Guard> turn = co_await one_at_a_time_.lock();
  if (!turn) co_return std::unexpected(turn.error());
  const Result<Bar> bar = last_close(request.symbol);
  if (!bar) co_return std::unexpected(bar.error());
  const VtSymbol symbol = request.symbol;
  const ClientOrderId own = request.client_id;
  const Result<void> listed = co_await show(symbol, *bar, own);
  if (!listed) co_return std::unexpected(listed.error());
  Result<Order> order = co_await SimBroker::submit_order(std::move(request));
  if (!order || is_final(order->status)) co_return order;
  // It is placed, whatever comes of this. A bar without an answer may have filled it.
  std::ignore = co_await show(symbol, *bar, own);
  Result<Order> now = co_await query_order(order->id);
  if (!now) co_return order;
  // Told here; the step, when it is repeated, tells it of the others.
  if (unanswered_ && !now->filled.is_zero()) unanswered_->told = own;
  co_return now;
}

}  // namespace alphaswarm::trading
