// alphaswarm doctor: why is there no trace?

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>

#include "alphaswarm/cli/doctor.hpp"
#include "alphaswarm/cli/settings.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/tracing.hpp"

namespace alphaswarm::cli {
namespace {

using doctor::Finding;
using doctor::Findings;
using State = Finding::State;

bool any_bad(const Findings& findings) {
  return std::ranges::any_of(findings, [](const auto& one) { return one.state == State::bad; });
}

void append(Findings& all, Findings more) {
  for (Finding& finding : more) all.push_back(std::move(finding));
}

Finding check_sampling(const observability::Config& config) {
  if (config.sample_ratio == 0) {
    return {"sampling", State::bad,
            "the sample ratio is 0, so no new trace is kept: set ALPHASWARM_OTEL_SAMPLE_RATIO=1"};
  }
  char text[80];
  std::snprintf(text, sizeof text, "%g of all new traces are kept", config.sample_ratio);
  return {"sampling", State::good, text};
}

// From the settings to the store. Later checks need the earlier ones.
Findings examine(const config::Environment& environment, const DoctorOptions& options) {
  const auto settings = read_settings(environment, {.data_dir = options.data_dir});
  if (!settings) return {{"settings", State::bad, settings.error().message}};
  const auto config = observability::config_from_environment(environment, "-doctor");
  if (!config) return {{"settings", State::bad, config.error().message}};
  Findings all{{"settings", State::good, "every setting is allowed"}};
#if !ALPHASWARM_OTEL
  all.push_back({"build", State::bad,
                 "this program was built without tracing: build it with -DALPHASWARM_OTEL=ON, or "
                 "install the package without no-otel in its name"});
  return all;
#endif
  if (config->endpoint.empty()) {
    const auto disabled = environment.find("OTEL_SDK_DISABLED");
    all.push_back({"endpoint", State::bad,
                   disabled && *disabled != "false"
                       ? "tracing is off, because OTEL_SDK_DISABLED is set: unset it"
                       : "tracing is off: set ALPHASWARM_OTEL_ENDPOINT, e.g. "
                         "http://127.0.0.1:4317"});
    return all;
  }
  all.push_back({"endpoint", State::good, config->endpoint});
  all.push_back(check_sampling(*config));
  append(all, doctor::check_endpoint(*config));
  const auto unreachable = [](const Finding& one) {
    return one.state == State::bad && one.check != "sampling";
  };
  if (!std::ranges::any_of(all, unreachable)) {
    auto sent = doctor::check_span(*config);
    all.push_back(std::move(sent.finding));
    if (!sent.trace_id.empty()) {
      const std::string query = options.query.empty() ? settings->trace_ui_url : options.query;
      append(all, doctor::check_arrival(query, sent.trace_id));
    }
  }
  std::string metrics = options.metrics;
  if (metrics.empty()) {
    metrics = "http://127.0.0.1:" + std::to_string(settings->api.port) + "/metrics";
  }
  all.push_back(doctor::check_drops(metrics));
  return all;
}

constexpr const char* kStates[] = {"ok", "skipped", "WRONG"};

void print(const Findings& findings, bool as_json) {
  if (!as_json) {
    for (const Finding& one : findings) {
      std::printf("%-8s %-14s %s\n", kStates[static_cast<unsigned>(one.state)], one.check.c_str(),
                  one.message.c_str());
    }
    return;
  }
  boost::json::array rows;
  for (const Finding& one : findings) {
    static constexpr const char* kNames[] = {"ok", "skipped", "wrong"};
    rows.push_back(boost::json::object{{"check", one.check},
                                       {"state", kNames[static_cast<unsigned>(one.state)]},
                                       {"message", one.message}});
  }
  std::printf("%s\n", boost::json::serialize(rows).c_str());
}

}  // namespace

int run_doctor(const config::Environment& environment, const DoctorOptions& options) {
  Findings findings;
  if (options.reach.empty()) {
    findings = examine(environment, options);
  } else {
    for (const std::string& url : options.reach) findings.push_back(doctor::check_reach(url));
  }
  print(findings, options.json);
  return any_bad(findings) ? 1 : 0;
}

}  // namespace alphaswarm::cli
