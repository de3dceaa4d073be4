#pragma once

// Log records exported as OTLP, with the span they were written in. For spdlog see
// logs/spdlog.hpp.
//
//   auto logs = logs::LoggerProvider::create({.receiver = {.endpoint = "http://127.0.0.1:4317"}});
//   (*logs)->logger("shop").emit({.severity = logs::Severity::info, .body = "order accepted"});

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/base/time.hpp"
#include "alphaswarm/observability/api/attribute.hpp"
#include "alphaswarm/observability/api/span_context.hpp"
#include "alphaswarm/observability/export/signal_exporter.hpp"

namespace alphaswarm::config {
class Environment;
}

namespace alphaswarm::observability::logs {

enum class Severity : std::uint8_t {  // the numbers of OTLP; each has three finer steps above it
  unspecified = 0,
  trace = 1,
  debug = 5,
  info = 9,
  warn = 13,
  error = 17,
  fatal = 21,
};

struct LogRecord {
  Severity severity = Severity::unspecified;
  std::string_view severity_text{};  // as the source calls it; may be empty
  std::string_view body{};
  Attributes attributes{};
  UnixNanos time{};  // 0: now
  // Null: the current span of the task, if any.
  const SpanContext* context = nullptr;
};

struct LogsConfig {
  std::string service_name = "unknown_service";
  std::vector<std::pair<std::string, std::string>> resource{};
  ReceiverConfig receiver{};
  std::int64_t schedule_delay_ms = 1'000;   // longest wait of a record before its export
  std::int64_t export_timeout_ms = 30'000;  // of one; the receiver's own timeout holds as well
  std::int64_t shutdown_timeout_ms = 5'000;
  std::uint32_t max_queue_records = 2'048;  // waiting; further ones are dropped and counted
  std::uint32_t max_batch_records = 512;    // in one request
  std::uint32_t max_record_bytes = 65'536;  // of the body; longer ones are cut at a code point
};

// After force_flush() with producers stopped, emitted = exported + dropped.total() exactly.
struct LogsStats {
  struct Dropped {
    std::uint64_t queue_full = 0;
    std::uint64_t export_failed = 0;  // retries exhausted, or refused for good
    std::uint64_t rejected = 0;       // by the receiver (partial success)
    std::uint64_t provider_gone = 0;  // emitted after shutdown
    [[nodiscard]] std::uint64_t total() const noexcept {
      return queue_full + export_failed + rejected + provider_gone;
    }
  };
  std::uint64_t emitted = 0;
  std::uint64_t exported = 0;
  Dropped dropped;
};

namespace detail {
class LogQueue;
}

// Writes records under one scope (library or component). Thread-safe; usable after its provider
// is gone, when records are only counted.
class Logger {
 public:
  // Encodes the record on the calling thread and queues it; never waits for the export, never
  // throws. A record of an export thread is dropped unseen, lest exports cause exports.
  void emit(const LogRecord& record) const noexcept;

 private:
  friend class LoggerProvider;
  Logger(std::shared_ptr<detail::LogQueue> queue, std::size_t scope) noexcept
      : queue_(std::move(queue)), scope_(scope) {}
  std::shared_ptr<detail::LogQueue> queue_;  // shared: outlives the provider
  std::size_t scope_;
};

// Exports the records of a service on a thread of its own. In the child of a fork nothing is
// exported: make a provider there.
class LoggerProvider {
 public:
  // Fails on a bad value (ErrorCode::invalid_argument), not on a receiver that is away.
  [[nodiscard]] static Result<std::unique_ptr<LoggerProvider>> create(LogsConfig config);
  ~LoggerProvider();  // shutdown() within the configured time
  LoggerProvider(const LoggerProvider&) = delete;
  LoggerProvider& operator=(const LoggerProvider&) = delete;

  [[nodiscard]] Logger logger(std::string_view name, std::string_view version = {}) const;
  // Exports what was emitted before the call; false if that did not finish in time.
  bool force_flush(std::int64_t timeout_ms = 30'000);
  // Exports what is queued and stops; false if that did not finish in time.
  bool shutdown(std::int64_t timeout_ms = 30'000);
  [[nodiscard]] LogsStats stats() const;

 private:
  LoggerProvider(std::shared_ptr<detail::LogQueue> queue, std::int64_t shutdown_timeout_ms) noexcept
      : queue_(std::move(queue)), shutdown_timeout_ms_(shutdown_timeout_ms) {}
  std::shared_ptr<detail::LogQueue> queue_;  // shared with the loggers
  std::int64_t shutdown_timeout_ms_;
};

// Reads OTEL_LOGS_EXPORTER and the OTEL_* variables that go with it. Nothing is exported unless
// the exporter is set.
[[nodiscard]] Result<LogsConfig> logs_config_from_environment(
    const config::Environment& environment, std::string_view role_suffix);

}  // namespace alphaswarm::observability::logs
