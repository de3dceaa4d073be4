#include "alphaswarm/observability/logs/log_queue.hpp"

#include <algorithm>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/base/thread.hpp"
#include "alphaswarm/observability/api/span.hpp"
#include "alphaswarm/observability/sdk/attribute_writer.hpp"
#include "alphaswarm/observability/sdk/resource.hpp"

namespace alphaswarm::observability::logs::detail {
namespace {

using otlp::MessageWriter;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

thread_local constinit bool exporting = false;

std::string resource_of(const LogsConfig& config) {
  Config identity;
  identity.service_name = config.service_name;
  identity.resource = config.resource;
  return observability::sdk::encode_resource(identity);
}

std::string repaired(std::string_view text, std::size_t limit) {
  std::string out(sdk::repaired_size(text, limit), '\0');
  sdk::write_repaired(out.data(), text, limit);
  return out;
}

std::string_view raw(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

// Field numbers: opentelemetry/proto/logs/v1/logs.proto.
std::string encode(const LogRecord& record, const SpanContext& context, std::size_t limit) {
  const UnixNanos now = now_unix();
  MessageWriter out;
  out.fixed64(1, static_cast<std::uint64_t>((record.time.value != 0 ? record.time : now).value));
  if (record.severity != Severity::unspecified) {
    out.varint(2, static_cast<std::uint64_t>(record.severity));
  }
  if (!record.severity_text.empty()) out.bytes(3, repaired(record.severity_text, limit));
  out.bytes(5, MessageWriter().bytes(1, repaired(record.body, limit)).str());
  if (context.is_valid()) {
    out.fixed32(8, context.flags);
    out.bytes(9, raw(context.trace_id.bytes.data(), context.trace_id.bytes.size()));
    out.bytes(10, raw(context.span_id.bytes.data(), context.span_id.bytes.size()));
  }
  out.fixed64(11, static_cast<std::uint64_t>(now.value));
  std::string bytes = out.str();
  std::uint64_t dropped = 0;
  for (auto at = record.attributes.begin(); at != record.attributes.end(); ++at) {
    const bool again = std::any_of(at + 1, record.attributes.end(), [&](const Attribute& later) {
      return later.key == at->key;  // the last of a key counts
    });
    if (again) continue;
    if (at->key.empty()) {
      ++dropped;
      continue;
    }
    const sdk::PairWriter pair(6, at->key, at->value, limit);
    const std::size_t end = bytes.size();
    bytes.resize(end + pair.size());
    pair.put(bytes.data() + end);
  }
  return dropped == 0 ? bytes : bytes + MessageWriter().varint(7, dropped).str();
}

void count_dropped(std::uint64_t records) {
  static alphaswarm::Counter& count = alphaswarm::counter(
      "alphaswarm_log_records_dropped_total", "", "Log records that were not exported.");
  count.add(records);
}

}  // namespace

LogQueue::LogQueue(LogsConfig config, std::unique_ptr<SignalExporter> exporter)
    : config_(std::move(config)), resource_(resource_of(config_)), exporter_(std::move(exporter)) {}

std::size_t LogQueue::scope(std::string_view name, std::string_view version) {
  MessageWriter scope;
  scope.bytes(1, repaired(name, 256));
  if (!version.empty()) scope.bytes(2, repaired(version, 256));
  if (!process_.is_here()) return 0;  // nothing of it is exported
  const std::scoped_lock lock(mutex_);
  const auto found = std::ranges::find(scopes_, scope.str());
  if (found != scopes_.end()) return static_cast<std::size_t>(found - scopes_.begin());
  scopes_.push_back(scope.str());
  return scopes_.size() - 1;
}

void LogQueue::emit(std::size_t scope, const LogRecord& record) noexcept {
  if (exporting) return;
  emitted_.fetch_add(1, std::memory_order_relaxed);
  if (!process_.is_here()) {
    provider_gone_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  try {
    const SpanContext context = record.context != nullptr ? *record.context : current_context();
    std::string bytes = encode(record, context, config_.max_record_bytes);
    const std::scoped_lock lock(mutex_);
    const bool full = queue_.size() >= config_.max_queue_records;
    if (!closed_ && !full) {
      queue_.push_back({scope, std::move(bytes)});
      ++queued_;
      // Not at every record: a wake-up costs the caller more than the record does.
      if (queue_.size() == config_.max_batch_records) changed_.notify_all();
      return;
    }
    (closed_ ? provider_gone_ : queue_full_).fetch_add(1, std::memory_order_relaxed);
  } catch (...) {  // no memory
    queue_full_.fetch_add(1, std::memory_order_relaxed);
  }
  count_dropped(1);
}

void LogQueue::start() {
  thread_ = start_thread("otel-logs", [this](const std::stop_token& stop) { run(stop); });
}

void LogQueue::run(const std::stop_token& stop) {
  exporting = true;
  for (;;) {
    std::vector<Queued> batch;
    TimePoint deadline;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop, milliseconds(config_.schedule_delay_ms), [&] {
        return queue_.size() >= config_.max_batch_records || flush_to_ > done_;
      });
      if (queue_.empty()) {
        if (stop.stop_requested()) return;
        continue;
      }
      const std::size_t count = std::min<std::size_t>(queue_.size(), config_.max_batch_records);
      batch.assign(std::make_move_iterator(queue_.begin()),
                   std::make_move_iterator(queue_.begin() + static_cast<std::ptrdiff_t>(count)));
      queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
      deadline =
          std::min(stop_deadline_, steady_clock::now() + milliseconds(config_.export_timeout_ms));
    }
    send(batch, deadline);
    const std::scoped_lock lock(mutex_);
    done_ += batch.size();
    changed_.notify_all();
  }
}

std::string LogQueue::request_of(const std::vector<Queued>& batch) {
  std::vector<std::string> scopes;
  {
    const std::scoped_lock lock(mutex_);
    scopes = scopes_;
  }
  MessageWriter resource;
  resource.bytes(1, resource_);
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    MessageWriter scope;
    scope.bytes(1, scopes[i]);
    bool any = false;
    for (const Queued& each : batch) {
      if (each.scope != i) continue;
      scope.bytes(2, each.record);
      any = true;
    }
    if (any) resource.bytes(2, scope.str());
  }
  return MessageWriter().bytes(1, resource.str()).str();
}

void LogQueue::send(const std::vector<Queued>& batch, TimePoint deadline) {
  const auto count = static_cast<std::uint32_t>(batch.size());
  const SinkResult result = exporter_->send(request_of(batch), count, deadline);
  if (result.status != SinkResult::accepted) {
    export_failed_.fetch_add(count, std::memory_order_relaxed);
    count_dropped(count);
    return;
  }
  exported_.fetch_add(count - result.rejected_spans, std::memory_order_relaxed);
  rejected_.fetch_add(result.rejected_spans, std::memory_order_relaxed);
  if (result.rejected_spans != 0) count_dropped(result.rejected_spans);
}

bool LogQueue::flush(milliseconds timeout) {
  if (!process_.is_here()) return false;
  std::unique_lock lock(mutex_);
  const std::uint64_t wanted = queued_;
  flush_to_ = std::max(flush_to_, wanted);
  changed_.notify_all();
  return changed_.wait_for(lock, timeout, [&] { return done_ >= wanted; });
}

bool LogQueue::shutdown(milliseconds timeout) {
  if (!process_.is_here()) {  // the thread and its locks stayed with the parent
    if (thread_.joinable()) thread_.detach();
    return false;
  }
  const TimePoint deadline = steady_clock::now() + timeout;
  {
    const std::scoped_lock lock(mutex_);
    if (std::exchange(closed_, true)) return true;
    stop_deadline_ = deadline;
  }
  exporter_->stop_by(deadline);
  const bool all = flush(timeout);
  thread_ = {};  // stops and joins; what is left is offered once more, with no time, and counted
  return all;
}

LogsStats LogQueue::stats() const {
  const auto read = [](const std::atomic<std::uint64_t>& count) {
    return count.load(std::memory_order_relaxed);
  };
  return {read(emitted_),
          read(exported_),
          {read(queue_full_), read(export_failed_), read(rejected_), read(provider_gone_)}};
}

}  // namespace alphaswarm::observability::logs::detail
