#include "alphaswarm/collector/exporters/otlp.hpp"

#include <algorithm>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/base/random.hpp"
#include "alphaswarm/base/thread.hpp"
#include "alphaswarm/observability/export/factory.hpp"

namespace alphaswarm::collector {
namespace {

// Receivers refuse messages above 4 MiB by default.
constexpr std::size_t kMaxRequestBytes = std::size_t{3} << 20;

using Milliseconds = std::chrono::milliseconds;
constexpr Milliseconds kDrainInterval{100};

}  // namespace

OtlpExporter::OtlpExporter(std::string id, OtlpExporterConfig config,
                           std::shared_ptr<observability::BatchSink> sink)
    : config_(std::move(config)),
      counts_(std::move(id)),
      sink_(std::move(sink)),
      worker_(start_thread("otlp-export", [this](const std::stop_token& stop) { run(stop); })) {}

Result<void> OtlpExporter::admit(std::uint64_t spans) {
  const std::lock_guard lock(mutex_);
  if (queue_.size() < config_.queue.queue_size || config_.queue.block_on_overflow) return {};
  counts_.refused(spans);
  return fail(ErrorCode::resource_exhausted, "the sending queue of " + counts_.id() + " is full");
}

void OtlpExporter::consume(Batches batches) {
  const std::uint64_t spans = span_count(batches);
  counts_.received(spans);
  std::unique_lock lock(mutex_);
  const auto has_room = [this] { return queue_.size() < config_.queue.queue_size || draining_; };
  if (config_.queue.block_on_overflow) changed_.wait(lock, has_room);
  if (!has_room()) {
    counts_.dropped(spans);
    return;
  }
  queue_.push_back(std::move(batches));
  changed_.notify_all();
}

void OtlpExporter::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, stop, [this] { return !queue_.empty() || draining_; });
    if (queue_.empty()) return;  // drained, or stopped with nothing left
    const Batches batches = std::move(queue_.front());
    queue_.pop_front();
    changed_.notify_all();
    lock.unlock();
    deliver(batches);
    lock.lock();
  }
}

// Requests end to end are a request: nothing is encoded again.
void OtlpExporter::deliver(const Batches& batches) {
  std::string joined;
  std::uint64_t spans = 0;
  for (const Batch& batch : batches) {
    const std::string_view bytes = batch->bytes.view();
    if (!joined.empty() && joined.size() + bytes.size() > kMaxRequestBytes) {
      deliver(joined, spans);
      joined.clear();
      spans = 0;
    }
    joined += bytes;
    spans += batch->spans.size();
  }
  if (spans != 0) deliver(joined, spans);
}

void OtlpExporter::deliver(std::string_view request, std::uint64_t spans) {
  using observability::SinkResult;
  const auto started = std::chrono::steady_clock::now();
  Milliseconds delay = config_.retry.initial_interval;
  while (!out_of_time()) {
    const SinkResult result =
        sink_->send({request, static_cast<std::uint32_t>(spans)}, call_timeout());
    if (result.status == SinkResult::accepted) {
      const std::uint64_t rejected = std::min<std::uint64_t>(result.rejected_spans, spans);
      counts_.sent(spans - rejected);
      counts_.dropped(rejected);
      return;
    }
    const auto elapsed = std::chrono::steady_clock::now() - started;
    const bool again = result.status == SinkResult::retry && config_.retry.enabled &&
                       (config_.retry.max_elapsed_time.count() == 0 ||
                        elapsed + delay <= config_.retry.max_elapsed_time);
    if (!again) {
      log_warning(counts_.id(), "dropped " + std::to_string(spans) + " spans: " + result.message);
      break;
    }
    const double jitter = 0.5 + thread_random().uniform();  // 0.5 to 1.5, as the Collector has it
    const auto jittered =
        Milliseconds(static_cast<std::int64_t>(static_cast<double>(delay.count()) * jitter));
    pause(std::max(result.retry_after, jittered));
    const double next = static_cast<double>(delay.count()) * config_.retry.multiplier;
    delay = std::min(Milliseconds(static_cast<std::int64_t>(next)), config_.retry.max_interval);
  }
  counts_.dropped(spans);
}

bool OtlpExporter::out_of_time() const {
  const std::lock_guard lock(mutex_);
  return std::chrono::steady_clock::now() >= deadline_;
}

// Ends early when the exporter is to be drained: then it tries more often, while there is time.
void OtlpExporter::pause(Milliseconds delay) {
  std::unique_lock lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  const auto until = draining_ ? std::min(now + kDrainInterval, deadline_) : now + delay;
  const bool already = draining_;
  changed_.wait_until(lock, until, [&] { return draining_ && !already; });
}

Milliseconds OtlpExporter::call_timeout() const {
  const std::lock_guard lock(mutex_);
  if (deadline_ == Deadline::max()) return config_.timeout;
  const auto left = std::chrono::ceil<Milliseconds>(deadline_ - std::chrono::steady_clock::now());
  return std::clamp(left, Milliseconds(1), std::max(config_.timeout, Milliseconds(1)));
}

void OtlpExporter::drain(Deadline deadline) {
  {
    const std::lock_guard lock(mutex_);
    draining_ = true;
    deadline_ = deadline;
    changed_.notify_all();
  }
  if (worker_.joinable()) worker_.join();
}

Result<std::shared_ptr<Consumer>> make_otlp_exporter(std::string id, OtlpExporterConfig config) {
  observability::Config sdk;
  sdk.endpoint = config.endpoint;
  if (config.endpoint.find("://") == std::string::npos) {
    // The Collector's default: TLS unless it is switched off.
    sdk.endpoint.insert(0, config.insecure ? "http://" : "https://");
  }
  sdk.protocol =
      config.http ? observability::Protocol::http_protobuf : observability::Protocol::grpc;
  sdk.headers = config.headers;
  sdk.gzip = config.gzip;
  sdk.ca_file = config.ca_file;
  sdk.timeout_ms = config.timeout.count();
  auto sinks = observability::make_sinks(sdk);
  if (!sinks) return std::unexpected(sinks.error());
  return std::make_shared<OtlpExporter>(std::move(id), std::move(config), sinks->front());
}

}  // namespace alphaswarm::collector
