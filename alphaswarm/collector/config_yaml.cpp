#include <unistd.h>

#include <fstream>
#include <functional>
#include <sstream>

#include "alphaswarm/collector/config_node.hpp"

namespace alphaswarm::collector {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

std::string type_of(std::string_view id) { return std::string(id.substr(0, id.find('/'))); }

OtlpReceiverConfig read_otlp_receiver(const ConfigNode& node) {
  OtlpReceiverConfig receiver;
  ConfigMap map(node);
  const bool any = map.take("protocols", [&](const ConfigNode& protocols) {
    ConfigMap kinds(protocols);
    // "grpc:" with nothing below it means: with defaults.
    for (const ConfigNode::Entry& entry : protocols.entries()) {
      ConfigMap settings(entry.value);
      if (entry.key == "grpc") {
        OtlpGrpcReceiverConfig grpc;
        settings.take("endpoint", [&](const ConfigNode& n) { grpc.endpoint = n.endpoint(); });
        settings.take("max_recv_msg_size_mib",
                      [&](const ConfigNode& n) { grpc.max_message_bytes = n.number() * kMiB; });
        receiver.grpc = grpc;
      } else if (entry.key == "http") {
        OtlpHttpReceiverConfig http;
        settings.take("endpoint", [&](const ConfigNode& n) { http.endpoint = n.endpoint(); });
        settings.number("max_request_body_size", http.max_body_bytes);
        settings.take("cors", [&](const ConfigNode& n) {
          ConfigMap cors(n);
          cors.take("allowed_origins", [&](const ConfigNode& list) {
            for (const auto& item : list.items()) http.cors.allowed_origins.push_back(item.text());
          });
          cors.take("allowed_headers", [&](const ConfigNode& list) {
            for (const auto& item : list.items()) http.cors.allowed_headers.push_back(item.text());
          });
          std::uint64_t max_age = 0;
          cors.number("max_age", max_age);
          http.cors.max_age = std::chrono::seconds(max_age);
          cors.finish();
        });
        receiver.http = http;
      } else {
        entry.key_node.fail("unknown protocol: grpc or http is expected");
      }
      settings.finish();
    }
  });
  map.finish();
  if (!any || (!receiver.grpc && !receiver.http)) node.fail("no protocol is configured");
  return receiver;
}

std::uint64_t share_of_memory(std::uint64_t percent) {
  const auto pages = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES));
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 100 * percent;
}

MemoryLimiterConfig read_memory_limiter(const ConfigNode& node) {
  MemoryLimiterConfig limiter;
  ConfigMap map(node);
  map.duration("check_interval", limiter.check_interval);
  std::uint64_t limit = 0;
  std::uint64_t spike = 0;
  map.take("limit_mib", [&](const ConfigNode& n) { limit = n.number() * kMiB; });
  map.take("spike_limit_mib", [&](const ConfigNode& n) { spike = n.number() * kMiB; });
  const auto percentage = [&](std::string_view key, std::uint64_t& out) {
    map.take(key, [&](const ConfigNode& n) {
      if (n.number() > 100) n.fail("a percentage is at most 100");
      if (out == 0) out = share_of_memory(n.number());
    });
  };
  percentage("limit_percentage", limit);
  percentage("spike_limit_percentage", spike);
  map.finish();
  if (limit == 0) node.fail("limit_mib or limit_percentage must be set");
  if (spike >= limit) node.fail("the spike limit must be smaller than the limit");
  limiter.limit_bytes = limit;
  limiter.spike_limit_bytes = spike;
  return limiter;
}

BatchConfig read_batch(const ConfigNode& node) {
  BatchConfig batch;
  ConfigMap map(node);
  map.number("send_batch_size", batch.send_batch_size);
  map.duration("timeout", batch.timeout);
  map.number("send_batch_max_size", batch.send_batch_max_size);
  map.finish();
  if (batch.send_batch_max_size != 0 && batch.send_batch_max_size < batch.send_batch_size) {
    node.fail("send_batch_max_size must not be smaller than send_batch_size");
  }
  return batch;
}

StoreExporterConfig read_store(const ConfigNode& node) {
  StoreExporterConfig store;
  ConfigMap map(node);
  map.take("log", [&](const ConfigNode& n) {
    ConfigMap log(n);
    log.text("directory", store.log_directory);
    log.take("max_size_mib", [&](const ConfigNode& m) { store.log_max_bytes = m.number() * kMiB; });
    log.finish();
  });
  map.finish();
  return store;
}

DebugExporterConfig read_debug(const ConfigNode& node) {
  using Verbosity = DebugExporterConfig::Verbosity;
  DebugExporterConfig debug;
  ConfigMap map(node);
  map.take("verbosity", [&](const ConfigNode& n) {
    const std::string value = n.text();
    if (value == "basic") {
      debug.verbosity = Verbosity::basic;
    } else if (value == "normal") {
      debug.verbosity = Verbosity::normal;
    } else if (value == "detailed") {
      debug.verbosity = Verbosity::detailed;
    } else {
      n.fail("'" + value + "' is not basic, normal or detailed");
    }
  });
  map.finish();
  return debug;
}

void read_queue_and_retry(ConfigMap& map, OtlpExporterConfig& otlp) {
  map.take("sending_queue", [&](const ConfigNode& n) {
    ConfigMap queue(n);
    queue.flag("enabled", otlp.queue.enabled);
    queue.number("queue_size", otlp.queue.queue_size);
    queue.number("num_consumers", otlp.queue.num_consumers);
    queue.flag("block_on_overflow", otlp.queue.block_on_overflow);
    queue.finish();
  });
  map.take("retry_on_failure", [&](const ConfigNode& n) {
    ConfigMap retry(n);
    retry.flag("enabled", otlp.retry.enabled);
    retry.duration("initial_interval", otlp.retry.initial_interval);
    retry.duration("max_interval", otlp.retry.max_interval);
    retry.duration("max_elapsed_time", otlp.retry.max_elapsed_time);
    retry.take("multiplier", [&](const ConfigNode& m) { otlp.retry.multiplier = m.real(); });
    retry.finish();
    if (otlp.retry.multiplier < 1) n.fail("multiplier must be at least 1");
  });
}

OtlpExporterConfig read_otlp_exporter(const ConfigNode& node, bool http) {
  OtlpExporterConfig otlp;
  otlp.http = http;
  if (http) otlp.timeout = std::chrono::seconds(30);  // otlphttp's default
  ConfigMap map(node);
  map.text("endpoint", otlp.endpoint);
  if (http) map.text("traces_endpoint", otlp.endpoint);
  map.take("tls", [&](const ConfigNode& n) {
    ConfigMap tls(n);
    tls.flag("insecure", otlp.insecure);
    tls.text("ca_file", otlp.ca_file);
    tls.finish();
  });
  map.take("compression", [&](const ConfigNode& n) {
    const std::string value = n.text();
    if (value != "gzip" && value != "none") n.fail("'" + value + "' is neither gzip nor none");
    otlp.gzip = value == "gzip";
  });
  map.take("headers", [&](const ConfigNode& n) {
    for (const ConfigNode::Entry& entry : n.entries()) {
      otlp.headers.emplace_back(entry.key, entry.value.text());
    }
  });
  map.duration("timeout", otlp.timeout);
  read_queue_and_retry(map, otlp);
  map.finish();
  if (otlp.endpoint.empty()) node.fail("endpoint must be set");
  return otlp;
}

PrometheusExporterConfig read_prometheus(const ConfigNode& node) {
  PrometheusExporterConfig prometheus;
  ConfigMap map(node);
  map.take("endpoint", [&](const ConfigNode& n) { prometheus.endpoint = n.endpoint(); });
  map.text("namespace", prometheus.name_space);
  map.duration("metric_expiration", prometheus.metric_expiration);
  map.flag("enable_open_metrics", prometheus.enable_open_metrics);
  map.finish();
  return prometheus;
}

void read_histogram(const ConfigNode& node, SpanMetricsConfig& metrics) {
  ConfigMap map(node);
  map.take("unit", [&](const ConfigNode& n) {
    const std::string unit = n.text();
    if (unit != "ms" && unit != "s") n.fail("'" + unit + "' is neither ms nor s");
    metrics.unit_seconds = unit == "s";
  });
  map.take("explicit", [&](const ConfigNode& n) {
    ConfigMap fixed(n);
    fixed.take("buckets", [&](const ConfigNode& list) {
      metrics.buckets_ns.clear();
      for (const ConfigNode& item : list.items()) {
        const auto bound = static_cast<std::uint64_t>(item.duration().count());
        if (!metrics.buckets_ns.empty() && bound <= metrics.buckets_ns.back()) {
          item.fail("buckets must grow");
        }
        metrics.buckets_ns.push_back(bound);
      }
    });
    fixed.finish();
  });
  map.finish();
}

SpanMetricsConfig read_span_metrics(const ConfigNode& node) {
  SpanMetricsConfig metrics;
  metrics.exemplars = false;  // the Collector's default
  ConfigMap map(node);
  map.text("namespace", metrics.name_space);
  map.take("histogram", [&](const ConfigNode& n) { read_histogram(n, metrics); });
  map.take("exemplars", [&](const ConfigNode& n) {
    ConfigMap exemplars(n);
    exemplars.flag("enabled", metrics.exemplars);
    exemplars.finish();
  });
  map.take("dimensions", [&](const ConfigNode& list) {
    for (const ConfigNode& item : list.items()) {
      ConfigMap dimension(item);
      std::string name;
      std::optional<std::string> otherwise;
      dimension.text("name", name);
      dimension.take("default", [&](const ConfigNode& n) { otherwise = n.text(); });
      dimension.finish();
      if (name.empty()) item.fail("name must be set");
      metrics.dimensions.emplace_back(std::move(name), std::move(otherwise));
    }
  });
  map.number("aggregation_cardinality_limit", metrics.max_series);
  if (metrics.max_series == 0) metrics.max_series = SpanMetricsConfig().max_series;
  std::chrono::milliseconds flush{};  // ours are read when asked for
  map.duration("metrics_flush_interval", flush);
  map.take("aggregation_temporality", [&](const ConfigNode& n) {
    if (n.text() != "AGGREGATION_TEMPORALITY_CUMULATIVE") n.fail("only cumulative is supported");
  });
  map.finish();
  return metrics;
}

std::vector<ComponentId> read_ids(ConfigMap& map, std::string_view key) {
  std::vector<ComponentId> ids;
  map.take(key, [&](const ConfigNode& list) {
    for (const ConfigNode& item : list.items()) ids.push_back(item.text());
  });
  return ids;
}

// service::telemetry::metrics::readers[…]::pull::exporter::prometheus::{host, port}
void read_telemetry(const ConfigNode& node, CollectorConfig& config) {
  ConfigMap map(node);
  map.take("metrics", [&](const ConfigNode& metrics) {
    ConfigMap settings(metrics);
    std::string level;
    settings.text("level", level);
    settings.take("readers", [&](const ConfigNode& readers) {
      for (const ConfigNode& reader : readers.items()) {
        ConfigMap pull(reader);
        pull.take("pull", [&](const ConfigNode& n) {
          ConfigMap exporter(n);
          exporter.take("exporter", [&](const ConfigNode& e) {
            ConfigMap prometheus(e);
            prometheus.take("prometheus", [&](const ConfigNode& p) {
              ConfigMap target(p);
              Endpoint endpoint{.port = 8888};
              target.text("host", endpoint.host);
              target.number("port", endpoint.port);
              target.finish();
              if (endpoint.host == "localhost") endpoint.host = "127.0.0.1";
              if (level != "none") config.telemetry = endpoint;
            });
            prometheus.finish();
          });
          exporter.finish();
        });
        pull.finish();
      }
    });
    settings.finish();
  });
  map.finish();
}

void read_service(const ConfigNode& node, CollectorConfig& config) {
  ConfigMap map(node);
  map.take("extensions", [](const ConfigNode& list) {
    for (const ConfigNode& item : list.items())
      item.fail("unknown extension '" + item.text() + "'");
  });
  map.take("pipelines", [&](const ConfigNode& pipelines) {
    for (const ConfigNode::Entry& entry : pipelines.entries()) {
      const std::string signal = type_of(entry.key);
      if (signal != "traces" && signal != "metrics") {
        entry.key_node.fail("unknown signal: traces or metrics is expected");
      }
      ConfigMap pipeline(entry.value);
      config.pipelines.push_back({.id = entry.key,
                                  .receivers = read_ids(pipeline, "receivers"),
                                  .processors = read_ids(pipeline, "processors"),
                                  .exporters = read_ids(pipeline, "exporters")});
      pipeline.finish();
    }
  });
  map.take("telemetry", [&](const ConfigNode& n) { read_telemetry(n, config); });
  map.finish();
}

// One section of components: `read(type, entry)` makes one, or returns false for an unknown type.
void read_components(
    ConfigMap& file, std::string_view section,
    const std::function<bool(const std::string&, const ConfigNode::Entry&)>& read) {
  file.take(section, [&](const ConfigNode& components) {
    for (const ConfigNode::Entry& entry : components.entries()) {
      if (!read(type_of(entry.key), entry)) entry.key_node.fail("unknown component");
    }
  });
}

CollectorConfig read_file(const ConfigNode& root) {
  CollectorConfig config;
  ConfigMap file(root);
  read_components(file, "receivers", [&](const std::string& type, const auto& entry) {
    if (type == "otlp") config.receivers[entry.key] = read_otlp_receiver(entry.value);
    if (type == "in_process") config.receivers[entry.key] = InProcessReceiverConfig{};
    return config.receivers.contains(entry.key);
  });
  read_components(file, "processors", [&](const std::string& type, const auto& entry) {
    if (type == "memory_limiter") config.processors[entry.key] = read_memory_limiter(entry.value);
    if (type == "batch") config.processors[entry.key] = read_batch(entry.value);
    return config.processors.contains(entry.key);
  });
  read_components(file, "exporters", [&](const std::string& type, const auto& entry) {
    const bool http = type == "otlphttp" || type == "otlp_http";
    if (type == "store") config.exporters[entry.key] = read_store(entry.value);
    if (type == "debug") config.exporters[entry.key] = read_debug(entry.value);
    if (type == "prometheus") config.exporters[entry.key] = read_prometheus(entry.value);
    if (http || type == "otlp" || type == "otlp_grpc") {
      config.exporters[entry.key] = read_otlp_exporter(entry.value, http);
    }
    return config.exporters.contains(entry.key);
  });
  read_components(file, "connectors", [&](const std::string& type, const auto& entry) {
    if (type == "spanmetrics") config.connectors[entry.key] = read_span_metrics(entry.value);
    return config.connectors.contains(entry.key);
  });
  read_components(file, "extensions", [](const std::string&, const auto&) { return false; });
  if (!file.take("service", [&](const ConfigNode& n) { read_service(n, config); })) {
    root.fail("there is no service section");
  }
  file.finish();
  if (config.pipelines.empty()) root.fail("service::pipelines is empty");
  return config;
}

}  // namespace

Result<CollectorConfig> parse_config(std::string_view yaml, std::string_view source) {
  const auto wrong = [source](int line, const std::string& message) {
    std::string where(source);
    if (line > 0) where += ":" + std::to_string(line);
    return fail(ErrorCode::invalid_argument, where + ": " + message);
  };
  try {
    return read_file(ConfigNode(YAML::Load(std::string(yaml)), ""));
  } catch (const ConfigProblem& problem) {
    std::string message = problem.message;
    if (message.starts_with(": ")) message.erase(0, 2);
    return wrong(problem.line, message);
  } catch (const YAML::Exception& problem) {
    return wrong(problem.mark.line + 1, "not valid YAML: " + problem.msg);
  }
}

Result<CollectorConfig> load_config(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) {
    return fail(ErrorCode::not_found, "cannot read the collector configuration " + path);
  }
  return parse_config(text.str(), path);
}

}  // namespace alphaswarm::collector
