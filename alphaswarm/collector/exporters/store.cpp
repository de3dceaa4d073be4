#include "alphaswarm/collector/exporters/store.hpp"

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/base/time.hpp"

namespace alphaswarm::collector {

Result<std::unique_ptr<tracestore::BatchLog>> StoreExporter::open_log(
    const StoreExporterConfig& config, tracestore::MemoryStore& store) {
  if (config.log_directory.empty()) return nullptr;
  const std::int64_t started = monotonic_ns();
  std::uint64_t spans = 0;
  auto log = tracestore::BatchLog::open(
      {.directory = config.log_directory, .max_bytes = config.log_max_bytes},
      [&](std::string payload) {
        const auto batch = otlp::parse_trace_request(SharedBytes(std::move(payload)));
        if (!batch) return;  // checksummed, and valid when it was written: never
        spans += batch->spans.size();
        store.add(*batch);
      });
  if (log && spans != 0) {
    log_info("trace log", "read back " + std::to_string(spans) + " spans in " +
                              std::to_string((monotonic_ns() - started) / 1'000'000) + " ms");
  }
  return log;
}

void StoreExporter::consume(Batches batches) {
  counts_.received(span_count(batches));
  for (const Batch& batch : batches) {
    if (log_) (void)log_->append(batch->bytes.view());  // the log counts its own failures
    store_->add(*batch);
    counts_.sent(batch->spans.size());
  }
}

}  // namespace alphaswarm::collector
