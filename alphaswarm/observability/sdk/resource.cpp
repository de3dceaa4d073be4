#include "alphaswarm/observability/sdk/resource.hpp"

#include <unistd.h>

#include <string_view>
#include <vector>

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/observability/sdk/utf8.hpp"
#include "alphaswarm/otlp/encode.hpp"

namespace alphaswarm::observability::sdk {
namespace {

constexpr std::string_view kVersion = "0.1.0";

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

std::string repaired(std::string_view text) {
  std::string out(repaired_size(text, text.size() * 3), '\0');
  write_repaired(out.data(), text, text.size() * 3);
  return out;
}

}  // namespace

std::string encode_resource(const Config& config) {
  std::vector<std::pair<std::string, std::string>> texts = {
      {"service.name", config.service_name},
      {"service.namespace", "alphaswarm"},
      {"service.version", std::string(kVersion)},
      {"service.instance.id", random_uuid()},
      {"host.name", host_name()},
      {"telemetry.sdk.name", "alphaswarm"},
      {"telemetry.sdk.language", "cpp"},
      {"telemetry.sdk.version", std::string(kVersion)},
  };
  for (const auto& [key, value] : config.resource) {
    if (key.empty() || key == "service.name") continue;
    bool known = false;
    for (auto& entry : texts) {
      if (entry.first == key) {
        entry.second = value;
        known = true;
      }
    }
    if (!known) texts.emplace_back(key, value);
  }
  otlp::MessageWriter resource;
  for (const auto& [key, value] : texts) {
    if (value.empty()) continue;
    resource.bytes(1, otlp::string_key_value(repaired(key), repaired(value)));
  }
  resource.bytes(1, otlp::integer_key_value("process.pid", ::getpid()));
  return resource.str();
}

std::string encode_scope() {
  return otlp::MessageWriter().bytes(1, "alphaswarm").bytes(2, kVersion).str();
}

}  // namespace alphaswarm::observability::sdk
