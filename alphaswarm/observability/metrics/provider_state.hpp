#pragma once

// What a MeterProvider, its meters and its handles share.

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "alphaswarm/observability/metrics/instrument.hpp"

namespace alphaswarm::observability::metrics::detail {

class ProviderState {
 public:
  ProviderState(MetricsConfig config, std::unique_ptr<SignalExporter> exporter);

  [[nodiscard]] const MetricsConfig& config() const noexcept { return config_; }
  [[nodiscard]] std::size_t scope(std::string_view name, std::string_view version);
  // The instrument of that identity, made where there is none.
  template <class S>
  [[nodiscard]] std::shared_ptr<Instrument<S>> instrument(std::size_t scope, Identity identity,
                                                          SeriesOptions options);
  [[nodiscard]] std::uint64_t observe(std::size_t scope, Identity identity, Callback callback);
  void forget(std::uint64_t observation);
  void add_producer(MeterProvider::Producer producer);

  [[nodiscard]] Temporality temporality(Metric::Kind kind, bool monotonic, bool observable) const;
  [[nodiscard]] std::vector<ScopeMetrics> collect();
  [[nodiscard]] MetricsStats stats() const;

  void start();
  bool flush(std::chrono::milliseconds timeout);
  bool shutdown(std::chrono::milliseconds timeout);

 private:
  using TimePoint = SignalExporter::TimePoint;
  struct Scope {
    std::string name;
    std::string version;
    std::vector<std::shared_ptr<InstrumentBase>> instruments;
  };

  // Null unless there is one of that name (in any case) and identity; warns of a conflict.
  [[nodiscard]] std::shared_ptr<InstrumentBase> find(const Scope& scope, const Identity& identity);
  [[nodiscard]] Bounds bounds() { return {config_.max_series, overflowed_, process_}; }
  void run_callbacks(ObservableInstrument& instrument);
  void run_producers(std::vector<ScopeMetrics>& out);
  void run(const std::stop_token& stop);
  bool export_now(TimePoint deadline);

  const MetricsConfig config_;
  const std::string resource_;
  const sdk::OwnProcess process_;  // a child of it has no export thread

  std::mutex mutex_;  // guards the next two
  std::vector<Scope> scopes_;
  std::uint64_t last_observation_ = 0;

  std::mutex collect_mutex_;    // one collection at a time
  std::mutex callbacks_mutex_;  // held while callbacks run, and while they come and go
  std::vector<MeterProvider::Producer> producers_;  // guarded by it
  std::timed_mutex export_mutex_;
  std::unique_ptr<SignalExporter> exporter_;  // guarded by export_mutex_, but for stop_by()

  std::atomic<std::uint64_t> exports_{0};  // statistics: order nothing
  std::atomic<std::uint64_t> failed_exports_{0};
  std::atomic<std::uint64_t> points_{0};
  std::atomic<std::uint64_t> rejected_points_{0};
  std::shared_ptr<std::atomic<std::uint64_t>> overflowed_ =
      std::make_shared<std::atomic<std::uint64_t>>(0);
  std::atomic<std::uint64_t> callback_errors_{0};

  std::atomic<bool> shut_down_{false};
  std::mutex wake_mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace alphaswarm::observability::metrics::detail
