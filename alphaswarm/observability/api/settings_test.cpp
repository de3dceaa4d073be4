#include "alphaswarm/observability/api/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include <set>

#include "alphaswarm/observability/api/provider.hpp"

namespace alphaswarm::observability {
namespace {

Result<Config> read(std::map<std::string, std::string> values, std::string_view suffix = "") {
  return config_from_environment(config::Environment::from_values(std::move(values)), suffix);
}

TEST(Settings, NothingSetMeansOff) {
  const auto config = read({}, "-api");
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->endpoint, "");
  EXPECT_EQ(config->service_name, "alphaswarm-api");
  EXPECT_EQ(config->sample_ratio, 1.0);
  EXPECT_TRUE(config->parent_based);
  EXPECT_EQ(config->timeout_ms, 10'000);
  EXPECT_EQ(config->limits.attributes, 128U);
}

TEST(Settings, OwnVariablesWinOverTheStandardOnes) {
  const auto config = read({{"ALPHASWARM_OTEL_ENDPOINT", "http://a:1"},
                            {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://b:2"},
                            {"ALPHASWARM_OTEL_SERVICE_NAME", "desk"},
                            {"OTEL_SERVICE_NAME", "other"},
                            {"ALPHASWARM_OTEL_PROTOCOL", "http/protobuf"},
                            {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
                            {"ALPHASWARM_OTEL_SAMPLE_RATIO", "0.25"},
                            {"OTEL_TRACES_SAMPLER", "always_off"}},
                           "-worker");
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->endpoint, "http://a:1");
  EXPECT_EQ(config->service_name, "desk-worker");
  EXPECT_EQ(config->protocol, Protocol::http_protobuf);
  EXPECT_EQ(config->sample_ratio, 0.25);
}

TEST(Settings, StandardEndpointTurnsOnlyProgramsOfTheirOwnOn) {
  const std::map<std::string, std::string> values = {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://b:2"}};
  EXPECT_EQ(read(values, "-api")->endpoint, "");
  EXPECT_EQ(read(values)->endpoint, "http://b:2");
  EXPECT_EQ(read({{"OTEL_TRACES_EXPORTER", "otlp"}})->endpoint, "http://localhost:4317");
  EXPECT_TRUE(read({{"OTEL_TRACES_EXPORTER", "console"}})->console);
  const auto both = read(
      {{"OTEL_TRACES_EXPORTER", "otlp,console"}, {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"}});
  EXPECT_TRUE(both->console);
  EXPECT_EQ(both->endpoint, "http://localhost:4318");
  EXPECT_EQ(both->protocol, Protocol::http_json);
  EXPECT_EQ(read({{"ALPHASWARM_OTEL_FILE", "/x"}}, "-api")->file, "/x");
  EXPECT_EQ(read({{"OTEL_TRACES_EXPORTER", "none"}, {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://b:2"}})
                ->endpoint,
            "");
  EXPECT_EQ(
      read({{"ALPHASWARM_OTEL_ENDPOINT", "http://a:1"}, {"OTEL_SDK_DISABLED", "true"}})->endpoint,
      "");
}

TEST(Settings, ReadsTheStandardVariables) {
  const auto config =
      read({{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://t:9"},
            {"OTEL_EXPORTER_OTLP_ENDPOINT", "https://general:9"},
            {"OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20x, tenant = 7"},
            {"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"},
            {"OTEL_EXPORTER_OTLP_TIMEOUT", "5000"},
            {"OTEL_BSP_EXPORT_TIMEOUT", "3000"},
            {"OTEL_BSP_SCHEDULE_DELAY", "200"},
            {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "64"},
            {"OTEL_RESOURCE_ATTRIBUTES", "service.name=desk,deployment.environment.name=test"},
            {"OTEL_TRACES_SAMPLER", "parentbased_traceidratio"},
            {"OTEL_TRACES_SAMPLER_ARG", "0.5"},
            {"OTEL_SPAN_EVENT_COUNT_LIMIT", "7"},
            {"OTEL_ATTRIBUTE_COUNT_LIMIT", "9"}});
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->endpoint, "https://t:9");
  ASSERT_EQ(config->headers.size(), 2U);
  EXPECT_EQ(config->headers[0], (std::pair<std::string, std::string>("authorization", "Bearer x")));
  EXPECT_EQ(config->headers[1], (std::pair<std::string, std::string>("tenant", "7")));
  EXPECT_TRUE(config->gzip);
  EXPECT_EQ(config->timeout_ms, 3'000);
  EXPECT_EQ(config->schedule_delay_ms, 200);
  EXPECT_EQ(config->max_batch_spans, 64U);
  EXPECT_EQ(config->service_name, "desk");
  EXPECT_EQ(config->sample_ratio, 0.5);
  EXPECT_EQ(config->limits.events, 7U);
  EXPECT_EQ(config->limits.attributes_per_link, 9U);
}

TEST(Settings, PropagatorsByTheirNames) {
  using enum Propagator;
  const auto named = [](const char* names) {
    return read({{"OTEL_PROPAGATORS", names}})->propagators;
  };
  EXPECT_EQ(read({})->propagators, (std::vector{trace_context, baggage}));
  EXPECT_EQ(named("b3, tracecontext,b3multi,jaeger,b3"),
            (std::vector{b3, trace_context, b3_multi, jaeger}));
  EXPECT_TRUE(named("none").empty());
  EXPECT_FALSE(read({{"OTEL_PROPAGATORS", "none,b3"}}).has_value());
}

TEST(Settings, EveryBadValueIsAnErrorThatNamesItsVariable) {
  const std::pair<const char*, const char*> bad[] = {
      {"ALPHASWARM_OTEL_ENDPOINT", "ftp://x"},    {"ALPHASWARM_OTEL_SAMPLE_RATIO", "1.5"},
      {"ALPHASWARM_OTEL_SAMPLE_RATIO", "nan"},    {"ALPHASWARM_OTEL_PROTOCOL", "smoke"},
      {"OTEL_SDK_DISABLED", "perhaps"},           {"OTEL_TRACES_EXPORTER", "zipkin"},
      {"OTEL_EXPORTER_OTLP_TIMEOUT", "0"},        {"OTEL_EXPORTER_OTLP_COMPRESSION", "brotli"},
      {"OTEL_EXPORTER_OTLP_HEADERS", "nonsense"}, {"OTEL_RESOURCE_ATTRIBUTES", "nonsense"},
      {"OTEL_TRACES_SAMPLER", "sometimes"},       {"OTEL_PROPAGATORS", "tracecontext,pigeon"},
      {"OTEL_BSP_MAX_QUEUE_SIZE", "many"},        {"OTEL_SPAN_LINK_COUNT_LIMIT", "-1"},
  };
  for (const auto& [name, value] : bad) {
    const auto config = read({{name, value}});
    ASSERT_FALSE(config.has_value()) << name;
    EXPECT_NE(config.error().message.find(name), std::string::npos) << config.error().message;
  }
}

TEST(Settings, SpillAndProcessor) {
  EXPECT_EQ(read({}, "-api")->spill_folder, "");
  const auto config = read({{"ALPHASWARM_OTEL_SPILL_DIR", "/spill"},
                            {"ALPHASWARM_OTEL_SPILL_MAX_BYTES", "3000000"},
                            {"ALPHASWARM_OTEL_PROCESSOR", "simple"}},
                           "-api");
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->spill_folder, "/spill");
  EXPECT_EQ(config->spill_max_bytes, 3'000'000U);
  EXPECT_TRUE(config->simple);
  const std::string least = std::to_string(2 * ((1U << 20U) + 65'536));  // two batches
  EXPECT_TRUE(read({{"ALPHASWARM_OTEL_SPILL_MAX_BYTES", least}}).has_value());
  const auto small = read({{"ALPHASWARM_OTEL_SPILL_MAX_BYTES", "2228223"}});
  ASSERT_FALSE(small.has_value());
  EXPECT_TRUE(small.error().message.contains("from " + least)) << small.error().message;
  EXPECT_FALSE(read({{"ALPHASWARM_OTEL_PROCESSOR", "complex"}}).has_value());
}

#if !ALPHASWARM_OTEL

// In a process of its own, because other tests of this one have been warned.
TEST(SettingsDeathTest, AnEndpointWithoutTracingIsWarnedOfOnce) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto once = ::testing::Truly([](const std::string& text) {
    const std::size_t at = text.find("-DALPHASWARM_OTEL=ON");
    return at != std::string::npos &&
           text.find("-DALPHASWARM_OTEL=ON", at + 1) == std::string::npos;
  });
  const auto read_thrice = [] {
    for (int i = 0; i < 3; ++i) {
      if (!read({{"ALPHASWARM_OTEL_ENDPOINT", "http://a:1"}}, "-api")) std::exit(1);
    }
    std::exit(0);
  };
  EXPECT_EXIT(read_thrice(), ::testing::ExitedWithCode(0), once);
}

#endif

TEST(Settings, HeadersNeverShowInErrors) {
  const auto config = read({{"OTEL_EXPORTER_OTLP_HEADERS", "secret-token"}});
  ASSERT_FALSE(config.has_value());
  EXPECT_EQ(config.error().message.find("secret-token"), std::string::npos);
}

TEST(Settings, ListsEachVariableOnce) {
  std::set<std::string_view> names;
  for (const config::Setting& setting : settings()) EXPECT_TRUE(names.insert(setting.name).second);
}

}  // namespace
}  // namespace alphaswarm::observability
