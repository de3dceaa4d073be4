#pragma once

// The variables metrics and logs share, each with the signal's own name in front of the general
// one: OTEL_EXPORTER_OTLP_METRICS_ENDPOINT before ALPHASWARM_OTEL_ENDPOINT before
// OTEL_EXPORTER_OTLP_ENDPOINT.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alphaswarm/config/environment.hpp"
#include "alphaswarm/observability/export/signal_exporter.hpp"

namespace alphaswarm::observability {

// Reads declared settings one after the other; the first error stays.
class SignalReader {
 public:
  // `own` are the settings of the signal ("METRICS" or "LOGS").
  SignalReader(const config::Environment& environment, std::span<const config::Setting> own,
               std::string_view signal);

  // OTEL_<signal>_EXPORTER: "otlp", "none", which is the default, or for metrics "console".
  [[nodiscard]] std::string exporter();
  void identity(std::string_view role_suffix, std::string& service_name,
                std::vector<std::pair<std::string, std::string>>& resource);
  // Leaves the endpoint empty unless the exporter is "otlp".
  void receiver(std::string_view exporter, ReceiverConfig& out);

  [[nodiscard]] std::string choice(std::string_view name,
                                   std::span<const std::string_view> allowed);
  template <class T>
  void integer(std::string_view name, std::int64_t least, std::int64_t most, T& out) {
    if (const auto value = number(name, least, most)) out = static_cast<T>(*value);
  }
  [[nodiscard]] const std::optional<Error>& error() const noexcept { return error_; }

 private:
  [[nodiscard]] const config::Setting& setting(std::string_view name) const;
  // The setting "OTEL_EXPORTER_OTLP_<signal>_<what>" if it is set, else the general one; for
  // ENDPOINT and PROTOCOL "ALPHASWARM_OTEL_<what>" comes between the two.
  [[nodiscard]] const config::Setting& first(std::string_view what) const;
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view name, std::int64_t least,
                                                   std::int64_t most);
  [[nodiscard]] std::string one_of(const config::Setting& from,
                                   std::span<const std::string_view> allowed);

  const config::Environment& environment_;
  std::span<const config::Setting> own_;
  std::string signal_;
  std::optional<Error> error_;
};

}  // namespace alphaswarm::observability
