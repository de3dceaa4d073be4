#include "alphaswarm/cli/settings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <span>
#include <string_view>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/cli/commands.hpp"
#include "alphaswarm/cli/venues.hpp"
#include "alphaswarm/net/redis.hpp"
#include "alphaswarm/observability/api/settings.hpp"
#include "alphaswarm/observability/logs/settings.hpp"
#include "alphaswarm/observability/metrics/settings.hpp"

namespace alphaswarm::cli {
namespace {

using config::Setting;

constexpr Setting kDataDir{"ALPHASWARM_DATA_DIR", "data", "Folder of the embedded databases"};
constexpr Setting kDatabaseUrl{
    "ALPHASWARM_DATABASE_URL", "",
    "Database: `sqlite:///file.db`, a path, or `postgresql://user:password@host:5432/name` (TLS: "
    "`?sslmode=verify-full&sslrootcert=…`). Empty: `alphaswarm.db` in the data folder"};
constexpr Setting kDatabaseConnections{"ALPHASWARM_DATABASE_MAX_CONNECTIONS", "8",
                                       "PostgreSQL connections of a process (1 to 1000)"};
constexpr Setting kDatabaseBusyMs{
    "ALPHASWARM_DATABASE_BUSY_TIMEOUT_MS", "5000",
    "Wait for a free connection, a lock or a server that is away (1 to 600000)"};
constexpr Setting kDatabaseConnectMs{"ALPHASWARM_DATABASE_CONNECT_TIMEOUT_MS", "5000",
                                     "Wait for a PostgreSQL connection to stand (1 to 600000)"};
constexpr Setting kDatabaseStatementMs{"ALPHASWARM_DATABASE_STATEMENT_TIMEOUT_MS", "30000",
                                       "Longest a PostgreSQL statement may run (1 to 3600000)"};
constexpr Setting kSqlCommenter{
    "ALPHASWARM_OTEL_SQLCOMMENTER", "false",
    "PostgreSQL statements carry their span in a comment; they are then sent unprepared"};
constexpr Setting kRedisUrl{
    "ALPHASWARM_REDIS_URL", "memory://",
    "Queue, results, keys and progress bus: `memory://` (within one process), "
    "`redis://user:password@host:6379/0`, or `rediss://…` (TLS: `?ssl_ca_certs=…`)"};
constexpr Setting kRedisPubsubUrl{"ALPHASWARM_REDIS_PUBSUB_URL", "",
                                  "Another Redis for the messages of the progress bus (pub/sub "
                                  "knows no database numbers). Empty: the one above"};
constexpr Setting kKillSwitchKey{"ALPHASWARM_RISK_KILL_SWITCH_KEY", "alphaswarm:kill_switch",
                                 "Key of the kill switch on the bus"};
constexpr Setting kApiAddress{"ALPHASWARM_API_ADDRESS", "127.0.0.1:8000",
                              "Where the API listens: numeric address and port"};
constexpr Setting kExchangeAddress{"ALPHASWARM_EXCHANGE_ADDRESS", "127.0.0.1:8100",
                                   "Where the simulated exchange listens"};
constexpr Setting kExchangeUrl{"ALPHASWARM_EXCHANGE_URL", "http://127.0.0.1:8100",
                               "Where sessions of venue `sim` find their exchange"};
constexpr Setting kTraceUiUrl{"ALPHASWARM_TRACE_UI_URL", "http://127.0.0.1:16686",
                              "Where links of the dashboard find the trace pages"};
constexpr Setting kCollectorHost{
    "ALPHASWARM_COLLECTOR_HOST", "127.0.0.1",
    "Where the trace pages listen, and the collector with a deployed configuration"};
constexpr Setting kBackendEndpoint{"ALPHASWARM_BACKEND_ENDPOINT", "127.0.0.1:14317",
                                   "Where otel-collector-config.yaml sends spans on"};
constexpr Setting kTraceLogDir{"ALPHASWARM_TRACE_LOG_DIR", "",
                               "Folder of the trace log of embedded.yaml. Empty: memory only"};
constexpr Setting kWorkerConcurrency{"ALPHASWARM_WORKER_CONCURRENCY", "4",
                                     "Tasks a worker runs at a time (1 to 256)"};
constexpr Setting kTaskVisibility{
    "ALPHASWARM_TASK_VISIBILITY_SECONDS", "3600",
    "Over Redis: tasks of a worker that was lost go to another after so long (1 to 604800)"};
constexpr Setting kExcludedUrls{"ALPHASWARM_OTEL_EXCLUDED_URLS", "^/health,^/metrics",
                                "Paths that are not traced: regular expressions, comma between"};
constexpr Setting kTraceStoreMib{
    "ALPHASWARM_TRACE_STORE_MIB", "512",
    "Memory of the trace store (16 to 65536 MiB); the oldest traces go"};
constexpr Setting kTraceLogMib{"ALPHASWARM_TRACE_LOG_MIB", "1024",
                               "Disk of the trace log (16 to 1048576 MiB); the oldest segments go"};
constexpr Setting kLogLevel{"ALPHASWARM_LOG_LEVEL", "info", "debug, info, warning, error or off"};

constexpr const Setting* kSettings[] = {
    &kDataDir,         &kDatabaseUrl,       &kDatabaseConnections,
    &kDatabaseBusyMs,  &kDatabaseConnectMs, &kDatabaseStatementMs,
    &kSqlCommenter,    &kRedisUrl,          &kRedisPubsubUrl,
    &kKillSwitchKey,   &kApiAddress,        &kExchangeAddress,
    &kExchangeUrl,     &kTraceUiUrl,        &kCollectorHost,
    &kBackendEndpoint, &kTraceLogDir,       &kWorkerConcurrency,
    &kTaskVisibility,  &kExcludedUrls,      &kTraceStoreMib,
    &kTraceLogMib,     &kLogLevel};

Result<Address> read_address(const config::Environment& environment, const Setting& setting,
                             int offset) {
  const std::string value = environment.text(setting);
  const std::size_t colon = value.rfind(':');
  unsigned port = 0;
  if (colon != std::string::npos && colon > 0) {
    const char* end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data() + colon + 1, end, port);
    if (error == std::errc{} && stop == end && port > 0 &&
        port + static_cast<unsigned>(offset) <= 65535) {
      return Address{value.substr(0, colon),
                     static_cast<std::uint16_t>(port + static_cast<unsigned>(offset))};
    }
  }
  return std::unexpected(
      environment.refuse(setting, "it must be an address and a port, like 127.0.0.1:8000"));
}

// A URL of this machine that nobody set moves with the ports.
std::string shifted_url(const config::Environment& environment, const Setting& setting,
                        std::uint16_t port) {
  if (environment.find(setting.name)) return environment.text(setting);
  return "http://127.0.0.1:" + std::to_string(port);
}

Result<void> apply_log_level(const config::Environment& environment) {
  static constexpr std::string_view kLevels[] = {"debug", "info", "warning", "error", "off"};
  const auto level = environment.choice(kLogLevel, kLevels);
  if (!level) return std::unexpected(level.error());
  const auto at = std::ranges::find(kLevels, *level) - std::begin(kLevels);
  set_log_level(static_cast<LogLevel>(at));
  return {};
}

Result<std::string> read_database_url(const config::Environment& environment,
                                      const std::filesystem::path& data_dir) {
  std::string url = environment.text(kDatabaseUrl);
  if (url.empty()) url = (std::filesystem::absolute(data_dir) / "alphaswarm.db").string();
  const std::size_t scheme = url.find("://");
  const std::string name = scheme == std::string::npos ? "sqlite" : url.substr(0, scheme);
  if (name != "sqlite" && name != "postgresql" && name != "postgres") {
    return std::unexpected(environment.refuse(
        kDatabaseUrl,
        "it must be sqlite:///folder/file.db, a path, or postgresql://user:password@host/name"));
  }
  if (name != "sqlite" && url.contains("password=")) {
    return fail(ErrorCode::invalid_argument,
                "ALPHASWARM_DATABASE_URL is not allowed: its password belongs before the @, where "
                "listings and messages leave it out");
  }
  return url;
}

Result<void> read_database(const config::Environment& environment, Settings& settings) {
  auto url = read_database_url(environment, settings.data_dir);
  if (!url) return std::unexpected(url.error());
  settings.database_url = std::move(*url);
  const auto connections = environment.integer(kDatabaseConnections, 1, 1'000);
  if (!connections) return std::unexpected(connections.error());
  settings.database.max_connections = static_cast<std::size_t>(*connections);
  const auto read = [&](const Setting& setting, std::int64_t most,
                        std::chrono::milliseconds& value) -> Result<void> {
    const auto number = environment.integer(setting, 1, most);
    if (!number) return std::unexpected(number.error());
    value = std::chrono::milliseconds(*number);
    return {};
  };
  auto done = read(kDatabaseBusyMs, 600'000, settings.database.busy_timeout);
  if (done) done = read(kDatabaseConnectMs, 600'000, settings.database.connect_timeout);
  if (done) done = read(kDatabaseStatementMs, 3'600'000, settings.database.statement_timeout);
  if (!done) return done;
  const auto comments = environment.boolean(kSqlCommenter);
  if (!comments) return std::unexpected(comments.error());
  settings.sql_comments = *comments;
  return {};
}

Result<void> read_redis(const config::Environment& environment, Settings& settings) {
  settings.redis_url = environment.text(kRedisUrl);
  settings.redis_pubsub_url = environment.text(kRedisPubsubUrl);
  if (settings.redis_pubsub_url.empty()) settings.redis_pubsub_url = settings.redis_url;
  if (is_memory(settings)) {
    if (settings.redis_pubsub_url == settings.redis_url) return {};
    return std::unexpected(
        environment.refuse(kRedisPubsubUrl, "ALPHASWARM_REDIS_URL is memory://: set it as well"));
  }
  const auto check = [&](const Setting& setting, const std::string& url) -> Result<void> {
    const auto parsed = net::parse_redis_url(url);
    if (!parsed) return std::unexpected(environment.refuse(setting, parsed.error().message));
    return {};
  };
  if (auto done = check(kRedisUrl, settings.redis_url); !done) return done;
  return check(kRedisPubsubUrl, settings.redis_pubsub_url);
}

Result<void> read_bounds(const config::Environment& environment, Settings& settings) {
  const auto concurrency = environment.integer(kWorkerConcurrency, 1, 256);
  if (!concurrency) return std::unexpected(concurrency.error());
  const auto visibility = environment.integer(kTaskVisibility, 1, 604'800);
  if (!visibility) return std::unexpected(visibility.error());
  settings.task_visibility = std::chrono::seconds(*visibility);
  const auto store = environment.integer(kTraceStoreMib, 16, 65'536);
  if (!store) return std::unexpected(store.error());
  const auto log = environment.integer(kTraceLogMib, 16, 1'048'576);
  if (!log) return std::unexpected(log.error());
  settings.worker_concurrency = static_cast<unsigned>(*concurrency);
  settings.trace_store_bytes = static_cast<std::size_t>(*store) << 20;
  settings.trace_log_bytes = static_cast<std::size_t>(*log) << 20;
  return {};
}

Result<void> read_addresses(const config::Environment& environment,
                            const SettingsOverrides& overrides, Settings& settings) {
  auto api = read_address(environment, kApiAddress, overrides.port_offset);
  if (!api) return std::unexpected(api.error());
  auto exchange = read_address(environment, kExchangeAddress, overrides.port_offset);
  if (!exchange) return std::unexpected(exchange.error());
  settings.api = std::move(*api);
  settings.exchange = std::move(*exchange);
  if (overrides.port != 0) {
    settings.api.port = settings.exchange.port = static_cast<std::uint16_t>(overrides.port);
  }
  settings.exchange_url = shifted_url(environment, kExchangeUrl, settings.exchange.port);
  settings.trace_ui_url = shifted_url(environment, kTraceUiUrl,
                                      static_cast<std::uint16_t>(16686 + overrides.port_offset));
  return {};
}

std::string row(const config::Environment& environment, const Setting& setting, bool markdown) {
  const std::string name(setting.name);
  if (markdown) {
    const std::string given(setting.default_value);
    return "| `" + name + "` | " + (given.empty() ? "empty" : "`" + given + "`") + " | " +
           std::string(setting.meaning) + " |\n";
  }
  static constexpr std::string_view kSources[] = {"default", ".env", "environment"};
  const std::string value = environment.text(setting);
  const bool hide = setting.secret && !value.empty();
  return name + "=" + (hide ? "***" : config::redact_url(value)) + "  (" +
         std::string(kSources[static_cast<unsigned>(environment.source(setting.name))]) + ")\n";
}

}  // namespace

Result<Settings> read_settings(const config::Environment& environment,
                               const SettingsOverrides& overrides) {
  if (auto done = apply_log_level(environment); !done) return std::unexpected(done.error());
  Settings settings;
  settings.data_dir = overrides.data_dir.empty() ? std::filesystem::path(environment.text(kDataDir))
                                                 : overrides.data_dir;
  if (auto done = read_database(environment, settings); !done) {
    return std::unexpected(done.error());
  }
  if (auto done = read_redis(environment, settings); !done) return std::unexpected(done.error());
  settings.collector_host = environment.text(kCollectorHost);
  settings.kill_switch_key = environment.text(kKillSwitchKey);
  settings.excluded_urls = environment.text(kExcludedUrls);
  if (auto done = read_bounds(environment, settings); !done) return std::unexpected(done.error());
  if (auto done = read_addresses(environment, overrides, settings); !done) {
    return std::unexpected(done.error());
  }
  std::error_code error;
  std::filesystem::create_directories(settings.data_dir, error);
  if (error) {
    return fail(ErrorCode::permission_denied, "the data folder " + settings.data_dir.string() +
                                                  " cannot be made: " + error.message());
  }
  return settings;
}

std::vector<Setting> all_settings() {
  std::vector<Setting> all;
  for (const auto sdk : {observability::settings(), observability::metrics::settings(),
                         observability::logs::settings()}) {
    all.insert(all.end(), sdk.begin(), sdk.end());
  }
  for (const Setting* setting : kSettings) all.push_back(*setting);
  const auto venues = venue_settings();
  all.insert(all.end(), venues.begin(), venues.end());
  return all;
}

std::string settings_listing(const config::Environment& environment, bool markdown) {
  std::string text;
  if (markdown) text = "| variable | default | meaning |\n|---|---|---|\n";
  for (const Setting& setting : all_settings()) text += row(environment, setting, markdown);
  return text;
}

int run_settings(const config::Environment& environment, bool markdown) {
  std::fputs(settings_listing(environment, markdown).c_str(), stdout);
  return 0;
}

}  // namespace alphaswarm::cli
