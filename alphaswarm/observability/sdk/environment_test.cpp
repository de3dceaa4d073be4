#include <gtest/gtest.h>

#include "alphaswarm/config/environment.hpp"
#include "alphaswarm/observability/api/provider.hpp"

namespace alphaswarm::observability {
namespace {

Result<Config> read(std::map<std::string, std::string> values, std::string_view role = "-api") {
  return config_from_environment(config::Environment::from_values(std::move(values)), role);
}

TEST(Environment, OffByDefaultAndNamedByRole) {
  const auto config = read({});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->endpoint, "");
  EXPECT_EQ(config->service_name, "alphaswarm-api");
  EXPECT_EQ(config->sample_ratio, 1.0);
}

TEST(Environment, ServicesAreTurnedOnByTheirOwnVariableOnly) {
  EXPECT_EQ(read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://x:1"}})->endpoint, "");
  EXPECT_EQ(read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://x:1"}}, "")->endpoint, "http://x:1");
  EXPECT_EQ(read({{"ALPHASWARM_OTEL_ENDPOINT", "http://a:1"},
                  {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://x:1"}})
                ->endpoint,
            "http://a:1");
  EXPECT_EQ(
      read({{"ALPHASWARM_OTEL_ENDPOINT", "http://a:1"}, {"OTEL_SDK_DISABLED", "true"}})->endpoint,
      "");
}

TEST(Environment, StandardVariablesAreUnderstoodAndLose) {
  const auto config = read({{"OTEL_TRACES_SAMPLER", "traceidratio"},
                            {"OTEL_TRACES_SAMPLER_ARG", "0.25"},
                            {"OTEL_EXPORTER_OTLP_HEADERS", "a=1, b=two%2Cthree"},
                            {"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"},
                            {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
                            {"ALPHASWARM_OTEL_PROTOCOL", "http/protobuf"}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->sample_ratio, 0.25);
  EXPECT_FALSE(config->parent_based);
  EXPECT_TRUE(config->gzip);
  EXPECT_EQ(config->protocol, Protocol::http_protobuf);
  ASSERT_EQ(config->headers.size(), 2U);
  EXPECT_EQ(config->headers[1].second, "two,three");
}

TEST(Environment, BadValuesNameTheVariableAndHideSecrets) {
  EXPECT_EQ(read({{"ALPHASWARM_OTEL_PROTOCOL", "smoke"}}).error().message,
            "ALPHASWARM_OTEL_PROTOCOL=smoke is not allowed: it must be one of grpc, http/protobuf");
  EXPECT_EQ(read({{"ALPHASWARM_OTEL_SAMPLE_RATIO", "2"}}).error().message,
            "ALPHASWARM_OTEL_SAMPLE_RATIO=2 is not allowed: it must be a number from 0 to 1");
  const auto headers = read({{"OTEL_EXPORTER_OTLP_HEADERS", "hush"}});
  ASSERT_FALSE(headers);
  EXPECT_EQ(headers.error().message.find("hush"), std::string::npos);
}

}  // namespace
}  // namespace alphaswarm::observability
