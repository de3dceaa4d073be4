#include "alphaswarm/cli/backend.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <variant>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/cli/pages.hpp"
#include "alphaswarm/tracestore/memory_store.hpp"

namespace alphaswarm::cli {
namespace {

constexpr std::uint16_t kQueryPort = 16686;

std::optional<query::StaticFile> trace_page(std::string_view path) {
  const EmbeddedFile* file = find_page("/trace" + std::string(path));
  if (file == nullptr) return std::nullopt;
  return query::StaticFile{file->content_type, file->encoding, file->bytes};
}

Result<collector::CollectorConfig> read_config(const Settings& settings,
                                               const BackendConfig& config) {
  if (!config.config_file.empty()) {
    auto loaded = collector::load_config(config.config_file.string());
    if (loaded) collector::shift_ports(*loaded, static_cast<std::uint16_t>(config.port_offset));
    return loaded;
  }
  collector::CollectorConfig profile = collector::embedded_profile();
  for (auto& [id, exporter] : profile.exporters) {
    if (auto* store = std::get_if<collector::StoreExporterConfig>(&exporter)) {
      store->log_directory = (settings.data_dir / "traces").string();
      store->log_max_bytes = settings.trace_log_bytes;
    }
  }
  collector::shift_ports(profile, static_cast<std::uint16_t>(config.port_offset));
  return profile;
}

bool keeps_traces(const collector::CollectorConfig& config) {
  return std::ranges::any_of(config.exporters, [](const auto& exporter) {
    return std::holds_alternative<collector::StoreExporterConfig>(exporter.second);
  });
}

}  // namespace

Result<std::unique_ptr<Backend>> Backend::start(const Settings& settings,
                                                const BackendConfig& config) {
  auto collector_config = read_config(settings, config);
  if (!collector_config) return std::unexpected(collector_config.error());
  const bool stores = keeps_traces(*collector_config);
  std::unique_ptr<Backend> backend(new Backend);
  backend->store_ = std::make_shared<tracestore::MemoryStore>(
      tracestore::MemoryStoreConfig{.max_bytes = settings.trace_store_bytes});
  auto collector = collector::Collector::start(std::move(*collector_config), {backend->store_});
  if (!collector) return std::unexpected(collector.error());
  backend->collector_ = std::move(*collector);
  if (!stores) return backend;  // it only passes spans on: nothing to ask
  query::QueryServerConfig query;
  query.address = settings.collector_host;
  query.port = static_cast<std::uint16_t>(kQueryPort + config.port_offset);
  query.static_files = trace_page;
  auto server = query::QueryServer::start(backend->store_, std::move(query));
  if (!server) return std::unexpected(server.error());
  backend->query_ = std::move(*server);
  return backend;
}

std::string Backend::query_url() const {
  return query_ ? fmt::format("http://127.0.0.1:{}", query_->port()) : "(no store configured)";
}

std::string Backend::otlp_urls() const {
  return fmt::format("http://127.0.0.1:{} (gRPC)  http://127.0.0.1:{} (HTTP)",
                     collector_->grpc_port(), collector_->http_port());
}

std::string Backend::metrics_url() const {
  return fmt::format("http://127.0.0.1:{}/metrics (spans)  http://127.0.0.1:{}/metrics (own)",
                     collector_->prometheus_port(), collector_->telemetry_port());
}

std::uint64_t Backend::spans_of(std::string_view trace_id) const {
  const auto id = TraceId::from_hex(trace_id);
  const auto summary = id ? store_->summary(*id) : std::nullopt;
  return summary ? summary->spans : 0;
}

void Backend::settle() const {
  // The SDK sends at least every second, the batch processor every 200 ms: two quiet looks in a
  // row.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  std::uint64_t before = 0;
  while (std::chrono::steady_clock::now() < deadline) {
    const std::uint64_t now = store_->stats().added_spans;
    if (now != 0 && now == before) return;
    before = now;
    std::this_thread::sleep_for(std::chrono::milliseconds(1300));
  }
}

void Backend::stop() {
  collector_->stop();
  for (const collector::StageStats& stage : collector_->stats()) {
    if (stage.dropped + stage.held == 0) continue;
    log_warning("collector", fmt::format("{} received={} sent={} dropped={} held={}", stage.id,
                                         stage.received, stage.sent, stage.dropped, stage.held));
  }
  if (query_) query_->stop();
}

}  // namespace alphaswarm::cli
