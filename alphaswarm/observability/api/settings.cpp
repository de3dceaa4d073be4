#include "alphaswarm/observability/api/settings.hpp"

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/endpoint.hpp"
#include "alphaswarm/observability/export/otlp_response.hpp"

namespace alphaswarm::observability {
namespace {

using config::Environment;
using config::Setting;

enum Index : std::size_t {
  kEndpoint,
  kServiceName,
  kSampleRatio,
  kProtocol,
  kRecorderBytes,
  kRecorderLatency,
  kFile,
  kFileMaxBytes,
  kSpillFolder,
  kSpillMaxBytes,
  kRatioRule,
  kProcessor,
  kOtelDisabled,
  kOtelExporter,
  kOtelServiceName,
  kOtelResource,
  kOtelEndpoint,
  kOtelTracesEndpoint,
  kOtelProtocol,
  kOtelTracesProtocol,
  kOtelHeaders,
  kOtelTracesHeaders,
  kOtelTimeout,
  kOtelTracesTimeout,
  kOtelCompression,
  kOtelTracesCompression,
  kOtelCertificate,
  kOtelTracesCertificate,
  kOtelClientCertificate,
  kOtelTracesClientCertificate,
  kOtelClientKey,
  kOtelTracesClientKey,
  kOtelSampler,
  kOtelSamplerArg,
  kOtelPropagators,
  kBspDelay,
  kBspTimeout,
  kBspQueue,
  kBspBatch,
  kAttributeLength,
  kAttributeCount,
  kSpanAttributeLength,
  kSpanAttributeCount,
  kSpanEventCount,
  kSpanLinkCount,
  kEventAttributeCount,
  kLinkAttributeCount,
  kSettingCount,
};

constexpr Setting kSettings[] = {
    {"ALPHASWARM_OTEL_ENDPOINT", "",
     "OTLP endpoint, e.g. http://127.0.0.1:4317. Empty: tracing disabled"},
    {"ALPHASWARM_OTEL_SERVICE_NAME", "alphaswarm", "Base service name; each role appends its own"},
    {"ALPHASWARM_OTEL_SAMPLE_RATIO", "1.0", "Share of root traces kept, 0 to 1; children follow"},
    {"ALPHASWARM_OTEL_PROTOCOL", "grpc", "grpc, http/protobuf or http/json"},
    {"ALPHASWARM_OTEL_FLIGHT_RECORDER_BYTES", "0",
     "Bytes of spans kept for later though not sampled; 0: none"},
    {"ALPHASWARM_OTEL_FLIGHT_RECORDER_LATENCY_MS", "0",
     "A kept span that takes so long has its trace exported, as an error has; 0: none does"},
    {"ALPHASWARM_OTEL_FILE", "", "Also append spans to this file, as lines of OTLP/JSON"},
    {"ALPHASWARM_OTEL_FILE_MAX_BYTES", "100000000", "Size at which it is renamed to <file>.1"},
    {"ALPHASWARM_OTEL_SPILL_DIR", "",
     "Keep batches in this folder while their receiver is away, and send them later, also after a "
     "restart. Empty: retry, then drop"},
    {"ALPHASWARM_OTEL_SPILL_MAX_BYTES", "67108864",
     "Size of that folder on disk for each service, room for two batches at least; the oldest go"},
    {"ALPHASWARM_OTEL_RATIO_RULE", "consistent",
     "Which traces a ratio keeps: consistent (low 56 bits at or above the threshold) or trace_id "
     "(low 64 bits below the bound: the older TraceIdRatioBased)"},
    {"ALPHASWARM_OTEL_PROCESSOR", "batch",
     "batch, or simple: a request for each span, within milliseconds of its end"},
    {"OTEL_SDK_DISABLED", "false", "true: no tracing"},
    {"OTEL_TRACES_EXPORTER", "",
     "otlp, console, both with a comma, or none; for programs that use the SDK alone"},
    {"OTEL_SERVICE_NAME", "", "Base service name, if ALPHASWARM_OTEL_SERVICE_NAME is not set"},
    {"OTEL_RESOURCE_ATTRIBUTES", "", "key=value,… added to the resource"},
    {"OTEL_EXPORTER_OTLP_ENDPOINT", "", "Endpoint; for programs that use the SDK alone"},
    {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "", "The same, for traces; wins"},
    {"OTEL_EXPORTER_OTLP_PROTOCOL", "", "grpc, http/protobuf or http/json"},
    {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "", "The same, for traces; wins"},
    {"OTEL_EXPORTER_OTLP_HEADERS", "", "key=value,… sent with every request", true},
    {"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "", "The same, for traces; wins", true},
    {"OTEL_EXPORTER_OTLP_TIMEOUT", "10000", "Milliseconds for one export, retries included"},
    {"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "", "The same, for traces; wins"},
    {"OTEL_EXPORTER_OTLP_COMPRESSION", "none", "gzip or none"},
    {"OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "", "The same, for traces; wins"},
    {"OTEL_EXPORTER_OTLP_CERTIFICATE", "", "PEM file of the authorities trusted with TLS"},
    {"OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "", "The same, for traces; wins"},
    {"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "", "PEM file of the client's certificate"},
    {"OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", "", "The same, for traces; wins"},
    {"OTEL_EXPORTER_OTLP_CLIENT_KEY", "", "PEM file of the client's key"},
    {"OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "", "The same, for traces; wins"},
    {"OTEL_TRACES_SAMPLER", "parentbased_always_on",
     "[parentbased_]always_on, [parentbased_]always_off or [parentbased_]traceidratio"},
    {"OTEL_TRACES_SAMPLER_ARG", "1.0", "The ratio of traceidratio, 0 to 1"},
    {"OTEL_PROPAGATORS", "tracecontext,baggage",
     "Forms in which contexts travel: tracecontext, baggage, b3, b3multi, jaeger; or none"},
    {"OTEL_BSP_SCHEDULE_DELAY", "1000", "Longest wait of a finished span, in milliseconds"},
    {"OTEL_BSP_EXPORT_TIMEOUT", "", "Milliseconds for one export; the smaller timeout wins"},
    {"OTEL_BSP_MAX_QUEUE_SIZE", "",
     "Understood, without effect: finished spans are bounded by memory, not by number"},
    {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "8192", "Spans in one request"},
    {"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "16384", "Bytes of a text value; longer ones are cut"},
    {"OTEL_ATTRIBUTE_COUNT_LIMIT", "128", "Attributes of a span, event or link"},
    {"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "", "The same, for spans; wins"},
    {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "", "The same, for spans; wins"},
    {"OTEL_SPAN_EVENT_COUNT_LIMIT", "128", "Events of a span"},
    {"OTEL_SPAN_LINK_COUNT_LIMIT", "128", "Links of a span"},
    {"OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "", "Attributes of an event"},
    {"OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "", "Attributes of a link"},
};
static_assert(std::size(kSettings) == kSettingCount);

// Reads one variable after the other; the first error stays.
class Reader {
 public:
  explicit Reader(const Environment& environment) : environment_(environment) {}

  [[nodiscard]] bool has(Index index) const {
    return environment_.find(kSettings[index].name).has_value();
  }
  [[nodiscard]] std::string text(Index index) const { return environment_.text(kSettings[index]); }
  // The first of two that is set, else the default of the second.
  [[nodiscard]] Index first(Index own, Index general) const { return has(own) ? own : general; }

  template <class T>
  void integer(Index index, std::int64_t least, std::int64_t most, T& out) {
    if (text(index).empty()) return;
    const auto value = environment_.integer(kSettings[index], least, most);
    if (keep(value)) out = static_cast<T>(*value);
  }
  void ratio(Index index, double& out) {
    const auto value = environment_.number(kSettings[index], 0.0, 1.0);
    if (keep(value)) out = *value;
  }
  bool boolean(Index index) {
    const auto value = environment_.boolean(kSettings[index]);
    return keep(value) && *value;
  }
  std::string choice(Index index, std::span<const std::string_view> allowed) {
    if (text(index).empty()) return {};
    const auto value = environment_.choice(kSettings[index], allowed);
    return keep(value) ? *value : std::string();
  }
  // "key=value,key=value", percent-encoded (W3C baggage's form, as the specification asks).
  std::vector<std::pair<std::string, std::string>> pairs(Index index) {
    std::vector<std::pair<std::string, std::string>> found;
    const std::string all = text(index);
    for (std::string_view rest = all; !rest.empty();) {
      const std::size_t comma = rest.find(',');
      const std::string_view one = trimmed(rest.substr(0, comma));
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
      if (one.empty()) continue;
      const std::size_t equals = one.find('=');
      if (equals == std::string_view::npos || equals == 0) {
        refuse(index, "it must read key=value,key=value");
        return {};
      }
      found.emplace_back(trimmed(one.substr(0, equals)),
                         percent_decode(trimmed(one.substr(equals + 1))));
    }
    return found;
  }
  [[nodiscard]] std::vector<std::string> list(Index index) const {
    std::vector<std::string> found;
    const std::string all = text(index);
    for (std::string_view rest = all; !rest.empty();) {
      const std::size_t comma = rest.find(',');
      found.emplace_back(trimmed(rest.substr(0, comma)));
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
    return found;
  }
  void refuse(Index index, std::string_view why) {
    if (!error_) error_ = environment_.refuse(kSettings[index], why);
  }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  template <class T>
  bool keep(const Result<T>& value) {
    if (!value && !error_) error_ = value.error();
    return value.has_value();
  }
  static std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
  }
  const Environment& environment_;
  std::optional<Error> error_;
};

constexpr std::string_view kProtocols[] = {"grpc", "http/protobuf", "http/json"};

void read_identity(Reader& reader, std::string_view role_suffix, Config& config) {
  config.resource = reader.pairs(kOtelResource);
  std::string base = reader.text(kServiceName);
  if (!reader.has(kServiceName)) {
    if (reader.has(kOtelServiceName)) {
      base = reader.text(kOtelServiceName);
    } else {
      for (const auto& [key, value] : config.resource) {
        if (key == "service.name" && !value.empty()) base = value;
      }
    }
  }
  config.service_name = base + std::string(role_suffix);
}

// In the services (which have a role) only ALPHASWARM_OTEL_ENDPOINT turns tracing on.
void read_destination(Reader& reader, bool service, Config& config) {
  const Index protocol =
      reader.has(kProtocol) ? kProtocol : reader.first(kOtelTracesProtocol, kOtelProtocol);
  const std::string chosen = reader.choice(protocol, kProtocols);
  const bool http = chosen.starts_with("http");
  if (http) config.protocol = chosen == "http/json" ? Protocol::http_json : Protocol::http_protobuf;
  config.file = reader.text(kFile);
  reader.integer(kFileMaxBytes, 1'000, INT64_MAX, config.file_max_bytes);
  config.spill_folder = reader.text(kSpillFolder);
  reader.integer(kSpillMaxBytes, static_cast<std::int64_t>(config.least_spill_bytes()), INT64_MAX,
                 config.spill_max_bytes);
  Index endpoint = kEndpoint;
  if (!reader.has(kEndpoint) && !service) {
    endpoint = reader.first(kOtelTracesEndpoint, kOtelEndpoint);
  }
  config.endpoint = reader.text(endpoint);
  bool otlp = false;
  const std::vector<std::string> exporters = reader.list(kOtelExporter);
  for (const std::string& one : exporters) {
    otlp = otlp || one == "otlp";
    if (!service) config.console = config.console || one == "console";
    if (one != "otlp" && one != "console" && (one != "none" || exporters.size() != 1)) {
      reader.refuse(kOtelExporter, "it must list otlp and console, or be none");
    }
  }
  if (!service && !exporters.empty()) {
    if (!otlp) config.endpoint.clear();
    if (otlp && config.endpoint.empty()) {
      config.endpoint = http ? "http://localhost:4318" : "http://localhost:4317";
    }
  }
  if (reader.boolean(kOtelDisabled)) {
    config.endpoint.clear();
    config.console = false;
    config.file.clear();
  }
  if (!config.endpoint.empty()) {
    if (const auto parsed = parse_endpoint(config.endpoint, 4317); !parsed) {
      reader.refuse(endpoint, parsed.error().message);
    }
  }
}

void read_transport(Reader& reader, Config& config) {
  config.headers = reader.pairs(reader.first(kOtelTracesHeaders, kOtelHeaders));
  static constexpr std::string_view kCompressions[] = {"gzip", "none"};
  config.gzip = reader.choice(reader.first(kOtelTracesCompression, kOtelCompression),
                              kCompressions) == "gzip";
  config.ca_file = reader.text(reader.first(kOtelTracesCertificate, kOtelCertificate));
  config.client_cert_file =
      reader.text(reader.first(kOtelTracesClientCertificate, kOtelClientCertificate));
  config.client_key_file = reader.text(reader.first(kOtelTracesClientKey, kOtelClientKey));
  constexpr std::int64_t kHour = 3'600'000;
  reader.integer(reader.first(kOtelTracesTimeout, kOtelTimeout), 1, kHour, config.timeout_ms);
  std::int64_t batch_timeout = config.timeout_ms;
  reader.integer(kBspTimeout, 1, kHour, batch_timeout);
  config.timeout_ms = std::min(config.timeout_ms, batch_timeout);
  static constexpr std::string_view kProcessors[] = {"batch", "simple"};
  config.simple = reader.choice(kProcessor, kProcessors) == "simple";
  reader.integer(kBspDelay, 0, kHour, config.schedule_delay_ms);
  reader.integer(kBspBatch, 1, 1'000'000, config.max_batch_spans);
  std::int64_t unused = 0;
  reader.integer(kBspQueue, 1, 1'000'000'000, unused);
}

void read_sampling(Reader& reader, Config& config) {
  static constexpr std::string_view kSamplers[] = {
      "always_on",    "parentbased_always_on",    "always_off", "parentbased_always_off",
      "traceidratio", "parentbased_traceidratio",
  };
  const std::string sampler = reader.choice(kOtelSampler, kSamplers);
  config.parent_based = sampler.starts_with("parentbased");
  if (sampler.ends_with("always_off")) config.sample_ratio = 0.0;
  if (sampler.ends_with("traceidratio")) reader.ratio(kOtelSamplerArg, config.sample_ratio);
  if (reader.has(kSampleRatio)) {
    config.parent_based = true;
    reader.ratio(kSampleRatio, config.sample_ratio);
  }
  reader.integer(kRecorderBytes, 0, INT64_MAX, config.flight_recorder_bytes);
  reader.integer(kRecorderLatency, 0, INT64_MAX / 1'000'000, config.flight_recorder_latency_ms);
  static constexpr std::string_view kRules[] = {"consistent", "trace_id"};
  config.consistent_ratio = reader.choice(kRatioRule, kRules) != "trace_id";
}

void read_propagators(Reader& reader, Config& config) {
  static constexpr std::pair<std::string_view, Propagator> kNames[] = {
      {"tracecontext", Propagator::trace_context},
      {"baggage", Propagator::baggage},
      {"b3", Propagator::b3},
      {"b3multi", Propagator::b3_multi},
      {"jaeger", Propagator::jaeger},
  };
  const std::vector<std::string> names = reader.list(kOtelPropagators);
  config.propagators.clear();
  for (const std::string& one : names) {
    const auto* const known =
        std::ranges::find(kNames, one, &std::pair<std::string_view, Propagator>::first);
    if (known != std::end(kNames)) {
      if (std::ranges::find(config.propagators, known->second) == config.propagators.end()) {
        config.propagators.push_back(known->second);
      }
    } else if (one != "none" || names.size() != 1) {
      reader.refuse(kOtelPropagators,
                    "it must list tracecontext, baggage, b3, b3multi or jaeger, or be none");
    }
  }
}

void read_limits(Reader& reader, SpanLimits& limits) {
  constexpr std::int64_t kMost = 60'000;  // bytes: what fits a span; the counts are bounded alike
  reader.integer(reader.first(kSpanAttributeLength, kAttributeLength), 0, kMost,
                 limits.value_bytes);
  reader.integer(reader.first(kSpanAttributeCount, kAttributeCount), 0, kMost, limits.attributes);
  reader.integer(kSpanEventCount, 0, kMost, limits.events);
  reader.integer(kSpanLinkCount, 0, kMost, limits.links);
  reader.integer(reader.first(kEventAttributeCount, kAttributeCount), 0, kMost,
                 limits.attributes_per_event);
  reader.integer(reader.first(kLinkAttributeCount, kAttributeCount), 0, kMost,
                 limits.attributes_per_link);
}

}  // namespace

std::span<const Setting> settings() noexcept { return kSettings; }

Result<Config> config_from_environment(const Environment& environment,
                                       std::string_view role_suffix) {
  Reader reader(environment);
  Config config;
  read_identity(reader, role_suffix, config);
  read_destination(reader, !role_suffix.empty(), config);
  read_transport(reader, config);
  read_sampling(reader, config);
  read_propagators(reader, config);
  read_limits(reader, config.limits);
  if (reader.error()) return std::unexpected(*reader.error());
#if !ALPHASWARM_OTEL
  static std::atomic<bool> said{false};
  if (!config.endpoint.empty() && !said.exchange(true, std::memory_order_relaxed)) {
    log_warning("tracing",
                "an endpoint is set, but this program was built without tracing: build it with "
                "-DALPHASWARM_OTEL=ON, or install the package without no-otel in its name");
  }
#endif
  return config;
}

}  // namespace alphaswarm::observability
