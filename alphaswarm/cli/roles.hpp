#pragma once

// The four services as parts of a process: `up` starts all of them, the other commands one or two.
// Each has a tracer provider of its own, so that they keep their names in one process.

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "alphaswarm/cli/settings.hpp"
#include "alphaswarm/cli/signals.hpp"
#include "alphaswarm/cli/venues.hpp"
#include "alphaswarm/instrumentation/http_client.hpp"
#include "alphaswarm/instrumentation/http_server.hpp"
#include "alphaswarm/instrumentation/redis.hpp"
#include "alphaswarm/instrumentation/sql.hpp"
#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/net/http_server.hpp"
#include "alphaswarm/net/redis.hpp"
#include "alphaswarm/net/runtime.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/batch_sink.hpp"
#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/persistence/database.hpp"
#include "alphaswarm/tasks/broker.hpp"
#include "alphaswarm/tasks/bus.hpp"
#include "alphaswarm/tasks/foreign_results.hpp"
#include "alphaswarm/tasks/progress.hpp"
#include "alphaswarm/tasks/queue.hpp"
#include "alphaswarm/tasks/remote_control.hpp"
#include "alphaswarm/tasks/worker.hpp"
#include "alphaswarm/trading/broker/desk_broker.hpp"
#include "alphaswarm/trading/exchange/exchange.hpp"
#include "alphaswarm/trading/kill_switch/kill_switch.hpp"
#include "alphaswarm/trading/paper/session.hpp"

namespace alphaswarm::cli {

// What every role is started with.
struct Start {
  const config::Environment& environment;
  const Settings& settings;
  std::shared_ptr<observability::BatchSink> sink;  // in-process collector, or null
  Signals* signals = nullptr;                      // outlives the roles
};

// The provider of one service, and its last words.
class Telemetry {
 public:
  // `suffix` is "-api", "-worker", …. Off (no provider) where neither a sink nor an endpoint is
  // set: then nothing is traced and no connection is tried.
  [[nodiscard]] static Result<Telemetry> create(const Start& start, std::string_view suffix);

  [[nodiscard]] observability::TracerProvider* provider() noexcept { return provider_.get(); }
  // Sends what is left and says what became of all spans:
  // "tracing: <service> started=… exported=… dropped=… open=…[ spilled=…]".
  void stop();

 private:
  std::string service_;
  std::unique_ptr<observability::TracerProvider> provider_;
  std::vector<observability::metrics::Observation> health_;  // goes before it
};

// Database, queue, bus: what API and worker share.
struct Backbone {
  [[nodiscard]] static Result<std::unique_ptr<Backbone>> open(const Start& start);

  instrumentation::TracingSqlObserver sql_observer;
  instrumentation::TracingRedisObserver redis_observer;
  std::unique_ptr<net::Runtime> redis_runtime;  // where its sockets live; null over memory://
  std::shared_ptr<net::RedisClient> redis, redis_pubsub;  // shared with bus and broker; may be one
  std::shared_ptr<persistence::Database> database;
  std::shared_ptr<tasks::Bus> bus;
  std::shared_ptr<tasks::Broker> broker;
  std::shared_ptr<tasks::ProgressBus> progress;
  std::unique_ptr<tasks::TaskQueue> queue;
  std::shared_ptr<tasks::ForeignResults> results;  // shared with the task that watches for them
  std::unique_ptr<trading::KillSwitch> kill_switch;

 private:
  [[nodiscard]] Result<void> open_redis(const Settings& settings);
};

// What paper sessions work with. All arguments MUST outlive the sessions.
[[nodiscard]] trading::paper::Services session_services(
    const Start& start, const Backbone& backbone, net::HttpClient& http, const LiveVenues& live,
    net::HttpClientObserver* observer, Telemetry& telemetry);

class ExchangeRole {
 public:
  [[nodiscard]] static Result<std::unique_ptr<ExchangeRole>> start(const Start& start);
  void stop();
  [[nodiscard]] std::string url() const { return exchange_->base_url(); }

 private:
  ExchangeRole(Telemetry telemetry, instrumentation::UrlFilter excluded);
  Telemetry telemetry_;
  instrumentation::TracingHttpServerObserver observer_;
  net::Runtime runtime_{"exchange", 1};
  std::unique_ptr<trading::exchange::Exchange> exchange_;
};

class WorkerRole {
 public:
  // `backbone` MUST outlive it.
  [[nodiscard]] static Result<std::unique_ptr<WorkerRole>> start(const Start& start,
                                                                 Backbone& backbone,
                                                                 std::vector<std::string> queues);
  void stop();

 private:
  WorkerRole(Telemetry worker, Telemetry paper, const Settings& settings);
  Telemetry worker_telemetry_;
  Telemetry paper_telemetry_;
  instrumentation::TracingHttpClientObserver client_observer_;
  net::Runtime runtime_;
  net::HttpClient http_;
  std::optional<LiveVenues> live_;
  trading::paper::Services sessions_;
  std::stop_source watch_stop_;  // of who looks whether Redis has lost its tasks, and after orders
  std::unique_ptr<tasks::Worker> worker_;
  std::unique_ptr<tasks::RemoteControl> control_;  // null over memory://
};

class ApiRole {
 public:
  // `backbone` MUST outlive it.
  [[nodiscard]] static Result<std::unique_ptr<ApiRole>> start(const Start& start,
                                                              Backbone& backbone);
  // No new requests; those in progress finish.
  void stop_serving();
  void stop();
  [[nodiscard]] std::string url() const;

 private:
  ApiRole(Telemetry telemetry, instrumentation::UrlFilter excluded, unsigned blocking_threads);
  Telemetry telemetry_;
  instrumentation::TracingHttpServerObserver server_observer_;
  instrumentation::TracingHttpClientObserver client_observer_;
  net::Runtime runtime_;
  net::HttpClient http_;
  std::unique_ptr<trading::DeskBroker> sim_;  // orders by hand, on an account of their own
  std::optional<LiveVenues> live_;
  std::stop_source watch_stop_;  // as the worker's, and of who notes others' results
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace alphaswarm::cli
