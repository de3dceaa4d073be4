#include "alphaswarm/observability/export/signal_settings.hpp"

#include <utility>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/api/settings.hpp"
#include "alphaswarm/observability/export/endpoint.hpp"
#include "alphaswarm/observability/export/otlp_response.hpp"

namespace alphaswarm::observability {
namespace {

using config::Setting;

// The last is for spans only: the others then go as protobuf.
constexpr std::string_view kProtocols[] = {"grpc", "http/protobuf", "http/json"};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// "key=value,key=value", percent-encoded; nullopt if it is anything else.
std::optional<std::vector<std::pair<std::string, std::string>>> pairs(std::string_view rest) {
  std::vector<std::pair<std::string, std::string>> found;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string_view one = trimmed(rest.substr(0, comma));
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    if (one.empty()) continue;
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos || equals == 0) return std::nullopt;
    found.emplace_back(trimmed(one.substr(0, equals)),
                       percent_decode(trimmed(one.substr(equals + 1))));
  }
  return found;
}

}  // namespace

SignalReader::SignalReader(const config::Environment& environment,
                           std::span<const config::Setting> own, std::string_view signal)
    : environment_(environment), own_(own), signal_(signal) {}

const Setting& SignalReader::setting(std::string_view name) const {
  for (const std::span<const Setting> list : {own_, settings()}) {
    for (const Setting& each : list) {
      if (each.name == name) return each;
    }
  }
  std::unreachable();  // names are constants, and each is tried by a test
}

const Setting& SignalReader::first(std::string_view what) const {
  const Setting& own = setting("OTEL_EXPORTER_OTLP_" + signal_ + "_" + std::string(what));
  if (environment_.find(own.name).has_value()) return own;
  if (what == "ENDPOINT" || what == "PROTOCOL") {
    const Setting& ours = setting("ALPHASWARM_OTEL_" + std::string(what));
    if (environment_.find(ours.name).has_value()) return ours;
  }
  return setting("OTEL_EXPORTER_OTLP_" + std::string(what));
}

std::string SignalReader::one_of(const Setting& from, std::span<const std::string_view> allowed) {
  if (environment_.text(from).empty()) return {};
  auto value = environment_.choice(from, allowed);
  if (value) return *value;
  if (!error_) error_ = value.error();
  return {};
}

std::string SignalReader::choice(std::string_view name, std::span<const std::string_view> allowed) {
  return one_of(setting(name), allowed);
}

std::optional<std::int64_t> SignalReader::number(std::string_view name, std::int64_t least,
                                                 std::int64_t most) {
  const Setting& from = setting(name);
  if (environment_.text(from).empty()) return std::nullopt;
  const auto value = environment_.integer(from, least, most);
  if (value) return *value;
  if (!error_) error_ = value.error();
  return std::nullopt;
}

std::string SignalReader::exporter() {
  static constexpr std::string_view kExporters[] = {"otlp", "none", "console"};
  // Log records are lines already: they have no console exporter.
  const std::span<const std::string_view> allowed(kExporters, signal_ == "LOGS" ? 2 : 3);
  std::string found = choice("OTEL_" + signal_ + "_EXPORTER", allowed);
  const auto disabled = environment_.boolean(setting("OTEL_SDK_DISABLED"));
  if (!disabled && !error_) error_ = disabled.error();
  if (found.empty() || (disabled && *disabled)) return "none";
  return found;
}

void SignalReader::identity(std::string_view role_suffix, std::string& service_name,
                            std::vector<std::pair<std::string, std::string>>& resource) {
  auto config = config_from_environment(environment_, role_suffix);
  if (!config) {
    if (!error_) error_ = config.error();
    return;
  }
  service_name = std::move(config->service_name);
  resource = std::move(config->resource);
}

void SignalReader::receiver(std::string_view exporter, ReceiverConfig& out) {
  const Setting& own_protocol = first("PROTOCOL");
  const bool http = one_of(own_protocol, kProtocols).starts_with("http/");
  out.protocol = http ? Protocol::http_protobuf : Protocol::grpc;
  if (exporter == "otlp") {
    const Setting& from = first("ENDPOINT");
    out.endpoint = environment_.text(from);
    if (constexpr std::string_view kTraces = "/v1/traces"; out.endpoint.ends_with(kTraces)) {
      out.endpoint.resize(out.endpoint.size() - kTraces.size());  // the signal has its own path
    }
    if (out.endpoint.empty()) out.endpoint = http ? "http://localhost:4318" : "localhost:4317";
    if (const auto parsed = parse_endpoint(out.endpoint, 4317); !parsed && !error_) {
      error_ = environment_.refuse(from, parsed.error().message);
    }
  }
  const Setting& headers = first("HEADERS");
  if (auto found = pairs(environment_.text(headers))) {
    out.headers = std::move(*found);
  } else if (!error_) {
    error_ = environment_.refuse(headers, "it must read key=value,key=value");
  }
  static constexpr std::string_view kCompressions[] = {"gzip", "none"};
  out.gzip = one_of(first("COMPRESSION"), kCompressions) == "gzip";
  out.ca_file = environment_.text(first("CERTIFICATE"));
  out.client_cert_file = environment_.text(first("CLIENT_CERTIFICATE"));
  out.client_key_file = environment_.text(first("CLIENT_KEY"));
  integer(first("TIMEOUT").name, 1, 3'600'000, out.timeout_ms);
}

}  // namespace alphaswarm::observability
