#include "alphaswarm/tracestore/memory_store.hpp"

#include <algorithm>
#include <functional>
#include <tuple>

namespace alphaswarm::tracestore {
namespace {

constexpr std::size_t kEntryOverhead = 320;  // slot, hash node and list of blocks of one trace

void append_key(std::string& out, const BlockOperation& operation) {
  out.assign(operation.service);
  out += '\0';
  out += operation.name;
  out += static_cast<char>(operation.kind);
}

}  // namespace

std::uint64_t service_bit(std::string_view service) noexcept {
  return 1ULL << ((std::hash<std::string_view>{}(service) * 0x9e3779b97f4a7c15U) >> 58);
}

std::uint64_t operation_bit(std::string_view service, std::string_view name) noexcept {
  const std::uint64_t hash = std::hash<std::string_view>{}(name) ^
                             (std::hash<std::string_view>{}(service) * 0xff51afd7ed558ccdU);
  return 1ULL << ((hash * 0x9e3779b97f4a7c15U) >> 58);
}

MemoryStore::MemoryStore(MemoryStoreConfig config) : config_(config) {}
MemoryStore::~MemoryStore() = default;

void MemoryStore::add(const otlp::TraceBatch& batch) {
  auto blocks = build_blocks(batch, origins_);
  const std::size_t shared = origins_.memory();
  Garbage garbage;  // freed after the lock is released
  const std::lock_guard lock(mutex_);
  for (auto& block : blocks) link(std::move(block));
  stats_.added_spans += batch.spans.size();
  stats_.bytes = shared;
  if (bytes_ + shared > config_.max_bytes) evict(garbage);
}

void MemoryStore::link(std::shared_ptr<SpanBlock> block) {
  Entry& entry = touch(block->trace_id);
  TraceSummary& summary = entry.summary;
  for (BlockOperation& operation : block->operations) {
    operation.catalog = count_operation(operation);
    summary.errors += operation.errors;
    summary.service_bits |= service_bit(operation.service);
    summary.operation_bits |= operation_bit(operation.service, operation.name);
  }
  summary.spans += block->records.size();
  summary.min_start_ns = std::min(summary.min_start_ns, block->min_start_ns);
  summary.max_end_ns = std::max(summary.max_end_ns, block->max_end_ns);
  summary.max_duration_ns = std::max(summary.max_duration_ns, block->max_duration_ns);
  const std::size_t memory = block->memory() + sizeof(BlockPtr);
  entry.bytes += memory;
  bytes_ += memory;
  stats_.spans += block->records.size();
  entry.blocks.push_back(std::move(block));
}

MemoryStore::Entry& MemoryStore::touch(const TraceId& id) {
  const auto [position, added] = by_id_.try_emplace(id, kNone);
  if (!added) {
    const std::uint32_t slot = position->second;
    if (slot != newest_) {
      unlink(slot);
      append_newest(slot);
    }
    return slots_[slot];
  }
  if (free_slots_.empty()) {
    position->second = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    position->second = free_slots_.back();
    free_slots_.pop_back();
  }
  Entry& entry = slots_[position->second];
  entry.used = true;
  entry.summary.id = id;
  entry.bytes = kEntryOverhead;
  bytes_ += kEntryOverhead;
  append_newest(position->second);
  return entry;
}

void MemoryStore::append_newest(std::uint32_t slot) {
  Entry& entry = slots_[slot];
  entry.older = newest_;
  entry.newer = kNone;
  if (newest_ != kNone) slots_[newest_].newer = slot;
  newest_ = slot;
  if (oldest_ == kNone) oldest_ = slot;
}

void MemoryStore::unlink(std::uint32_t slot) {
  Entry& entry = slots_[slot];
  if (entry.older != kNone) slots_[entry.older].newer = entry.newer;
  if (entry.newer != kNone) slots_[entry.newer].older = entry.older;
  if (oldest_ == slot) oldest_ = entry.newer;
  if (newest_ == slot) newest_ = entry.older;
  entry.older = entry.newer = kNone;
}

OperationStats* MemoryStore::count_operation(const BlockOperation& operation) {
  append_key(catalog_key_, operation);
  auto& stats = catalog_[catalog_key_];
  if (!stats) {
    stats = std::make_unique<OperationStats>(std::string(operation.service),
                                             std::string(operation.name), operation.kind);
  }
  stats->spans += operation.spans;
  stats->errors += operation.errors;
  return stats.get();
}

void MemoryStore::evict(Garbage& garbage) {
  for (std::uint32_t slot = oldest_; slot != kNone && bytes_ + stats_.bytes > config_.max_bytes;) {
    const std::uint32_t next = slots_[slot].newer;
    if (!slots_[slot].pinned) forget(slot, garbage);
    slot = next;
  }
}

void MemoryStore::forget(std::uint32_t slot, Garbage& garbage) {
  Entry& entry = slots_[slot];
  for (const BlockPtr& block : entry.blocks) {
    for (const BlockOperation& operation : block->operations) {
      operation.catalog->spans -= operation.spans;
      operation.catalog->errors -= operation.errors;
      if (operation.catalog->spans == 0) {
        append_key(catalog_key_, operation);
        catalog_.erase(catalog_key_);
      }
    }
  }
  unlink(slot);
  by_id_.erase(entry.summary.id);
  bytes_ -= entry.bytes;
  stats_.spans -= entry.summary.spans;
  stats_.evicted_spans += entry.summary.spans;
  ++stats_.evicted_traces;
  garbage.push_back(std::move(entry.blocks));
  entry = Entry{};
  free_slots_.push_back(slot);
}

std::optional<StoredTrace> MemoryStore::find(const TraceId& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return std::nullopt;
  return StoredTrace{id, slots_[found->second].blocks};
}

std::optional<TraceSummary> MemoryStore::summary(const TraceId& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return std::nullopt;
  return slots_[found->second].summary;
}

std::vector<OperationStats> MemoryStore::operations() const {
  std::vector<OperationStats> all;
  {
    const std::lock_guard lock(mutex_);
    all.reserve(catalog_.size());
    for (const auto& [key, stats] : catalog_) all.push_back(*stats);
  }
  std::ranges::sort(all, [](const OperationStats& a, const OperationStats& b) {
    return std::tie(a.service, a.name, a.kind) < std::tie(b.service, b.name, b.kind);
  });
  return all;
}

bool MemoryStore::pin(const TraceId& id) {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return false;
  slots_[found->second].pinned = true;
  return true;
}

StoreStats MemoryStore::stats() const {
  const std::lock_guard lock(mutex_);
  StoreStats stats = stats_;
  stats.traces = by_id_.size();
  stats.bytes += bytes_;
  return stats;
}

}  // namespace alphaswarm::tracestore
