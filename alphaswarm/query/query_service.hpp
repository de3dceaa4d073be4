#pragma once

// The one core behind every query API: questions in, values out.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/query/assembled_trace.hpp"
#include "alphaswarm/tracestore/memory_store.hpp"
#include "alphaswarm/tracestore/search.hpp"

namespace alphaswarm::query {

struct ServiceCount {
  std::string name;
  std::uint64_t spans = 0;
  std::uint64_t errors = 0;
};

// A trace in a list of results.
struct TraceOverview {
  TraceId id;
  // Of the earliest span without a parent; if the store has none, of the earliest span.
  std::string root_service;
  std::string root_name;
  bool root_missing = false;
  std::uint64_t start_ns = 0;  // Unix
  std::uint64_t duration_ns = 0;
  std::uint64_t spans = 0;
  std::uint64_t errors = 0;
  std::uint64_t orphans = 0;  // only if asked for
  std::uint64_t matched = 0;
  std::vector<ServiceCount> services;  // by name
};

struct ServiceOverview {
  std::string name;
  std::uint64_t spans = 0;
  std::uint64_t errors = 0;
  std::vector<tracestore::OperationStats> operations;  // by name, then kind
};

struct Counted {
  std::string text;
  std::uint64_t count = 0;
};
struct CountedList {
  std::vector<Counted> items;  // most frequent first
  bool complete = true;        // false: only the newest part of the store was read
};

struct DurationBucket {
  std::uint64_t low_ns = 0;
  std::uint64_t high_ns = 0;  // exclusive, but for the last
  std::uint64_t count = 0;
};
struct DurationStats {
  std::uint64_t count = 0;
  double percentile = 0;  // share of spans not longer than the one asked about, 0 to 1
  std::vector<DurationBucket> buckets;  // equal steps of the logarithm
  bool complete = true;
};

// Thread-safe.
class QueryService {
 public:
  explicit QueryService(std::shared_ptr<tracestore::MemoryStore> store)
      : store_(std::move(store)) {}

  [[nodiscard]] std::vector<ServiceOverview> services() const;
  [[nodiscard]] tracestore::SearchResult search(const tracestore::SearchQuery& query) const {
    return tracestore::search(*store_, query);
  }
  [[nodiscard]] std::optional<AssembledTrace> trace(const TraceId& id) const;
  [[nodiscard]] static TraceOverview overview(const tracestore::TraceMatch& match,
                                              bool count_orphans = false);

  // Keys that begin with `prefix`, and values of one key (of spans, events, resources and scopes).
  [[nodiscard]] CountedList attribute_keys(std::string_view prefix, std::size_t limit) const;
  [[nodiscard]] CountedList attribute_values(std::string_view key, std::string_view prefix,
                                             std::size_t limit) const;
  // How long spans of an operation take, and where `duration_ns` stands among them.
  [[nodiscard]] DurationStats durations(std::string_view service, std::string_view operation,
                                        std::uint64_t duration_ns) const;

  [[nodiscard]] tracestore::MemoryStore& store() const noexcept { return *store_; }

 private:
  std::shared_ptr<tracestore::MemoryStore> store_;  // shared with the collector that fills it
};

}  // namespace alphaswarm::query
