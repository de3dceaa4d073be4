#include "alphaswarm/cli/roles.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "alphaswarm/api/api.hpp"
#include "alphaswarm/api/hand_orders.hpp"
#include "alphaswarm/base/log.hpp"
#include "alphaswarm/cli/pages.hpp"
#include "alphaswarm/cli/version.hpp"
#include "alphaswarm/tasks/host.hpp"
#include "alphaswarm/tasks/redis_broker.hpp"
#include "alphaswarm/tasks/redis_bus.hpp"
#include "alphaswarm/tasks/unfinished.hpp"
#include "alphaswarm/trading/backtest/backtest_task.hpp"
#include "alphaswarm/trading/ingestion/ingestion_task.hpp"
#include "alphaswarm/trading/paper/left_orders.hpp"
#include "alphaswarm/trading/paper/paper_tasks.hpp"

namespace alphaswarm::cli {
namespace {

// Each service must be down within two seconds of the signal, the last flush included.
constexpr std::chrono::milliseconds kTaskGrace{900};
constexpr std::chrono::milliseconds kFlushLimit{700};

std::optional<api::Page> dashboard_page(std::string_view path) {
  std::string name(path);
  if (name == "/docs") name = "/dash/docs.html";
  const bool asset = name.find("/assets/") != std::string::npos;
  const EmbeddedFile* file = find_page(name);
  if (file == nullptr && !asset) file = find_page("/dash/index.html");
  if (file == nullptr) return std::nullopt;
  return api::Page{file->content_type, file->encoding, file->bytes, asset};
}

// Nothing over memory://.
std::vector<api::HealthCheck> redis_checks(const Backbone& backbone) {
  std::vector<api::HealthCheck> checks;
  const auto add = [&](std::string name, std::shared_ptr<net::RedisClient> client) {
    auto ask = [client]() -> net::task<Result<std::string>> {
      const Result<void> answer = co_await client->ping();
      if (!answer) co_return std::unexpected(answer.error());
      co_return client->where();
    };
    checks.push_back({std::move(name), true, std::move(ask)});
  };
  if (backbone.redis) add("redis", backbone.redis);
  if (backbone.redis_pubsub != backbone.redis) add("redis_pubsub", backbone.redis_pubsub);
  return checks;
}

Result<instrumentation::UrlFilter> excluded_urls(const Start& start) {
  auto filter = instrumentation::UrlFilter::parse(start.settings.excluded_urls);
  if (!filter) {
    return fail(filter.error().code, "ALPHASWARM_OTEL_EXCLUDED_URLS: " + filter.error().message);
  }
  return filter;
}

}  // namespace

Result<Telemetry> Telemetry::create(const Start& start, std::string_view suffix) {
  auto config = observability::config_from_environment(start.environment, suffix);
  if (!config) return std::unexpected(config.error());
  config->sink = start.sink;
  identify(config->resource);
  Telemetry telemetry;
  telemetry.service_ = config->service_name;
  if (config->endpoint.empty() && !config->sink) return telemetry;
  auto provider = observability::TracerProvider::create(std::move(*config));
  if (!provider) return std::unexpected(provider.error());
  telemetry.provider_ = std::move(*provider);
  if (start.signals != nullptr) telemetry.health_ = start.signals->observe(*telemetry.provider_);
  return telemetry;
}

void Telemetry::stop() {
  if (!provider_) return;
  static_cast<void>(provider_->shutdown(kFlushLimit));
  const observability::Stats stats = provider_->stats();
  const std::string spilled =
      stats.spilled != 0 ? fmt::format(" spilled={}", stats.spilled) : std::string();
  log_info("tracing",
           fmt::format("{} started={} exported={} dropped={} open={}{}", service_, stats.started,
                       stats.exported, stats.dropped.total(), stats.open, spilled));
}

Result<std::unique_ptr<Backbone>> Backbone::open(const Start& start) {
  auto backbone = std::make_unique<Backbone>();
  backbone->sql_observer.set_comments(start.settings.sql_comments);
  persistence::DatabaseOptions options = start.settings.database;
  options.observer = &backbone->sql_observer;
  auto database = persistence::Database::open(start.settings.database_url, options);
  if (!database) return std::unexpected(database.error());
  backbone->database = std::move(*database);
  if (auto done = persistence::migrate(*backbone->database); !done) {
    return std::unexpected(done.error());
  }
  if (is_memory(start.settings)) {
    backbone->bus = tasks::make_memory_bus();
    backbone->broker = tasks::make_memory_broker();
  } else if (auto done = backbone->open_redis(start.settings); !done) {
    return std::unexpected(done.error());
  }
  backbone->progress = std::make_shared<tasks::ProgressBus>(backbone->bus, backbone->database);
  backbone->queue =
      std::make_unique<tasks::TaskQueue>(backbone->broker, backbone->bus, backbone->database);
  backbone->results = std::make_shared<tasks::ForeignResults>(backbone->broker, backbone->database,
                                                              backbone->progress);
  backbone->kill_switch = std::make_unique<trading::KillSwitch>(backbone->bus, backbone->database,
                                                                start.settings.kill_switch_key);
  return backbone;
}

Result<void> Backbone::open_redis(const Settings& settings) {
  const auto client_of = [&](const std::string& url) -> Result<std::shared_ptr<net::RedisClient>> {
    auto config = net::parse_redis_url(url);
    if (!config) return std::unexpected(config.error());
    config->observer = &redis_observer;
    return std::make_shared<net::RedisClient>(*redis_runtime, std::move(*config));
  };
  redis_runtime = std::make_unique<net::Runtime>("redis", 1);
  auto keys = client_of(settings.redis_url);
  if (!keys) return std::unexpected(keys.error());
  redis = redis_pubsub = std::move(*keys);
  if (settings.redis_pubsub_url != settings.redis_url) {
    auto pubsub = client_of(settings.redis_pubsub_url);
    if (!pubsub) return std::unexpected(pubsub.error());
    redis_pubsub = std::move(*pubsub);
  }
  const auto alive = net::block_on(*redis_runtime, redis->ping());
  // One that is away may come back while we wait for it; a refusal does not go away by itself.
  if (!alive && alive.error().code == ErrorCode::permission_denied) {
    return std::unexpected(alive.error());
  }
  if (alive) log_info("redis", "connected to " + redis->where());
  bus = tasks::make_redis_bus(redis, redis_pubsub);
  tasks::RedisBrokerOptions options;
  options.visibility_timeout = settings.task_visibility;
  options.restore_interval = std::min(options.restore_interval, options.visibility_timeout / 4);
  broker = tasks::make_redis_broker(*redis_runtime, redis, options);
  return {};
}

trading::paper::Services session_services(const Start& start, const Backbone& backbone,
                                          net::HttpClient& http, const LiveVenues& live,
                                          net::HttpClientObserver* observer, Telemetry& telemetry) {
  trading::paper::Services services;
  services.database = backbone.database;
  services.bus = backbone.bus;
  services.progress = backbone.progress;
  services.http = &http;
  services.exchange_url = start.settings.exchange_url;
  services.live = live.services();
  services.observer = observer;
  services.provider = telemetry.provider();
  services.kill_switch_key = start.settings.kill_switch_key;
  // Over Redis the message of an interrupted session goes to another worker.
  services.resume_after_worker_stop = !is_memory(start.settings);
  return services;
}

// ---- exchange

ExchangeRole::ExchangeRole(Telemetry telemetry, instrumentation::UrlFilter excluded)
    : telemetry_(std::move(telemetry)), observer_(telemetry_.provider(), std::move(excluded)) {}

Result<std::unique_ptr<ExchangeRole>> ExchangeRole::start(const Start& start) {
  auto telemetry = Telemetry::create(start, "-exchange");
  if (!telemetry) return std::unexpected(telemetry.error());
  auto excluded = excluded_urls(start);
  if (!excluded) return std::unexpected(excluded.error());
  std::unique_ptr<ExchangeRole> role(new ExchangeRole(std::move(*telemetry), std::move(*excluded)));
  trading::exchange::ExchangeConfig config;
  config.address = start.settings.exchange.host;
  config.port = start.settings.exchange.port;
  config.observer = &role->observer_;
  auto exchange = trading::exchange::Exchange::start(role->runtime_, std::move(config));
  if (!exchange) return std::unexpected(exchange.error());
  role->exchange_ = std::move(*exchange);
  return role;
}

void ExchangeRole::stop() {
  if (exchange_) exchange_->stop();
  runtime_.stop();
  telemetry_.stop();
}

// ---- worker

WorkerRole::WorkerRole(Telemetry worker, Telemetry paper, const Settings& settings)
    : worker_telemetry_(std::move(worker)),
      paper_telemetry_(std::move(paper)),
      runtime_("worker", std::max(2U, std::min(settings.worker_concurrency, 16U))),
      http_(runtime_, {.observer = &client_observer_}) {}

Result<std::unique_ptr<WorkerRole>> WorkerRole::start(const Start& start, Backbone& backbone,
                                                      std::vector<std::string> queues) {
  auto worker = Telemetry::create(start, "-worker");
  if (!worker) return std::unexpected(worker.error());
  auto paper = Telemetry::create(start, "-paper-trader");
  if (!paper) return std::unexpected(paper.error());
  std::unique_ptr<WorkerRole> role(
      new WorkerRole(std::move(*worker), std::move(*paper), start.settings));
  tasks::WorkerConfig config;
  if (!queues.empty()) config.queues = std::move(queues);
  config.concurrency = start.settings.worker_concurrency;
  // Several workers on one machine are told apart by it.
  config.hostname = fmt::format("alphaswarm-{}@{}", ::getpid(), tasks::host_name());
  config.provider = role->worker_telemetry_.provider();
  role->worker_ = std::make_unique<tasks::Worker>(role->runtime_, backbone.broker, backbone.bus,
                                                  backbone.database, backbone.progress, config);
  trading::register_backtest_task(*role->worker_, *backbone.database);
  trading::register_ingestion_task(*role->worker_, *backbone.database);
  auto live = LiveVenues::create(start.environment, role->http_, &role->client_observer_);
  if (!live) return std::unexpected(live.error());
  role->live_.emplace(std::move(*live));
  role->sessions_ = session_services(start, backbone, role->http_, *role->live_,
                                     &role->client_observer_, role->paper_telemetry_);
  trading::paper::register_paper_tasks(*role->worker_, role->sessions_);
  // What a process that was killed has left unfinished goes on: sessions from their last state.
  // Redis keeps such messages itself and lends them again after the visibility time-out.
  if (is_memory(start.settings)) {
    const auto left = net::block_on(
        role->runtime_, tasks::requeue_unfinished(*backbone.broker, *backbone.database));
    if (!left) return std::unexpected(left.error());
    if (*left > 0) log_info("worker", fmt::format("{} unfinished tasks go on", *left));
  }
  if (backbone.redis) {
    net::spawn(role->runtime_, role->watch_stop_,
               tasks::watch_for_loss(backbone.broker, backbone.database));
  }
  net::spawn(role->runtime_, role->watch_stop_,
             trading::paper::follow_left_orders(role->sessions_));
  role->worker_->start();
  if (backbone.redis) {
    role->control_ =
        std::make_unique<tasks::RemoteControl>(role->runtime_, backbone.redis, *role->worker_);
  }
  return role;
}

void WorkerRole::stop() {
  watch_stop_.request_stop();
  if (control_) control_->stop();
  if (worker_) static_cast<void>(worker_->stop(kTaskGrace));
  runtime_.stop();
  worker_telemetry_.stop();
  paper_telemetry_.stop();
}

// ---- API

ApiRole::ApiRole(Telemetry telemetry, instrumentation::UrlFilter excluded,
                 unsigned blocking_threads)
    : telemetry_(std::move(telemetry)),
      server_observer_(telemetry_.provider(), std::move(excluded)),
      runtime_("api", 2, blocking_threads),
      http_(runtime_, {.observer = &client_observer_}) {}

Result<std::unique_ptr<ApiRole>> ApiRole::start(const Start& start, Backbone& backbone) {
  auto telemetry = Telemetry::create(start, "-api");
  if (!telemetry) return std::unexpected(telemetry.error());
  auto excluded = excluded_urls(start);
  if (!excluded) return std::unexpected(excluded.error());
  // SQLite answers from memory or the disk: a change of threads would cost more than the wait.
  const bool may_wait = backbone.database->system() != "sqlite";
  const auto waiting =
      may_wait ? static_cast<unsigned>(start.settings.database.max_connections) : 0U;
  std::unique_ptr<ApiRole> role(new ApiRole(std::move(*telemetry), std::move(*excluded), waiting));
  trading::SimConfig sim;
  sim.base_url = start.settings.exchange_url;
  sim.key_id = "api";
  role->sim_ =
      std::make_unique<trading::DeskBroker>(std::move(sim), role->http_, *backbone.database);
  auto live = LiveVenues::create(start.environment, role->http_, &role->client_observer_);
  if (!live) return std::unexpected(live.error());
  role->live_.emplace(std::move(*live));
  std::vector<api::Venue> venues{{"sim", role->sim_.get(), "the simulated exchange",
                                  host_of(start.settings.exchange_url), "simulated"}};
  for (api::Venue& venue : role->live_->list()) venues.push_back(std::move(venue));
  const std::vector<api::Venue> followed = venues;
  net::HttpServerConfig config;
  config.address = start.settings.api.host;
  config.port = start.settings.api.port;
  config.observer = &role->server_observer_;
  auto server =
      net::HttpServer::start(role->runtime_,
                             api::make_router({.runtime = role->runtime_,
                                               .database = *backbone.database,
                                               .queue = *backbone.queue,
                                               .progress = *backbone.progress,
                                               .results = *backbone.results,
                                               .bus = *backbone.bus,
                                               .kill_switch = *backbone.kill_switch,
                                               .venues = std::move(venues),
                                               .version = std::string(kVersion),
                                               .trace_ui_url = start.settings.trace_ui_url,
                                               .health_checks = redis_checks(backbone),
                                               .more_metrics = {},
                                               .pages = dashboard_page}),
                             std::move(config));
  if (!server) return std::unexpected(server.error());
  role->server_ = std::move(*server);
  const auto is_live = [](const api::Venue& venue) {
    return venue.broker != nullptr && venue.name != "sim";
  };
  if (std::ranges::any_of(followed, is_live)) {
    net::spawn(role->runtime_, role->watch_stop_,
               api::follow_hand_orders(*backbone.database, followed));
  }
  if (backbone.redis) {
    net::spawn(role->runtime_, role->watch_stop_,
               tasks::watch_for_loss(backbone.broker, backbone.database));
    net::spawn(role->runtime_, role->watch_stop_, tasks::ForeignResults::watch(backbone.results));
  }
  return role;
}

std::string ApiRole::url() const { return fmt::format("http://127.0.0.1:{}", server_->port()); }

void ApiRole::stop_serving() {
  if (server_) server_->stop();
}

void ApiRole::stop() {
  watch_stop_.request_stop();
  stop_serving();
  runtime_.stop();
  telemetry_.stop();
}

}  // namespace alphaswarm::cli
