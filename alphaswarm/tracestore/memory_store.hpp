#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/tracestore/block_builder.hpp"
#include "alphaswarm/tracestore/span_block.hpp"

namespace alphaswarm::tracestore {

struct MemoryStoreConfig {
  // Spans, their index and shared resources together. When it is passed, the traces that have
  // been quiet for longest are evicted whole (and counted) until it holds again.
  std::size_t max_bytes = std::size_t{512} << 20;
};

struct TraceSummary {
  TraceId id;
  std::uint64_t min_start_ns = UINT64_MAX;  // Unix
  std::uint64_t max_end_ns = 0;
  std::uint64_t max_duration_ns = 0;  // of its longest span
  std::uint64_t spans = 0;
  std::uint64_t errors = 0;
  // One bit of 64 for each service and for each (service, name) in it: a clear bit proves absence.
  std::uint64_t service_bits = 0;
  std::uint64_t operation_bits = 0;

  [[nodiscard]] std::uint64_t duration_ns() const noexcept {
    return max_end_ns > min_start_ns ? max_end_ns - min_start_ns : 0;
  }
};

[[nodiscard]] std::uint64_t service_bit(std::string_view service) noexcept;
[[nodiscard]] std::uint64_t operation_bit(std::string_view service, std::string_view name) noexcept;

struct StoreStats {
  std::uint64_t traces = 0;  // held now
  std::uint64_t spans = 0;   // held now
  std::uint64_t bytes = 0;   // held now
  std::uint64_t added_spans = 0;
  std::uint64_t evicted_spans = 0;  // added = held + evicted
  std::uint64_t evicted_traces = 0;
};

// Recent traces in memory, bounded in bytes. Every method may be called from any thread at any
// time. One lock is held only to link or look up: a batch is taken apart before, readers work on
// immutable blocks after, and walks over all traces release it every few thousand.
class MemoryStore {
 public:
  explicit MemoryStore(MemoryStoreConfig config = {});
  ~MemoryStore();
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;

  void add(const otlp::TraceBatch& batch);

  // What the store holds of that trace now; nullopt if nothing.
  [[nodiscard]] std::optional<StoredTrace> find(const TraceId& id) const;
  [[nodiscard]] std::optional<TraceSummary> summary(const TraceId& id) const;

  // Traces that `filter(const TraceSummary&)` keeps; `filter` runs under the lock: keep it short.
  // Traces that come or go meanwhile may be missing; none is listed twice.
  template <class Filter>
  [[nodiscard]] std::vector<TraceSummary> list(Filter filter) const {
    std::vector<TraceSummary> found;
    for (std::size_t from = 0;;) {
      const std::lock_guard lock(mutex_);
      const std::size_t to = std::min(from + 4096, slots_.size());
      for (; from < to; ++from) {
        const Entry& entry = slots_[from];
        if (entry.used && filter(entry.summary)) found.push_back(entry.summary);
      }
      if (from == slots_.size()) return found;
    }
  }

  // Sorted by service, then name, then kind.
  [[nodiscard]] std::vector<OperationStats> operations() const;

  // A pinned trace is never evicted. False if the store does not hold it.
  bool pin(const TraceId& id);

  [[nodiscard]] StoreStats stats() const;

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Entry {
    TraceSummary summary;
    std::vector<BlockPtr> blocks;
    std::size_t bytes = 0;
    std::uint32_t older = kNone;  // neighbours in the order of the last arrival
    std::uint32_t newer = kNone;
    bool pinned = false;
    bool used = false;
  };
  using Garbage = std::vector<std::vector<BlockPtr>>;

  void link(std::shared_ptr<SpanBlock> block);
  Entry& touch(const TraceId& id);
  void unlink(std::uint32_t slot);
  void append_newest(std::uint32_t slot);
  void evict(Garbage& garbage);
  void forget(std::uint32_t slot, Garbage& garbage);
  OperationStats* count_operation(const BlockOperation& operation);

  const MemoryStoreConfig config_;
  OriginTable origins_;
  mutable std::mutex mutex_;
  std::deque<Entry> slots_;
  std::vector<std::uint32_t> free_slots_;
  struct SpreadId {
    std::size_t operator()(const TraceId& id) const noexcept { return spread(id); }
  };
  std::unordered_map<TraceId, std::uint32_t, SpreadId> by_id_;
  std::uint32_t oldest_ = kNone;
  std::uint32_t newest_ = kNone;
  std::unordered_map<std::string, std::unique_ptr<OperationStats>> catalog_;
  std::string catalog_key_;  // scratch
  std::size_t bytes_ = 0;
  StoreStats stats_;
};

}  // namespace alphaswarm::tracestore
