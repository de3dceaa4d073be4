#include "alphaswarm/config/environment.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/api/settings.hpp"

namespace alphaswarm::observability {
namespace {

using config::Environment;
using config::Setting;

enum Index : std::uint8_t {
  kEndpoint,
  kServiceName,
  kSampleRatio,
  kProtocol,
  kStandardDisabled,
  kStandardExporter,
  kStandardEndpoint,
  kStandardTracesEndpoint,
  kStandardProtocol,
  kStandardTracesProtocol,
  kStandardHeaders,
  kStandardTimeout,
  kStandardCompression,
  kStandardCertificate,
  kStandardServiceName,
  kStandardResource,
  kStandardSampler,
  kStandardSamplerArg,
  kStandardDelay,
  kStandardBatch,
  kStandardExportTimeout,
  kStandardValueLimit,
  kStandardCountLimit,
};

constexpr Setting kSettings[] = {
    {"ALPHASWARM_OTEL_ENDPOINT", "", "OTLP endpoint, e.g. `http://127.0.0.1:4317`. Empty: off"},
    {"ALPHASWARM_OTEL_SERVICE_NAME", "alphaswarm",
     "Base service name; `-api`, `-worker`, `-paper-trader`, `-exchange` are appended"},
    {"ALPHASWARM_OTEL_SAMPLE_RATIO", "1.0", "Share of traces kept, 0 to 1, decided at the root"},
    {"ALPHASWARM_OTEL_PROTOCOL", "grpc", "`grpc` or `http/protobuf`"},
    {"OTEL_SDK_DISABLED", "false", "`true` turns tracing off, whatever else is set"},
    {"OTEL_TRACES_EXPORTER", "otlp", "`otlp`, `console` or `none`"},
    {"OTEL_EXPORTER_OTLP_ENDPOINT", "", "Used where ALPHASWARM_OTEL_ENDPOINT is not"},
    {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "", "The same for traces only; wins over it"},
    {"OTEL_EXPORTER_OTLP_PROTOCOL", "", "`grpc` or `http/protobuf`"},
    {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "", "The same for traces only; wins over it"},
    {"OTEL_EXPORTER_OTLP_HEADERS", "", "`name=value,…` sent with every export", true},
    {"OTEL_EXPORTER_OTLP_TIMEOUT", "10000", "Of one export with its retries, ms"},
    {"OTEL_EXPORTER_OTLP_COMPRESSION", "none", "`none` or `gzip`"},
    {"OTEL_EXPORTER_OTLP_CERTIFICATE", "", "PEM file of authorities for https://"},
    {"OTEL_SERVICE_NAME", "", "Used, as it is, where ALPHASWARM_OTEL_SERVICE_NAME is not"},
    {"OTEL_RESOURCE_ATTRIBUTES", "", "`name=value,…` of the resource"},
    {"OTEL_TRACES_SAMPLER", "",
     "`always_on`, `always_off`, `traceidratio`, each also as `parentbased_…`"},
    {"OTEL_TRACES_SAMPLER_ARG", "", "The ratio of `traceidratio`"},
    {"OTEL_BSP_SCHEDULE_DELAY", "1000", "Longest wait of a finished span before its export, ms"},
    {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "8192", "Spans in one request"},
    {"OTEL_BSP_EXPORT_TIMEOUT", "", "Wins over OTEL_EXPORTER_OTLP_TIMEOUT, ms"},
    {"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "16384", "Longer strings are cut, bytes"},
    {"OTEL_ATTRIBUTE_COUNT_LIMIT", "128", "Attributes a span"},
};

const Setting& setting(Index index) { return kSettings[index]; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// "%2C" in values, as W3C baggage encodes them.
std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    if (at + 2 >= text.size()) return std::nullopt;
    const std::string digits(text.substr(at + 1, 2));
    char* end = nullptr;
    const long value = std::strtol(digits.c_str(), &end, 16);
    if (end != digits.c_str() + 2) return std::nullopt;
    out += static_cast<char>(value);
    at += 2;
  }
  return out;
}

// "name=value,name=value"; an error names the variable.
Result<void> read_pairs(const Environment& environment, Index index,
                        std::vector<std::pair<std::string, std::string>>& out) {
  const std::string text = environment.text(setting(index));
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view pair = trimmed(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    const auto value = equals == std::string_view::npos || equals == 0
                           ? std::nullopt
                           : unescaped(trimmed(pair.substr(equals + 1)));
    if (!value) {
      return std::unexpected(
          environment.refuse(setting(index), "it must be a list like name=value,name=value"));
    }
    out.emplace_back(trimmed(pair.substr(0, equals)), *value);
  }
  return {};
}

// The first of these that is set.
std::optional<Index> first_set(const Environment& environment, std::initializer_list<Index> list) {
  for (const Index index : list) {
    if (environment.find(setting(index).name)) return index;
  }
  return std::nullopt;
}

Result<void> read_protocol(const Environment& environment, Config& config) {
  static constexpr std::string_view kAllowed[] = {"grpc", "http/protobuf"};
  const auto index =
      first_set(environment, {kProtocol, kStandardTracesProtocol, kStandardProtocol});
  if (!index) return {};
  const auto chosen = environment.choice(setting(*index), kAllowed);
  if (!chosen) return std::unexpected(chosen.error());
  config.protocol = *chosen == "grpc" ? Protocol::grpc : Protocol::http_protobuf;
  return {};
}

Result<void> read_transport(const Environment& environment, Config& config) {
  if (auto done = read_protocol(environment, config); !done) return done;
  if (auto done = read_pairs(environment, kStandardHeaders, config.headers); !done) return done;
  const Index timeout = environment.find(setting(kStandardExportTimeout).name)
                            ? kStandardExportTimeout
                            : kStandardTimeout;
  const auto timeout_ms = environment.integer(setting(timeout), 1, 3'600'000);
  if (!timeout_ms) return std::unexpected(timeout_ms.error());
  config.timeout_ms = *timeout_ms;
  static constexpr std::string_view kCompression[] = {"none", "gzip"};
  const auto compression = environment.choice(setting(kStandardCompression), kCompression);
  if (!compression) return std::unexpected(compression.error());
  config.gzip = *compression == "gzip";
  config.ca_file = environment.text(setting(kStandardCertificate));
  return {};
}

// OpenTelemetry's sampler names, where our own ratio is not set.
Result<void> read_standard_sampler(const Environment& environment, Config& config) {
  static constexpr std::string_view kAllowed[] = {"always_on",
                                                  "always_off",
                                                  "parentbased_always_on",
                                                  "parentbased_always_off",
                                                  "traceidratio",
                                                  "parentbased_traceidratio"};
  const auto chosen = environment.choice(setting(kStandardSampler), kAllowed);
  if (!chosen) return std::unexpected(chosen.error());
  config.parent_based = chosen->starts_with("parentbased_");
  if (chosen->ends_with("always_off")) config.sample_ratio = 0;
  if (chosen->ends_with("traceidratio") && environment.find(setting(kStandardSamplerArg).name)) {
    const auto ratio = environment.number(setting(kStandardSamplerArg), 0, 1);
    if (!ratio) return std::unexpected(ratio.error());
    config.sample_ratio = *ratio;
  }
  return {};
}

Result<void> read_sampling(const Environment& environment, Config& config) {
  if (!environment.find(setting(kSampleRatio).name) &&
      environment.find(setting(kStandardSampler).name)) {
    return read_standard_sampler(environment, config);
  }
  const auto ratio = environment.number(setting(kSampleRatio), 0, 1);
  if (!ratio) return std::unexpected(ratio.error());
  config.sample_ratio = *ratio;
  return {};
}

Result<void> read_bounds(const Environment& environment, Config& config) {
  const auto delay = environment.integer(setting(kStandardDelay), 1, 3'600'000);
  if (!delay) return std::unexpected(delay.error());
  const auto batch = environment.integer(setting(kStandardBatch), 1, 1'000'000);
  if (!batch) return std::unexpected(batch.error());
  const auto value = environment.integer(setting(kStandardValueLimit), 1, 65'536);
  if (!value) return std::unexpected(value.error());
  const auto count = environment.integer(setting(kStandardCountLimit), 0, 1'024);
  if (!count) return std::unexpected(count.error());
  config.schedule_delay_ms = *delay;
  config.max_batch_spans = static_cast<std::uint32_t>(*batch);
  config.limits.value_bytes = static_cast<std::uint32_t>(*value);
  config.limits.attributes = static_cast<std::uint32_t>(*count);
  return {};
}

}  // namespace

std::span<const Setting> settings() noexcept { return kSettings; }

Result<Config> config_from_environment(const Environment& environment,
                                       std::string_view role_suffix) {
  Config config;
  // OTEL_SERVICE_NAME names one service; a process with several roles keeps them apart.
  const bool standard_name = !environment.find(setting(kServiceName).name) &&
                             environment.find(setting(kStandardServiceName).name);
  config.service_name =
      environment.text(setting(standard_name ? kStandardServiceName : kServiceName));
  config.service_name += role_suffix;
  if (auto done = read_pairs(environment, kStandardResource, config.resource); !done) {
    return std::unexpected(done.error());
  }
  if (auto done = read_transport(environment, config); !done) return std::unexpected(done.error());
  if (auto done = read_sampling(environment, config); !done) return std::unexpected(done.error());
  if (auto done = read_bounds(environment, config); !done) return std::unexpected(done.error());

  static constexpr std::string_view kExporters[] = {"otlp", "console", "none"};
  const auto exporter = environment.choice(setting(kStandardExporter), kExporters);
  if (!exporter) return std::unexpected(exporter.error());
  const auto disabled = environment.boolean(setting(kStandardDisabled));
  if (!disabled) return std::unexpected(disabled.error());
  if (*disabled || *exporter == "none") return config;
  config.console = *exporter == "console";
  // Services turn tracing on by their own variable only (role given); a program that uses the SDK
  // alone may rely on OpenTelemetry's.
  const auto endpoint =
      role_suffix.empty()
          ? first_set(environment, {kEndpoint, kStandardTracesEndpoint, kStandardEndpoint})
          : first_set(environment, {kEndpoint});
  if (endpoint) config.endpoint = environment.text(setting(*endpoint));
  return config;
}

}  // namespace alphaswarm::observability
