#pragma once

// The bounded queue between loggers and their export thread.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "alphaswarm/observability/logs/logger.hpp"
#include "alphaswarm/observability/sdk/own_process.hpp"

namespace alphaswarm::observability::logs::detail {

class LogQueue {
 public:
  LogQueue(LogsConfig config, std::unique_ptr<SignalExporter> exporter);

  [[nodiscard]] std::size_t scope(std::string_view name, std::string_view version);
  void emit(std::size_t scope, const LogRecord& record) noexcept;
  void start();
  bool flush(std::chrono::milliseconds timeout);
  bool shutdown(std::chrono::milliseconds timeout);
  [[nodiscard]] LogsStats stats() const;

 private:
  using TimePoint = SignalExporter::TimePoint;
  struct Queued {
    std::size_t scope;
    std::string record;  // an encoded LogRecord
  };

  void run(const std::stop_token& stop);
  [[nodiscard]] std::string request_of(const std::vector<Queued>& batch);
  void send(const std::vector<Queued>& batch, TimePoint deadline);

  const LogsConfig config_;
  const std::string resource_;
  const sdk::OwnProcess process_;  // a child of it has no export thread
  std::unique_ptr<SignalExporter> exporter_;

  mutable std::mutex mutex_;  // guards the next seven
  std::condition_variable_any changed_;
  std::vector<std::string> scopes_;  // encoded InstrumentationScopes
  std::deque<Queued> queue_;
  std::uint64_t queued_ = 0;  // ever
  std::uint64_t done_ = 0;    // of those
  std::uint64_t flush_to_ = 0;
  bool closed_ = false;
  TimePoint stop_deadline_ = TimePoint::max();

  std::atomic<std::uint64_t> emitted_{0};  // statistics: order nothing
  std::atomic<std::uint64_t> exported_{0};
  std::atomic<std::uint64_t> queue_full_{0};
  std::atomic<std::uint64_t> export_failed_{0};
  std::atomic<std::uint64_t> rejected_{0};
  std::atomic<std::uint64_t> provider_gone_{0};
  std::jthread thread_;
};

}  // namespace alphaswarm::observability::logs::detail
