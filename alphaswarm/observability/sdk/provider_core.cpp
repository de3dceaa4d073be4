#include "alphaswarm/observability/sdk/provider_core.hpp"

#if ALPHASWARM_OTEL

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/base/log.hpp"
#include "alphaswarm/observability/export/factory.hpp"
#include "alphaswarm/observability/sdk/clock.hpp"
#include "alphaswarm/observability/sdk/export_worker.hpp"
#include "alphaswarm/observability/sdk/flight_recorder.hpp"
#include "alphaswarm/observability/sdk/scope_table.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {

std::atomic<ProviderCore*> default_provider{nullptr};
int accepting_providers = 0;

namespace {

std::atomic<ProviderCore*> cores{nullptr};
std::atomic<std::uint32_t> next_index{0};

// The child of a fork has one thread and none of the export threads. It leaves all that was in
// memory to its parent, which still has it, and starts afresh at its first span.
void after_fork_in_child() noexcept {
  forget_threads_after_fork();
  sdk::abandon_pool_after_fork();
  sdk::prepare_barrier();
  sdk::calibration().reset_after_fork();
  sdk::scopes().reset_after_fork();
  for (ProviderCore* core = ProviderCore::first(); core != nullptr; core = core->next()) {
    core->forget_worker_after_fork();
  }
}

void prepare_process() {
  static const bool kPrepared = [] {
    sdk::prepare_barrier();
    sdk::prepare_clock();
    static_cast<void>(sdk::chunk_pool());
    ::pthread_atfork(nullptr, nullptr, after_fork_in_child);
    return true;
  }();
  static_cast<void>(kPrepared);
}

SamplerPtr make_other_sampler(const Config& config) {
  if (config.sampler != nullptr) return config.sampler;
  if (config.parent_based && config.consistent_ratio) return nullptr;
  SamplerPtr ratio = config.sample_ratio >= 1.0 ? always_on_sampler()
                     : !config.consistent_ratio ? trace_id_ratio_sampler(config.sample_ratio)
                                                : ratio_sampler(config.sample_ratio);
  if (!config.parent_based) return ratio;
  return parent_based_sampler({.root = std::move(ratio)});
}

}  // namespace

ProviderCore::ProviderCore(Config given, ProviderCore* recorder_core, bool for_recorder)
    : index(next_index.fetch_add(1, std::memory_order_relaxed)),
      config(std::move(given)),
      sampler(config.sample_ratio),
      other_sampler(make_other_sampler(config)),
      recorder(recorder_core),
      is_recorder(for_recorder),
      parent_decides(config.parent_based && config.sampler == nullptr && recorder == nullptr) {
  prepare_process();
  __atomic_fetch_add(&accepting_providers, 1, __ATOMIC_RELAXED);
  ProviderCore* head = cores.load(std::memory_order_relaxed);
  do {
    next_ = head;
  } while (!cores.compare_exchange_weak(head, this, std::memory_order_release,
                                        std::memory_order_relaxed));  // with first()
}

ProviderCore* ProviderCore::first() noexcept { return cores.load(std::memory_order_acquire); }

void ProviderCore::add_buffer(ThreadBuffer& buffer) noexcept {
  ThreadBuffer* head = new_buffers_.load(std::memory_order_relaxed);
  do {
    buffer.next = head;
  } while (!new_buffers_.compare_exchange_weak(head, &buffer, std::memory_order_release,
                                               std::memory_order_relaxed));
  if (worker() == nullptr && accepting.load(std::memory_order_relaxed)) {
    static_cast<void>(start_worker());
  }
}

Result<void> ProviderCore::start_worker() {
  if (starting_.exchange(true, std::memory_order_acquire)) return {};
  auto sinks = make_sinks(config);
  if (!sinks) {
    starting_.store(false, std::memory_order_release);
    return std::unexpected(sinks.error());
  }
  if (is_recorder) {
    auto keeper = std::make_shared<FlightRecorder>(config, std::move(*sinks), listeners_);
    const std::scoped_lock lock(flight_recorder_mutex_);
    flight_recorder_ = keeper;
    *sinks = {std::move(keeper)};
  }
  auto* made = new ExportWorker(*this, std::move(*sinks));
  made->start();
  worker_.store(made, std::memory_order_release);
  return {};
}

void ProviderCore::forget_worker_after_fork() noexcept {
  worker_.store(nullptr, std::memory_order_relaxed);  // leaked: its thread and locks are not here
  starting_.store(false, std::memory_order_relaxed);
  new_buffers_.store(nullptr, std::memory_order_relaxed);
  new (&flight_recorder_mutex_) std::mutex;  // who held it is not here
  listeners_.reset_after_fork();
  for (auto* count : {&shared.started, &shared.ended, &shared.no_slot, &shared.no_chunk,
                      &shared.not_sampled, &shared.provider_gone}) {
    count->store(0, std::memory_order_relaxed);
  }
}

std::shared_ptr<FlightRecorder> ProviderCore::flight_recorder() {
  const std::scoped_lock lock(flight_recorder_mutex_);
  return flight_recorder_;
}

bool ProviderCore::force_flush(std::int64_t timeout_ms) {
  if (recorder != nullptr && !recorder->force_flush(timeout_ms)) return false;
  ExportWorker* const exporting = worker();
  return exporting == nullptr || exporting->flush(timeout_ms);
}

bool ProviderCore::shutdown(std::int64_t timeout_ms) {
  if (shut_down_.exchange(true, std::memory_order_acq_rel)) return true;
  // Half of the time each, so that sampled spans are sent whatever becomes of the others.
  const auto begin = std::chrono::steady_clock::now();
  if (recorder != nullptr) recorder->shutdown(timeout_ms / 2);
  const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begin);
  timeout_ms = std::max(timeout_ms - spent.count(), timeout_ms / 2);
  accepting.store(false, std::memory_order_seq_cst);  // with start_span()
  __atomic_fetch_sub(&accepting_providers, 1, __ATOMIC_RELAXED);
  ProviderCore* self = this;
  default_provider.compare_exchange_strong(self, nullptr, std::memory_order_acq_rel);
  sdk::barrier_on_all_threads();
  ExportWorker* const exporting = worker();
  const bool done = exporting == nullptr || exporting->shutdown(timeout_ms);
  if (const auto keeper = flight_recorder(); keeper != nullptr && done) keeper->release();
  return done;
}

void ProviderCore::add_shared(Stats& stats) const noexcept {
  const auto read = [](const std::atomic<std::uint64_t>& count) {
    return count.load(std::memory_order_relaxed);
  };
  stats.started += read(shared.started);
  stats.ended += read(shared.ended);
  stats.not_sampled += read(shared.not_sampled);
  stats.dropped.no_slot += read(shared.no_slot);
  stats.dropped.no_chunk += read(shared.no_chunk);
  stats.dropped.provider_gone += read(shared.provider_gone);
  const std::uint64_t closed_spans = stats.ended + stats.dropped.no_slot;
  stats.open = stats.started > closed_spans ? stats.started - closed_spans : 0;
}

Stats ProviderCore::stats() {
  Stats stats;
  ExportWorker* const exporting = worker();
  if (exporting != nullptr) exporting->add_to(stats);
  add_shared(stats);
  if (exporting != nullptr && exporting->left_behind()) {
    stats.dropped.export_failed += stats.waiting();
  }
  if (recorder == nullptr) return stats;
  const Stats kept = recorder->stats();
  stats.not_sampled += kept.started;
  stats.recorder.dropped = kept.dropped.total();
  if (const auto keeper = recorder->flight_recorder()) keeper->add_to(stats.recorder);
  add_recorder_spill(stats);
  return stats;
}

void ProviderCore::add_recorder_spill(Stats& stats) {
  if (recorder == nullptr) return;
  if (const auto keeper = recorder->flight_recorder()) keeper->add_to(stats.spill);
}

void ProviderCore::publish(const Stats& now, const Stats& before) {
  if (is_recorder) return;  // its spans are "not sampled", and counted by its provider
  const std::string service = "service=\"" + config.service_name + "\"";
  const auto add = [&](std::string_view name, const std::string& labels, std::string_view help,
                       std::uint64_t value, std::uint64_t old) {
    if (value > old) counter(name, labels, help).add(value - old);
  };
  add("alphaswarm_spans_started_total", service, "Recorded spans started.", now.started,
      before.started);
  add("alphaswarm_spans_ended_total", service, "Recorded spans ended.", now.ended, before.ended);
  add("alphaswarm_spans_exported_total", service, "Spans the receiver accepted.", now.exported,
      before.exported);
  add("alphaswarm_spans_not_sampled_total", service, "Spans started but not recorded.",
      now.not_sampled, before.not_sampled);
  add("alphaswarm_span_batches_total", service, "Requests offered to the receiver.", now.batches,
      before.batches);
  add("alphaswarm_span_batch_retries_total", service, "Requests offered again.", now.retries,
      before.retries);
  const auto nanoseconds = [](double seconds) { return static_cast<std::uint64_t>(seconds * 1e9); };
  add("alphaswarm_span_export_calls_total", service, "Calls of the exporter, failed ones too.",
      now.exports.calls, before.exports.calls);
  add("alphaswarm_span_export_seconds_total", service, "Time in calls of the exporter.",
      nanoseconds(now.exports.seconds), nanoseconds(before.exports.seconds));
  gauge("alphaswarm_span_export_max_seconds", service,
        "Slowest call of the exporter in the last minute or two.")
      .set(nanoseconds(now.exports.max_seconds));
  gauge("alphaswarm_spans_waiting", service, "Spans that ended and were not sent yet.")
      .set(now.waiting());
  gauge("alphaswarm_spans_open", service, "Recorded spans open.").set(now.open);
  if (recorder != nullptr) {
    Stats::Recorder kept;
    if (const auto keeper = recorder->flight_recorder()) keeper->add_to(kept);
    gauge("alphaswarm_flight_recorder_spans", service, "Unsampled spans kept.").set(kept.kept);
    gauge("alphaswarm_flight_recorder_retained_seconds", service,
          "How far back the flight recorder reaches.")
        .set(nanoseconds(kept.retained_seconds));
  }
  const auto dropped = [&](std::string_view cause, std::uint64_t value, std::uint64_t old) {
    add("alphaswarm_spans_dropped_total", service + ",cause=\"" + std::string(cause) + "\"",
        "Recorded spans lost, by cause.", value, old);
  };
  dropped("no_slot", now.dropped.no_slot, before.dropped.no_slot);
  dropped("no_chunk", now.dropped.no_chunk, before.dropped.no_chunk);
  dropped("export_failed", now.dropped.export_failed, before.dropped.export_failed);
  dropped("rejected", now.dropped.rejected, before.dropped.rejected);
  dropped("provider_gone", now.dropped.provider_gone, before.dropped.provider_gone);
  add("alphaswarm_spans_spilled_total", service, "Spans kept in the spill folder for later.",
      now.spill.kept, before.spill.kept);
  add("alphaswarm_spill_spans_sent_total", service, "Spans sent from the spill folder.",
      now.spill.sent, before.spill.sent);
  const auto spill_lost = [&](std::string_view cause, std::uint64_t value, std::uint64_t old) {
    add("alphaswarm_spill_spans_dropped_total", service + ",cause=\"" + std::string(cause) + "\"",
        "Spans lost from the spill folder, by cause.", value, old);
  };
  spill_lost("full", now.spill.overwritten, before.spill.overwritten);
  spill_lost("rejected", now.spill.rejected, before.spill.rejected);
  add("alphaswarm_spill_files_set_aside_total", service, "Damaged files in the spill folder.",
      now.spill.set_aside, before.spill.set_aside);
  add("alphaswarm_spill_errors_total", service, "Writes to the spill folder that failed.",
      now.spill.errors, before.spill.errors);
  add("alphaswarm_spill_batches_lost_total", service,
      "Batches given up that the spill folder could not take.", now.spill.lost, before.spill.lost);
}

void count_misuse(Misuse kind) noexcept {
  constexpr std::string_view kName = "alphaswarm_tracing_misuse_total";
  constexpr std::string_view kHelp = "Calls against the contract of the tracing API.";
  static Counter* const kCounters[] = {&counter(kName, R"(kind="ended_twice")", kHelp),
                                       &counter(kName, R"(kind="ended_elsewhere")", kHelp),
                                       &counter(kName, R"(kind="inherited_span")", kHelp)};
  kCounters[static_cast<unsigned>(kind)]->add();
}

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE {

namespace {

Result<void> check(const Config& config) {
  const auto bad = [](std::string message) {
    return Result<void>(fail(ErrorCode::invalid_argument, std::move(message)));
  };
  if (!(config.sample_ratio >= 0.0 && config.sample_ratio <= 1.0)) {
    return bad("sample_ratio must be between 0 and 1");
  }
  if (config.max_batch_spans == 0) return bad("max_batch_spans must not be 0");
  if (config.max_batch_bytes < 1024) return bad("max_batch_bytes must be at least 1024");
  if (config.schedule_delay_ms < 0) return bad("schedule_delay_ms must not be negative");
  if (config.timeout_ms <= 0) return bad("timeout_ms must be positive");
  if (!config.spill_folder.empty() && config.spill_max_bytes < config.least_spill_bytes()) {
    return bad("spill_max_bytes must be at least " + std::to_string(config.least_spill_bytes()) +
               ", room for two batches of max_batch_bytes and a span each");
  }
  if (config.flight_recorder_latency_ms < 0) {
    return bad("flight_recorder_latency_ms must not be negative");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<TracerProvider>> TracerProvider::create(Config config) {
  if (config.simple) {
    config.schedule_delay_ms = 0;
    config.max_batch_spans = 1;
  }
  if (Result<void> checked = check(config); !checked) return std::unexpected(checked.error());
  detail::ProviderCore* recorder = nullptr;
  if (config.flight_recorder_bytes != 0) {
    // Both cores must say that they are one instance.
    const auto is_instance = [](const auto& pair) { return pair.first == "service.instance.id"; };
    if (std::ranges::none_of(config.resource, is_instance)) {
      config.resource.emplace_back("service.instance.id", random_uuid());
    }
    recorder = new detail::ProviderCore(config, nullptr, true);
    if (Result<void> started = recorder->start_worker(); !started) {
      recorder->shutdown(0);
      return std::unexpected(started.error());
    }
  }
  auto* core = new detail::ProviderCore(std::move(config), recorder);
  if (Result<void> started = core->start_worker(); !started) {
    core->shutdown(0);
    return std::unexpected(started.error());
  }
  return std::unique_ptr<TracerProvider>(new TracerProvider(core));
}

TracerProvider::~TracerProvider() { shutdown(core_->config.shutdown_timeout_ms); }

bool TracerProvider::force_flush(std::int64_t timeout_ms) { return core_->force_flush(timeout_ms); }
bool TracerProvider::shutdown(std::int64_t timeout_ms) { return core_->shutdown(timeout_ms); }
Stats TracerProvider::stats() const { return core_->stats(); }
std::string_view TracerProvider::service_name() const noexcept {
  return core_->config.service_name;
}

void TracerProvider::install_as_default() noexcept {
  detail::default_provider.store(core_, std::memory_order_release);  // with find_origin()
}

Tracer TracerProvider::tracer(std::string_view name, std::string_view version,
                              Attributes attributes, std::string_view schema_url) const {
  return Tracer({core_, sdk::scopes().intern(name, version, attributes, schema_url)});
}

Tracer tracer(std::string_view name, std::string_view version, Attributes attributes,
              std::string_view schema_url) {
  return Tracer({nullptr, sdk::scopes().intern(name, version, attributes, schema_url)});
}

void TracerProvider::trigger(const TraceId& trace) {
  if (core_->recorder == nullptr) return;
  if (const auto keeper = core_->recorder->flight_recorder()) keeper->trigger(trace);
}

void TracerProvider::listen(std::weak_ptr<ExportListener> listener) const {
  if (core_->recorder != nullptr) core_->recorder->listeners().add(listener);
  core_->listeners().add(std::move(listener));
}

void trigger(std::string_view reason) noexcept {
  if (!current_context().is_valid()) return;
  const Span asking = span("trigger", {{detail::kTriggerKey, reason}});
}

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE

#endif
