#pragma once

// The bars of a live session: each bar of the symbols once, in order, whatever becomes of the
// connection. What a stream missed while it was away is asked for by REST before it goes on.

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "alphaswarm/base/time.hpp"
#include "alphaswarm/net/task.hpp"
#include "alphaswarm/trading/feed/alpaca_data.hpp"
#include "alphaswarm/trading/feed/bar_steps.hpp"

namespace alphaswarm::trading {

struct AlpacaFeedConfig {
  std::vector<VtSymbol> symbols;  // with different tickers: Alpaca names no exchange
  Interval interval = Interval::minute;
  bool stream = true;  // false: ask every `poll`
  std::chrono::nanoseconds poll = std::chrono::seconds(5);
  std::chrono::nanoseconds grace = std::chrono::seconds(2);  // see BarSteps::take
  UnixNanos after;                                           // bars up to it are not wanted
  std::function<void()> wake;                                // called when take() may have more
  std::function<UnixNanos()> now = now_unix;                 // replaced by tests
};

// run() is one task's, the rest anybody's.
class AlpacaFeed {
 public:
  // `data` MUST outlive the feed.
  AlpacaFeed(AlpacaData& data, AlpacaFeedConfig config);

  // Until the task is asked to stop, or a failure that trying again cannot mend (see failure).
  // While no stream can be had, bars are asked for instead.
  net::task<void> run();
  [[nodiscard]] std::optional<BarStep> take();
  // Everything until now has been asked for, and take() has given it.
  [[nodiscard]] bool caught_up() const;
  // Credentials, feed or symbols were refused.
  [[nodiscard]] std::optional<Error> failure() const;
  // Streams opened so far.
  [[nodiscard]] int connections() const noexcept { return connections_.load(); }

 private:
  net::task<Result<void>> listen();
  // All complete bars since the last step that was taken, up to `until`: of several symbols one may
  // be late, so what waits to be taken is asked for again.
  net::task<Result<void>> catch_up(UnixNanos until);
  net::task<Result<void>> fetch(UnixNanos start, UnixNanos end, std::vector<TickerBar>& into);
  void add(const std::vector<TickerBar>& bars);
  [[nodiscard]] UnixNanos last_complete() const;
  [[nodiscard]] UnixNanos taken() const;
  void set_listening(bool listening);

  AlpacaData& data_;
  const AlpacaFeedConfig config_;
  std::map<std::string, VtSymbol, std::less<>> symbols_;  // by ticker
  std::vector<std::string> tickers_;
  std::atomic<int> connections_{0};
  std::atomic<bool> opened_{false};  // in this try; run() and listen() only
  mutable std::mutex mutex_;
  BarSteps steps_;                // guarded by mutex_
  std::optional<Error> failure_;  // guarded by mutex_
  bool asked_ = false;            // guarded by mutex_: the last time it was asked, all came
  std::int64_t asked_at_ = 0;     // guarded by mutex_: when that was, monotonic
  bool listening_ = false;        // guarded by mutex_: a stream tells whatever comes
  net::AsyncEvent room_;          // set by take()
};

}  // namespace alphaswarm::trading
