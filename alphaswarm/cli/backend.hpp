#pragma once

// The trace backend as a part of a process: collector, store, query server with the trace pages.

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/cli/settings.hpp"
#include "alphaswarm/collector/collector.hpp"
#include "alphaswarm/query/query_server.hpp"

namespace alphaswarm::cli {

struct BackendConfig {
  int port_offset = 0;
  std::filesystem::path config_file;  // the collector's YAML; empty: the embedded profile
};

class Backend {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Backend>> start(const Settings& settings,
                                                              const BackendConfig& config);
  [[nodiscard]] std::shared_ptr<observability::BatchSink> sink() {
    return collector_->in_process_sink();
  }
  [[nodiscard]] std::string query_url() const;
  [[nodiscard]] std::string otlp_urls() const;
  [[nodiscard]] std::string metrics_url() const;
  // Of the trace with that id (hex) as stored now.
  [[nodiscard]] std::uint64_t spans_of(std::string_view trace_id) const;
  // Waits, at most 3 s, until what the SDK and the collector hold has reached the store.
  void settle() const;
  // One line a stage: "collector: <id> received=… sent=… dropped=… held=…".
  void stop();

 private:
  std::shared_ptr<tracestore::MemoryStore> store_;  // shared by collector and queries
  std::unique_ptr<collector::Collector> collector_;
  std::unique_ptr<query::QueryServer> query_;
};

}  // namespace alphaswarm::cli
