// alphaswarm api | worker | exchange | collector: one service in a process of its own.

#include <fmt/format.h>

#include <cstdio>

#include "alphaswarm/cli/backend.hpp"
#include "alphaswarm/cli/commands.hpp"
#include "alphaswarm/cli/roles.hpp"
#include "alphaswarm/cli/stop_signal.hpp"

namespace alphaswarm::cli {
namespace {

// Says where it is, waits for a signal, stops.
template <class Role>
int serve(StopSignal& stop, Role& role, const std::string& where, Signals& signals) {
  fmt::print("ready\n  {}\n", where);
  std::fflush(stdout);
  static_cast<void>(stop.wait());
  role.stop();
  signals.stop();  // while the role's spans can still be counted
  return 0;
}

SettingsOverrides overrides(const ServiceOptions& options) {
  return {.data_dir = options.data_dir, .port = options.port};
}

}  // namespace

int run_api(const config::Environment& environment, const ServiceOptions& options) {
  StopSignal stop;
  const auto settings = read_settings(environment, overrides(options));
  if (!settings) return failed(settings.error().message);
  auto signals = Signals::start(environment, "-api");
  if (!signals) return failed(signals.error().message);
  const Start start{environment, *settings, nullptr, signals->get()};
  auto backbone = Backbone::open(start);
  if (!backbone) return failed(backbone.error().message);
  auto role = ApiRole::start(start, **backbone);
  if (!role) return failed(role.error().message);
  return serve(stop, **role, "API  " + (*role)->url(), **signals);
}

int run_worker(const config::Environment& environment, const ServiceOptions& options) {
  const auto settings = read_settings(environment, overrides(options));
  if (!settings) return failed(settings.error().message);
  if (is_memory(*settings)) return failed(tasks::no_worker_message());
  StopSignal stop;
  auto signals = Signals::start(environment, "-worker");
  if (!signals) return failed(signals.error().message);
  const Start start{environment, *settings, nullptr, signals->get()};
  auto backbone = Backbone::open(start);
  if (!backbone) return failed(backbone.error().message);
  auto role = WorkerRole::start(start, **backbone, options.queues);
  if (!role) return failed(role.error().message);
  return serve(stop, **role, "worker", **signals);
}

int run_exchange(const config::Environment& environment, const ServiceOptions& options) {
  StopSignal stop;
  const auto settings = read_settings(environment, overrides(options));
  if (!settings) return failed(settings.error().message);
  auto signals = Signals::start(environment, "-exchange");
  if (!signals) return failed(signals.error().message);
  auto role = ExchangeRole::start({environment, *settings, nullptr, signals->get()});
  if (!role) return failed(role.error().message);
  return serve(stop, **role, "exchange  " + (*role)->url(), **signals);
}

int run_collector(const config::Environment& environment, const CollectorOptions& options) {
  StopSignal stop;
  const auto settings = read_settings(
      environment, {.data_dir = options.data_dir, .port_offset = options.port_offset});
  if (!settings) return failed(settings.error().message);
  auto signals = Signals::start(environment, "-collector", Receivers::named);
  if (!signals) return failed(signals.error().message);
  auto backend = Backend::start(
      *settings, {.port_offset = options.port_offset, .config_file = options.config});
  if (!backend) return failed(backend.error().message);
  return serve(stop, **backend,
               "OTLP  " + (*backend)->otlp_urls() + "\n  traces  " + (*backend)->query_url(),
               **signals);
}

}  // namespace alphaswarm::cli
