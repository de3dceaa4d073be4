// What the variables of metrics and logs ask for.

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "alphaswarm/observability/api/settings.hpp"
#include "alphaswarm/observability/logs/logger.hpp"
#include "alphaswarm/observability/logs/settings.hpp"
#include "alphaswarm/observability/metrics/meter.hpp"
#include "alphaswarm/observability/metrics/settings.hpp"

namespace alphaswarm::observability {
namespace {

using config::Environment;

TEST(SignalSettings, NothingIsExportedUnlessAsked) {
  const auto environment =
      Environment::from_values({{"ALPHASWARM_OTEL_ENDPOINT", "http://collector:4317"},
                                {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317"}});
  const auto metrics = metrics::metrics_config_from_environment(environment, "-api");
  ASSERT_TRUE(metrics.has_value());
  EXPECT_FALSE(metrics->receiver.sends());
  EXPECT_EQ(metrics->service_name, "alphaswarm-api");
  const auto logs = logs::logs_config_from_environment(environment, "-api");
  ASSERT_TRUE(logs.has_value());
  EXPECT_FALSE(logs->receiver.sends());
}

TEST(SignalSettings, TheSignalsOwnVariableWins) {
  const auto environment = Environment::from_values({
      {"OTEL_METRICS_EXPORTER", "otlp"},
      {"OTEL_LOGS_EXPORTER", "otlp"},
      {"OTEL_SERVICE_NAME", "shop"},
      {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://general:4317"},
      {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "https://metrics:4318/v1/metrics"},
      {"OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/protobuf"},
      {"OTEL_EXPORTER_OTLP_HEADERS", "key=general"},
      {"OTEL_EXPORTER_OTLP_METRICS_HEADERS", "key=a%20b, more=1"},
      {"OTEL_EXPORTER_OTLP_TIMEOUT", "700"},
      {"OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", "gzip"},
      {"OTEL_METRIC_EXPORT_INTERVAL", "5000"},
      {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta"},
      {"OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
       "base2_exponential_bucket_histogram"},
      {"OTEL_METRICS_EXEMPLAR_FILTER", "always_off"},
      {"OTEL_BLRP_MAX_QUEUE_SIZE", "100"},
  });
  const auto metrics = metrics::metrics_config_from_environment(environment, "");
  ASSERT_TRUE(metrics.has_value());
  EXPECT_EQ(metrics->service_name, "shop");
  EXPECT_EQ(metrics->receiver.endpoint, "https://metrics:4318/v1/metrics");
  EXPECT_EQ(metrics->receiver.protocol, Protocol::http_protobuf);
  EXPECT_EQ(metrics->receiver.headers.at(0).second, "a b");
  EXPECT_EQ(metrics->receiver.headers.size(), 2U);
  EXPECT_EQ(metrics->receiver.timeout_ms, 700);
  EXPECT_FALSE(metrics->receiver.gzip);
  EXPECT_EQ(metrics->interval_ms, 5'000);
  EXPECT_EQ(metrics->temporality, metrics::TemporalityPreference::delta);
  EXPECT_EQ(metrics->histogram, metrics::HistogramKind::exponential);
  EXPECT_EQ(metrics->exemplars, metrics::ExemplarFilter::always_off);
  const auto logs = logs::logs_config_from_environment(environment, "");
  ASSERT_TRUE(logs.has_value());
  EXPECT_EQ(logs->receiver.endpoint, "http://general:4317");
  EXPECT_EQ(logs->receiver.headers.at(0).second, "general");
  EXPECT_TRUE(logs->receiver.gzip);
  EXPECT_EQ(logs->max_queue_records, 100U);
  EXPECT_EQ(logs->max_batch_records, 100U);
}

// A service has one variable for where its telemetry goes; the signals follow it.
TEST(SignalSettings, ServicesSendWhereTheirSpansGo) {
  std::map<std::string, std::string> values = {
      {"OTEL_LOGS_EXPORTER", "otlp"},
      {"ALPHASWARM_OTEL_ENDPOINT", "http://ours:4318/v1/traces"},
      {"ALPHASWARM_OTEL_PROTOCOL", "http/json"},
      {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://general:4317"},
      {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
  };
  const auto read = [&] {
    const auto logs = logs::logs_config_from_environment(Environment::from_values(values), "-api");
    EXPECT_TRUE(logs.has_value()) << logs.error().message;
    return logs->receiver;
  };
  EXPECT_EQ(read().endpoint, "http://ours:4318");
  EXPECT_EQ(read().protocol, Protocol::http_protobuf);
  values["OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"] = "http://logs:4317";
  values["OTEL_EXPORTER_OTLP_LOGS_PROTOCOL"] = "grpc";
  EXPECT_EQ(read().endpoint, "http://logs:4317");
  EXPECT_EQ(read().protocol, Protocol::grpc);
  values = {{"OTEL_LOGS_EXPORTER", "otlp"}};
  EXPECT_EQ(read().endpoint, "localhost:4317");
}

TEST(SignalSettings, BadValuesNameTheVariable) {
  for (const auto& [name, value] : std::map<std::string, std::string>{
           {"OTEL_METRICS_EXPORTER", "prometheus"},
           {"OTEL_METRIC_EXPORT_INTERVAL", "0"},
           {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "ftp://x"},
           {"OTEL_EXPORTER_OTLP_METRICS_HEADERS", "none"},
           {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "both"}}) {
    std::map<std::string, std::string> values{{"OTEL_METRICS_EXPORTER", "otlp"}};
    values[name] = value;
    const auto config =
        metrics::metrics_config_from_environment(Environment::from_values(values), "");
    ASSERT_FALSE(config.has_value()) << name;
    EXPECT_NE(config.error().message.find(name), std::string::npos) << config.error().message;
  }
}

TEST(SignalSettings, EachVariableIsDeclaredOnce) {
  std::set<std::string_view> names;
  for (const auto& list : {settings(), metrics::settings(), logs::settings()}) {
    for (const config::Setting& each : list) EXPECT_TRUE(names.insert(each.name).second);
  }
}

}  // namespace
}  // namespace alphaswarm::observability
