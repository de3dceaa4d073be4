#include "alphaswarm/observability/logs/logger.hpp"

#include "alphaswarm/observability/logs/log_queue.hpp"

namespace alphaswarm::observability::logs {

using std::chrono::milliseconds;

void Logger::emit(const LogRecord& record) const noexcept { queue_->emit(scope_, record); }

Result<std::unique_ptr<LoggerProvider>> LoggerProvider::create(LogsConfig config) {
  const auto bad = [](std::string message) {
    return fail(ErrorCode::invalid_argument, std::move(message));
  };
  if (config.schedule_delay_ms <= 0) return bad("schedule_delay_ms must be positive");
  if (config.export_timeout_ms <= 0) return bad("export_timeout_ms must be positive");
  if (config.receiver.timeout_ms <= 0) return bad("timeout_ms must be positive");
  if (config.max_batch_records == 0) return bad("max_batch_records must not be 0");
  if (config.max_queue_records < config.max_batch_records) {
    return bad("max_queue_records must not be below max_batch_records");
  }
  auto exporter = SignalExporter::create(config.receiver, Signal::logs);
  if (!exporter) return std::unexpected(exporter.error());
  const std::int64_t timeout = config.shutdown_timeout_ms;
  auto queue = std::make_shared<detail::LogQueue>(std::move(config), std::move(*exporter));
  queue->start();
  return std::unique_ptr<LoggerProvider>(new LoggerProvider(std::move(queue), timeout));
}

LoggerProvider::~LoggerProvider() { shutdown(shutdown_timeout_ms_); }

Logger LoggerProvider::logger(std::string_view name, std::string_view version) const {
  return {queue_, queue_->scope(name, version)};
}
bool LoggerProvider::force_flush(std::int64_t timeout_ms) {
  return queue_->flush(milliseconds(timeout_ms));
}
bool LoggerProvider::shutdown(std::int64_t timeout_ms) {
  return queue_->shutdown(milliseconds(timeout_ms));
}
LogsStats LoggerProvider::stats() const { return queue_->stats(); }

}  // namespace alphaswarm::observability::logs
