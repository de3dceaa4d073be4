#pragma once

// A paper session: bars of the past, decided on one by one as if they were new, or bars as they
// happen, with orders that go over HTTP to an exchange or a broker and come back as fills. One
// session is one trace.

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/persistence/database.hpp"
#include "alphaswarm/persistence/run_repository.hpp"
#include "alphaswarm/tasks/bus.hpp"
#include "alphaswarm/tasks/progress.hpp"
#include "alphaswarm/trading/broker/broker.hpp"
#include "alphaswarm/trading/broker/venue_client.hpp"
#include "alphaswarm/trading/feed/alpaca_data.hpp"
#include "alphaswarm/trading/kill_switch/kill_switch.hpp"
#include "alphaswarm/trading/paper/session_config.hpp"

namespace alphaswarm::trading::paper {

// Where real orders go and real bars come from, as far as they are configured; null: not.
struct LiveServices {
  Broker* alpaca = nullptr;
  Broker* tradier = nullptr;
  AlpacaData* data = nullptr;
};

// What a session works with. Everything a pointer or reference names MUST outlive the sessions.
struct Services {
  std::shared_ptr<persistence::Database> database;
  std::shared_ptr<tasks::Bus> bus;
  std::shared_ptr<tasks::ProgressBus> progress;  // may be null: nobody watches
  net::HttpClient* http = nullptr;
  std::string exchange_url;  // "http://127.0.0.1:8100", unless the session names another
  LiveServices live;
  // The paper trader's: all spans from paper.session.run down are its. Null: inherited.
  observability::TracerProvider* provider = nullptr;
  std::string kill_switch_key = std::string(kKillSwitchKey);
  net::HttpClientObserver* observer = nullptr;  // of the broker's stream
  RetryPolicy retry;  // of the simulated exchange's client, and of a live venue's streams
  std::chrono::milliseconds venue_timeout{10'000};  // of one try at the simulated exchange
  Waiting waiting;                                  // likewise; for tests
  std::function<UnixNanos()> now = now_unix;        // what the market's clock says; for tests
  // When the worker stops: true leaves the session as it is, for another worker to resume (the
  // task goes back to the queue); false ends it as cancelled.
  bool resume_after_worker_stop = false;
};

// States: pending → bootstrapping → warming_up → running → stopping → completed | cancelled |
// error; halted while nothing may be traded; stale when the heartbeat was missed.
struct SessionResult {
  std::string run_id;
  std::string trace_id;  // empty if not traced
  std::string status;    // completed, cancelled or error
  std::string reason;    // why, unless completed
  std::int64_t bars_seen = 0;
  std::int64_t orders = 0;  // rows of this run, refused ones included
  std::int64_t fills = 0;
  Money initial_cash, final_equity, realised;
  double max_drawdown = 0;
};
[[nodiscard]] boost::json::object to_json(const SessionResult& result);

struct SessionRequest {
  SessionConfig config;
  std::string run_name;  // empty: the configuration's
  std::string task_id;   // names the progress and stop channels; empty: the run id does
  std::string run_id;    // empty: a new UUID; a known one is resumed
};

// Runs a session to its end, or resumes the run of that id from its last saved state: nothing it
// did since then is done twice. The run's row exists from the first moment.
//
// A stop signal, an engaged kill switch (unless the session waits for its release) and a request to
// stop this task end it as `cancelled`, with its open orders cancelled: that is a result. Errors
// are what kept it from going on, and stand in the row as status `error` too: invalid_argument,
// not_found (no bars), unavailable (the exchange or the database is gone); and cancelled, where
// resume_after_worker_stop left it for another worker.
[[nodiscard]] net::task<Result<SessionResult>> run_session(Services& services,
                                                           SessionRequest request);

// Whether the run has ended: no session goes on with it, or writes its rows.
[[nodiscard]] bool is_over(const persistence::RunRow& row) noexcept;

// The state to show for a run: `stale`, with the reason, if it should be alive and has missed three
// heartbeats; otherwise the row's own.
struct ShownStatus {
  std::string status, reason;
};
[[nodiscard]] ShownStatus shown_status(const persistence::RunRow& row, UnixNanos now);
// Writes `stale` into the rows of runs that are; how many.
[[nodiscard]] Result<int> mark_stale_runs(persistence::Database& database, UnixNanos now);

}  // namespace alphaswarm::trading::paper
