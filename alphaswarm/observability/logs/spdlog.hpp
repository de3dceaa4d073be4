#pragma once

// spdlog with tracing: the ids of the current span in each line, and the same records as OTLP.
// Includes spdlog, so that it belongs in the file that sets logging up, and in no header.
//
//   logger->set_formatter(logs::trace_formatter("%Y-%m-%dT%H:%M:%S.%e %l %v%*"));
//   logger->sinks().push_back(std::make_shared<logs::OtlpLogSink>(provider->logger("shop")));
//
// For synchronous loggers: an asynchronous one formats on a thread that knows no span.

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/sink.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "alphaswarm/observability/api/span.hpp"
#include "alphaswarm/observability/logs/logger.hpp"

namespace alphaswarm::observability::logs {

// One flag of a pattern: what of the current span it writes; nothing where there is none.
class TraceFlag final : public spdlog::custom_flag_formatter {
 public:
  enum class Part : unsigned char { trace_id, span_id, both };
  explicit TraceFlag(Part part) noexcept : part_(part) {}

  void format(const spdlog::details::log_msg&, const std::tm&, spdlog::memory_buf_t& out) override {
    const SpanContext context = current_context();
    if (!context.is_valid()) return;
    const auto put = [&](std::string_view text) {
      out.append(text.data(), text.data() + text.size());
    };
    if (part_ == Part::both) put(" trace_id=");
    if (part_ != Part::span_id) put(context.trace_id.to_hex());
    if (part_ == Part::both) put(" span_id=");
    if (part_ != Part::trace_id) put(context.span_id.to_hex());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<TraceFlag>(part_);
  }

 private:
  Part part_;
};

// A formatter for spdlog's patterns, with three flags more: %Q writes the trace id, %K the span
// id, and %* " trace_id=… span_id=…", which is empty outside of a span.
[[nodiscard]] inline std::unique_ptr<spdlog::pattern_formatter> trace_formatter(
    std::string pattern, spdlog::pattern_time_type time = spdlog::pattern_time_type::local) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>(time);
  formatter->add_flag<TraceFlag>('Q', TraceFlag::Part::trace_id)
      .add_flag<TraceFlag>('K', TraceFlag::Part::span_id)
      .add_flag<TraceFlag>('*', TraceFlag::Part::both)
      .set_pattern(std::move(pattern));
  return formatter;
}

// Exports each record: the message is the body, spdlog's level the severity; the logger's name and
// the source location, where there are any, are attributes. Thread-safe without a lock of its own.
class OtlpLogSink final : public spdlog::sinks::sink {
 public:
  explicit OtlpLogSink(Logger logger) noexcept : logger_(std::move(logger)) {}

  void log(const spdlog::details::log_msg& message) override {
    static constexpr Severity kSeverities[] = {Severity::trace, Severity::debug, Severity::info,
                                               Severity::warn,  Severity::error, Severity::fatal};
    const auto level = static_cast<unsigned>(message.level);
    LogRecord record;
    record.severity = level < std::size(kSeverities) ? kSeverities[level] : Severity::unspecified;
    const auto name = spdlog::level::to_string_view(message.level);
    record.severity_text = {name.data(), name.size()};
    record.body = {message.payload.data(), message.payload.size()};
    record.time = {
        std::chrono::duration_cast<std::chrono::nanoseconds>(message.time.time_since_epoch())
            .count()};
    const std::string_view logger(message.logger_name.data(), message.logger_name.size());
    // Branches, for the list of attributes lives as long as the expression only.
    if (message.source.empty()) {
      emit(record, {{"log.logger", logger}});
    } else {
      emit(record, {{"log.logger", logger},
                    {"code.file.path", message.source.filename},
                    {"code.line.number", message.source.line},
                    {"code.function.name", message.source.funcname}});
    }
  }
  void flush() override {}  // the provider's force_flush() waits for the export
  void set_pattern(const std::string&) override {}  // records have no pattern
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

 private:
  void emit(LogRecord& record, Attributes attributes) {
    record.attributes = attributes;
    logger_.emit(record);
  }
  Logger logger_;
};

}  // namespace alphaswarm::observability::logs
