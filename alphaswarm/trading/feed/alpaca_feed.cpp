#include "alphaswarm/trading/feed/alpaca_feed.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/base/log.hpp"
#include "alphaswarm/base/random.hpp"
#include "alphaswarm/observability/tracing.hpp"

namespace alphaswarm::trading {

namespace otel = alphaswarm::observability;

namespace {

constexpr std::string_view kPart = "feed";
// Asked for in pieces of this many intervals: a page holds all bars of one symbol before those of
// the next, so a piece must be whole before its first step is.
constexpr std::int64_t kIntervalsAtOnce = 5'000;
constexpr std::int64_t kLongestPiece = 20LL * 366 * 86'400 * 1'000'000'000;
constexpr std::size_t kMaxWaiting = 20'000;  // steps the session has yet to take

Counter& reconnects() {
  static Counter& counter = alphaswarm::counter("alphaswarm_feed_reconnects_total", "",
                                                "Market data streams that ended and were opened "
                                                "again.");
  return counter;
}
Counter& dropped() {
  static Counter& counter =
      alphaswarm::counter("alphaswarm_feed_bars_dropped_total", "",
                          "Bars that came once more, or after their step was worked on.");
  return counter;
}

bool is_final(const Error& error) {
  return error.code == ErrorCode::unauthenticated || error.code == ErrorCode::invalid_argument ||
         error.code == ErrorCode::permission_denied || error.code == ErrorCode::cancelled;
}

}  // namespace

AlpacaFeed::AlpacaFeed(AlpacaData& data, AlpacaFeedConfig config)
    : data_(data),
      config_(std::move(config)),
      steps_(config_.symbols.size(), config_.after, config_.grace.count()) {
  for (const VtSymbol& symbol : config_.symbols) {
    symbols_.emplace(symbol.ticker(), symbol);
    tickers_.emplace_back(symbol.ticker());
  }
}

UnixNanos AlpacaFeed::taken() const {
  const std::scoped_lock lock(mutex_);
  return steps_.taken();
}

void AlpacaFeed::set_listening(bool listening) {
  const std::scoped_lock lock(mutex_);
  listening_ = listening;
}

// The start of the last bar that has ended for sure.
UnixNanos AlpacaFeed::last_complete() const {
  return {config_.now().value - longest_ns(config_.interval)};
}

std::optional<BarStep> AlpacaFeed::take() {
  const std::scoped_lock lock(mutex_);
  auto step = steps_.take(listening_ ? monotonic_ns() : asked_at_);
  if (step) room_.set();
  return step;
}

bool AlpacaFeed::caught_up() const {
  const std::scoped_lock lock(mutex_);
  return asked_ && steps_.waiting() == 0;
}

std::optional<Error> AlpacaFeed::failure() const {
  const std::scoped_lock lock(mutex_);
  return failure_;
}

void AlpacaFeed::add(const std::vector<TickerBar>& bars) {
  {
    const std::scoped_lock lock(mutex_);
    for (const TickerBar& one : bars) {
      const auto symbol = symbols_.find(one.ticker);
      if (symbol == symbols_.end()) continue;
      if (!steps_.add({symbol->second, one.bar}, monotonic_ns())) dropped().add();
    }
  }
  if (!bars.empty() && config_.wake) config_.wake();
}

net::task<Result<void>> AlpacaFeed::fetch(UnixNanos start, UnixNanos end,
                                          std::vector<TickerBar>& into) {
  std::string token;
  do {
    AlpacaData::PageQuery query{tickers_, config_.interval, start, end, token};
    Result<AlpacaData::Page> page = co_await data_.bars(std::move(query));
    if (!page) co_return std::unexpected(page.error());
    std::ranges::move(page->bars, std::back_inserter(into));
    if (page->next == token && !token.empty()) {
      co_return fail(ErrorCode::data_loss, "alpaca data: a page names itself as the next");
    }
    token = std::move(page->next);
  } while (!token.empty());
  co_return Result<void>();
}

net::task<Result<void>> AlpacaFeed::catch_up(UnixNanos until) {
  const std::int64_t began = monotonic_ns();
  {
    const std::scoped_lock lock(mutex_);
    asked_ = false;  // until all of it has come
  }
  const std::int64_t piece =
      std::min(kLongestPiece, kIntervalsAtOnce * longest_ns(config_.interval));
  for (std::int64_t start = taken().value + 1; start <= until.value;) {
    const std::int64_t end = until.value - start > piece ? start + piece : until.value;
    std::vector<TickerBar> bars;
    const Result<void> fetched = co_await fetch({start}, {end}, bars);
    if (!fetched) co_return fetched;
    add(bars);
    start = end + 1;
    for (;;) {
      room_.reset();
      {
        const std::scoped_lock lock(mutex_);
        if (steps_.waiting() < kMaxWaiting) break;
      }
      const Result<void> taken = co_await room_.wait();
      if (!taken) co_return taken;
    }
  }
  {
    const std::scoped_lock lock(mutex_);
    asked_ = true;
    asked_at_ = began;
  }
  // A step may have waited for just that.
  if (config_.wake) config_.wake();
  co_return Result<void>();
}

net::task<Result<void>> AlpacaFeed::listen() {
  Result<AlpacaBarStream> stream = co_await data_.stream(tickers_);
  if (!stream) {
    if (!is_final(stream.error())) {
      const Result<void> asked = co_await catch_up(last_complete());
      if (!asked && is_final(asked.error())) co_return asked;
    }
    co_return std::unexpected(stream.error());
  }
  if (connections_.fetch_add(1) > 0) reconnects().add();
  opened_ = true;
  Result<void> asked = co_await catch_up(last_complete());
  if (asked) set_listening(true);
  bool first = true;
  while (asked) {
    auto bars = co_await stream->next();
    if (!bars) co_return std::unexpected(bars.error());
    if (!*bars) co_return fail(ErrorCode::unavailable, "alpaca data closed the stream");
    if (std::exchange(first, false)) {
      // A bar may have gone out just before the subscription, and not have been to be had by REST
      // when that was asked.
      UnixNanos oldest = (*bars)->front().bar.timestamp;
      for (const TickerBar& one : **bars) oldest = std::min(oldest, one.bar.timestamp);
      asked = co_await catch_up({oldest.value - 1});
      if (!asked) break;
    }
    add(**bars);
  }
  co_await stream->close();
  co_return asked;
}

net::task<void> AlpacaFeed::run() {
  for (int failures = 0;;) {
    opened_ = false;
    const Result<void> done =
        config_.stream ? co_await listen() : co_await catch_up(last_complete());
    set_listening(false);
    if (!done && is_final(done.error())) {
      if (done.error().code == ErrorCode::cancelled) co_return;
      {
        const std::scoped_lock lock(mutex_);
        failure_ = done.error();
      }
      if (config_.wake) config_.wake();
      co_return;
    }
    if (!done) {
      const std::scoped_lock lock(mutex_);
      asked_ = false;  // bars may have come since, which nobody has heard of
    }
    failures = done || opened_ ? 1 : failures + 1;
    std::chrono::nanoseconds wait = config_.poll;
    if (!done) {
      wait = backoff(data_.config().retry, failures, thread_random().uniform());
      otel::event_on_current("feed.interrupted",
                             {{"reason", done.error().message},
                              {"retry.delay_ms", static_cast<double>(wait.count()) * 1e-6}});
      log_warning(kPart, fmt::format("{}; again in {:.1f} s", done.error().message,
                                     static_cast<double>(wait.count()) * 1e-9));
    }
    const Result<void> slept = co_await net::sleep_for(wait);
    if (!slept) co_return;
  }
}

}  // namespace alphaswarm::trading
