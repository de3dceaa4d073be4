#include "alphaswarm/observability/logs/settings.hpp"

#include <algorithm>

#include "alphaswarm/observability/export/signal_settings.hpp"
#include "alphaswarm/observability/logs/logger.hpp"

namespace alphaswarm::observability::logs {
namespace {

constexpr config::Setting kSettings[] = {
    {"OTEL_LOGS_EXPORTER", "none", "otlp or none"},
    {"OTEL_BLRP_SCHEDULE_DELAY", "1000", "Longest wait of a log record, in milliseconds"},
    {"OTEL_BLRP_EXPORT_TIMEOUT", "30000", "Milliseconds for one export; the smaller timeout wins"},
    {"OTEL_BLRP_MAX_QUEUE_SIZE", "2048", "Log records waiting; further ones are dropped"},
    {"OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "512", "Log records in one request"},
    {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "", "OTEL_EXPORTER_OTLP_ENDPOINT for logs; wins"},
    {"OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "", "OTEL_EXPORTER_OTLP_PROTOCOL for logs; wins"},
    {"OTEL_EXPORTER_OTLP_LOGS_HEADERS", "", "OTEL_EXPORTER_OTLP_HEADERS for logs; wins", true},
    {"OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "", "OTEL_EXPORTER_OTLP_TIMEOUT for logs; wins"},
    {"OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", "", "OTEL_EXPORTER_OTLP_COMPRESSION for logs; wins"},
    {"OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE", "", "OTEL_EXPORTER_OTLP_CERTIFICATE for logs; wins"},
    {"OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE", "",
     "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE for logs; wins"},
    {"OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY", "", "OTEL_EXPORTER_OTLP_CLIENT_KEY for logs; wins"},
};

}  // namespace

std::span<const config::Setting> settings() noexcept { return kSettings; }

Result<LogsConfig> logs_config_from_environment(const config::Environment& environment,
                                                std::string_view role_suffix) {
  SignalReader reader(environment, kSettings, "LOGS");
  LogsConfig config;
  const std::string exporter = reader.exporter();
  reader.identity(role_suffix, config.service_name, config.resource);
  reader.receiver(exporter, config.receiver);
  reader.integer("OTEL_BLRP_SCHEDULE_DELAY", 1, 3'600'000, config.schedule_delay_ms);
  reader.integer("OTEL_BLRP_EXPORT_TIMEOUT", 1, 3'600'000, config.export_timeout_ms);
  reader.integer("OTEL_BLRP_MAX_QUEUE_SIZE", 1, 1'000'000, config.max_queue_records);
  reader.integer("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", 1, 1'000'000, config.max_batch_records);
  config.max_batch_records = std::min(config.max_batch_records, config.max_queue_records);
  if (reader.error()) return std::unexpected(*reader.error());
  return config;
}

}  // namespace alphaswarm::observability::logs
