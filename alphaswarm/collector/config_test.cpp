#include "alphaswarm/collector/config.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>

namespace alphaswarm::collector {
namespace {

std::string deploy(const std::string& name) {
  return ALPHASWARM_SOURCE_DIR "/alphaswarm_platform/deploy/otel/" + name;
}

template <class T>
const T& get(const auto& components, const std::string& id) {
  return std::get<T>(components.at(id));
}

TEST(CollectorConfig, TheDeployedFileLoads) {
  ::setenv("ALPHASWARM_BACKEND_ENDPOINT", "backend:4317", 1);
  const auto config = load_config(deploy("otel-collector-config.yaml"));
  ::unsetenv("ALPHASWARM_BACKEND_ENDPOINT");
  ASSERT_TRUE(config) << config.error().message;
  const auto& otlp = get<OtlpReceiverConfig>(config->receivers, "otlp");
  EXPECT_EQ(otlp.grpc->endpoint, (Endpoint{.port = 4317}));
  EXPECT_EQ(otlp.http->endpoint, (Endpoint{.port = 4318}));
  const auto& limiter = get<MemoryLimiterConfig>(config->processors, "memory_limiter");
  EXPECT_EQ(limiter.limit_bytes, std::size_t{2048} << 20);
  EXPECT_EQ(get<BatchConfig>(config->processors, "batch").timeout, std::chrono::milliseconds(200));
  const auto& exporter = get<OtlpExporterConfig>(config->exporters, "otlp");
  EXPECT_EQ(exporter.endpoint, "backend:4317");
  EXPECT_TRUE(exporter.insecure);
  const auto& metrics = get<SpanMetricsConfig>(config->connectors, "spanmetrics");
  EXPECT_EQ(metrics.buckets_ns, SpanMetricsConfig::default_buckets());
  EXPECT_TRUE(metrics.unit_seconds);
  EXPECT_TRUE(metrics.exemplars);
  ASSERT_EQ(config->pipelines.size(), 2U);
  EXPECT_EQ(config->pipelines[0].exporters,
            (std::vector<ComponentId>{"otlp", "debug", "spanmetrics"}));
  EXPECT_EQ(config->telemetry, (Endpoint{.port = 8888}));
}

TEST(CollectorConfig, TheEmbeddedFileIsTheEmbeddedProfile) {
  const auto file = load_config(deploy("embedded.yaml"));
  ASSERT_TRUE(file) << file.error().message;
  const CollectorConfig code = embedded_profile();
  EXPECT_EQ(file->receivers.size(), code.receivers.size());
  EXPECT_EQ(file->telemetry, code.telemetry);
  ASSERT_EQ(file->pipelines.size(), code.pipelines.size());
  for (std::size_t i = 0; i < code.pipelines.size(); ++i) {
    EXPECT_EQ(file->pipelines[i].id, code.pipelines[i].id);
    EXPECT_EQ(file->pipelines[i].receivers, code.pipelines[i].receivers);
    EXPECT_EQ(file->pipelines[i].processors, code.pipelines[i].processors);
    EXPECT_EQ(file->pipelines[i].exporters, code.pipelines[i].exporters);
  }
  const auto& metrics = get<SpanMetricsConfig>(file->connectors, "spanmetrics");
  EXPECT_EQ(metrics.buckets_ns, get<SpanMetricsConfig>(code.connectors, "spanmetrics").buckets_ns);
  EXPECT_TRUE(metrics.unit_seconds);
}

TEST(CollectorConfig, DefaultsAreTheCollectors) {
  const auto config = parse_config(R"(
receivers: {otlp: {protocols: {grpc: , http: }}}
processors: {batch: }
exporters: {otlp/a: {endpoint: "http://h:1", headers: {k: v}}, debug: }
service: {pipelines: {traces: {receivers: [otlp], processors: [batch], exporters: [otlp/a, debug]}}}
)",
                                   "test");
  ASSERT_TRUE(config) << config.error().message;
  const auto& otlp = get<OtlpReceiverConfig>(config->receivers, "otlp");
  ASSERT_TRUE(otlp.grpc && otlp.http);
  EXPECT_EQ(otlp.grpc->max_message_bytes, std::size_t{4} << 20);
  EXPECT_EQ(otlp.http->max_body_bytes, std::size_t{20} << 20);
  const auto& exporter = get<OtlpExporterConfig>(config->exporters, "otlp/a");
  EXPECT_EQ(exporter.queue.queue_size, 1'000U);
  EXPECT_EQ(exporter.retry.max_elapsed_time, std::chrono::seconds(300));
  EXPECT_TRUE(exporter.gzip);
  EXPECT_EQ(exporter.headers.at(0), (std::pair<std::string, std::string>{"k", "v"}));
  EXPECT_FALSE(config->telemetry);
}

std::string problem(const std::string& yaml) {
  const auto config = parse_config(yaml, "c.yaml");
  return config ? "loaded" : config.error().message;
}

TEST(CollectorConfig, ProblemsNameFileLineAndKey) {
  const std::string service =
      "\nservice: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n";
  EXPECT_EQ(problem("receivers:\n  kafka:\n" + service),
            "c.yaml:2: receivers::kafka: unknown component");
  EXPECT_EQ(problem("processors:\n  batch:\n    size: 1\n" + service),
            "c.yaml:3: processors::batch::size: unknown key");
  EXPECT_EQ(problem("processors:\n  batch: {timeout: 5}" + service),
            "c.yaml:2: processors::batch::timeout: '5' is not a duration; write for example 1.5ms, "
            "100us or 2h45m");
  EXPECT_EQ(
      problem("receivers:\n  otlp:\n    protocols:\n      udp:\n" + service),
      "c.yaml:4: receivers::otlp::protocols::udp: unknown protocol: grpc or http is expected");
  EXPECT_EQ(problem("receivers:\n  otlp: {protocols: {grpc: {endpoint: here}}}" + service),
            "c.yaml:2: receivers::otlp::protocols::grpc::endpoint: 'here' is not an address: "
            "host:port is expected");
  EXPECT_EQ(problem("exporters:\n  otlp:\n    timeout: 1s\n" + service),
            "c.yaml:3: exporters::otlp: endpoint must be set");
  EXPECT_EQ(problem("processors: {memory_limiter: {check_interval: 1s}}" + service),
            "c.yaml:1: processors::memory_limiter: limit_mib or limit_percentage must be set");
  EXPECT_EQ(problem("service:\n  extensions: [zpages]\n  pipelines: {}\n"),
            "c.yaml:2: service::extensions[0]: unknown extension 'zpages'");
  EXPECT_EQ(
      problem("service: {pipelines: {profiles: }}"),
      "c.yaml:1: service::pipelines::profiles: unknown signal: traces or metrics is expected");
  EXPECT_EQ(problem("exporters: {debug: {verbosity: \"${env:X\"}}" + service),
            "c.yaml:1: exporters::debug::verbosity: '${' without '}' in '${env:X'");
  EXPECT_EQ(problem("receivers: {}\nreceivers: {}" + service),
            "c.yaml:2: receivers: this key is there twice");
  EXPECT_EQ(problem("a: [1"), "c.yaml:1: not valid YAML: end of sequence flow not found");
  EXPECT_EQ(problem("exporters: {debug: }"), "c.yaml:1: there is no service section");
  EXPECT_EQ(problem("just text"), "c.yaml:1: keys and values are expected");
  EXPECT_FALSE(load_config("/nowhere/at/all.yaml"));
}

TEST(CollectorConfig, VariablesAreReplacedInPlace) {
  ::setenv("COLLECTOR_TEST_HOST", "10.0.0.7", 1);
  const auto config = parse_config(R"(
receivers: {otlp: {protocols: {http: {endpoint: "${env:COLLECTOR_TEST_HOST}:${env:NO_SUCH:-99}"}}}}
exporters: {otlp: {endpoint: "a:1", headers: {a: "$${literal}"}}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp]}}}
)",
                                   "test");
  ::unsetenv("COLLECTOR_TEST_HOST");
  ASSERT_TRUE(config) << config.error().message;
  const auto& otlp = get<OtlpReceiverConfig>(config->receivers, "otlp");
  EXPECT_EQ(otlp.http->endpoint, (Endpoint{.host = "10.0.0.7", .port = 99}));
  EXPECT_EQ(get<OtlpExporterConfig>(config->exporters, "otlp").headers.at(0).second, "${literal}");
}

TEST(CollectorConfig, AnOffsetMovesEveryPort) {
  CollectorConfig config = embedded_profile();
  shift_ports(config, 1'000);
  EXPECT_EQ(get<OtlpReceiverConfig>(config.receivers, "otlp").grpc->endpoint.port, 5'317);
  EXPECT_EQ(get<OtlpReceiverConfig>(config.receivers, "otlp").http->endpoint.port, 5'318);
  EXPECT_EQ(get<PrometheusExporterConfig>(config.exporters, "prometheus").endpoint.port, 9'889);
  EXPECT_EQ(config.telemetry->port, 9'888);
}

}  // namespace
}  // namespace alphaswarm::collector
