#pragma once

// What a collector consists of, in the OpenTelemetry Collector's terms. Names and defaults are
// those of its components, so that a file written for it loads here unchanged.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "alphaswarm/base/error.hpp"

namespace alphaswarm::collector {

// "type" or "type/name", e.g. "otlp/backup".
using ComponentId = std::string;

struct Endpoint {
  std::string host = "127.0.0.1";  // numeric, or a name where one is connected to
  std::uint16_t port = 0;          // 0: any free one

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

struct OtlpGrpcReceiverConfig {
  Endpoint endpoint{.port = 4317};
  std::size_t max_message_bytes = std::size_t{4} << 20;  // max_recv_msg_size_mib
};
struct CorsConfig {
  std::vector<std::string> allowed_origins{};  // "*" matches any run of characters
  std::vector<std::string> allowed_headers{};
  std::chrono::seconds max_age{0};
};
struct OtlpHttpReceiverConfig {
  Endpoint endpoint{.port = 4318};
  std::size_t max_body_bytes = std::size_t{20} << 20;  // as sent and after decompression
  CorsConfig cors{};
};
struct OtlpReceiverConfig {
  std::optional<OtlpGrpcReceiverConfig> grpc{};
  std::optional<OtlpHttpReceiverConfig> http{};
};
// The SDK of this process; see Collector::in_process_sink().
struct InProcessReceiverConfig {};

// Refuses (retryable) while the process's heap is above limit − spike.
struct MemoryLimiterConfig {
  std::chrono::milliseconds check_interval{1000};
  std::size_t limit_bytes = std::size_t{2048} << 20;
  std::size_t spike_limit_bytes = 0;  // 0: a fifth of the limit
};
struct BatchConfig {
  std::size_t send_batch_size = 8192;  // spans
  std::chrono::milliseconds timeout{200};
  std::size_t send_batch_max_size = 0;  // 0: no bound; else larger batches are split
};

// Our store; the OpenTelemetry Collector has none, so files for both do not name it.
struct StoreExporterConfig {
  std::string log_directory{};                         // empty: in memory only
  std::size_t log_max_bytes = std::size_t{256} << 20;  // the oldest segments go
};
struct DebugExporterConfig {
  enum class Verbosity : std::uint8_t { basic, normal, detailed };
  Verbosity verbosity = Verbosity::basic;
};
struct QueueConfig {  // sending_queue
  bool enabled = true;
  std::size_t queue_size = 1000;  // batches
  unsigned num_consumers = 10;    // ours sends from one thread a exporter; read for compatibility
  bool block_on_overflow = false;
};
struct RetryConfig {  // retry_on_failure
  bool enabled = true;
  std::chrono::milliseconds initial_interval{5'000};
  std::chrono::milliseconds max_interval{30'000};
  double multiplier = 1.5;
  std::chrono::milliseconds max_elapsed_time{300'000};  // then the batch is dropped and counted
};
struct OtlpExporterConfig {
  std::string endpoint{};  // "host:port", "http://host:port"
  bool http = false;       // exporter otlphttp: protobuf over HTTP, else gRPC
  bool gzip = true;
  bool insecure = false;  // tls: {insecure: true}: gRPC without TLS
  std::string ca_file{};  // tls: {ca_file}: PEM
  std::vector<std::pair<std::string, std::string>> headers{};
  std::chrono::milliseconds timeout{5'000};
  QueueConfig queue{};
  RetryConfig retry{};
};
struct PrometheusExporterConfig {
  Endpoint endpoint{.port = 8889};
  std::string name_space{};  // "namespace"
  std::chrono::seconds metric_expiration{300};
  bool enable_open_metrics = false;  // exemplars
};

// Counts spans and their durations by service, name, kind and status.
struct SpanMetricsConfig {
  std::string name_space = "traces.span.metrics";  // "namespace"
  std::vector<std::uint64_t> buckets_ns = default_buckets();
  // Span or resource attributes to tell series apart by, beside the four; a default for spans
  // without.
  std::vector<std::pair<std::string, std::optional<std::string>>> dimensions{};
  bool exemplars = true;
  bool unit_seconds = false;        // histogram: {unit: s}; else ms
  std::size_t max_series = 10'000;  // aggregation_cardinality_limit; more go to one of "overflow"

  [[nodiscard]] static std::vector<std::uint64_t> default_buckets();  // 1 µs to 10 s
};

using ReceiverConfig = std::variant<OtlpReceiverConfig, InProcessReceiverConfig>;
using ProcessorConfig = std::variant<MemoryLimiterConfig, BatchConfig>;
using ExporterConfig = std::variant<StoreExporterConfig, DebugExporterConfig, OtlpExporterConfig,
                                    PrometheusExporterConfig>;
using ConnectorConfig = std::variant<SpanMetricsConfig>;

struct PipelineConfig {
  std::string id{};  // "traces", "traces/second", "metrics"
  std::vector<ComponentId> receivers{};
  std::vector<ComponentId> processors{};
  std::vector<ComponentId> exporters{};
};

struct CollectorConfig {
  std::map<ComponentId, ReceiverConfig> receivers{};
  std::map<ComponentId, ProcessorConfig> processors{};
  std::map<ComponentId, ExporterConfig> exporters{};
  std::map<ComponentId, ConnectorConfig> connectors{};
  std::vector<PipelineConfig> pipelines{};
  std::optional<Endpoint> telemetry{};  // own metrics, service::telemetry; usually 127.0.0.1:8888
};

// otlp (4317, 4318) and the in-process sink → memory_limiter → batch → store and spanmetrics;
// spanmetrics → prometheus (8889); own metrics on 8888. What `alphaswarm up` and `alphaswarm
// collector` run without a file.
[[nodiscard]] CollectorConfig embedded_profile();

// Adds `offset` to every port that something listens on.
void shift_ports(CollectorConfig& config, std::uint16_t offset);

// Reads YAML; `${env:NAME}` and `${env:NAME:-default}` are replaced. Errors name `source` and the
// line; an unknown component or key is one.
[[nodiscard]] Result<CollectorConfig> parse_config(std::string_view yaml, std::string_view source);
[[nodiscard]] Result<CollectorConfig> load_config(const std::string& path);

}  // namespace alphaswarm::collector
