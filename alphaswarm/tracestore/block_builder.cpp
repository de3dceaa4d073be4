#include "alphaswarm/tracestore/block_builder.hpp"

#include <algorithm>
#include <bit>
#include <functional>

namespace alphaswarm::tracestore {
namespace {

std::uint64_t mix(std::uint64_t hash, std::string_view text) {
  return spread(hash ^ std::hash<std::string_view>{}(text));
}

std::size_t memory_of(const Resource& r) {
  return sizeof r + r.encoded.capacity() + r.service.capacity() + r.schema_url.capacity();
}
std::size_t memory_of(const Scope& s) {
  return sizeof s + s.encoded.capacity() + s.name.capacity() + s.version.capacity();
}

// Maps keys to small dense numbers in order of appearance; open addressing, never shrinks.
template <class Equal>
class Numbering {
 public:
  Numbering(std::size_t expected, Equal equal)
      : slots_(std::bit_ceil(std::max<std::size_t>(16, expected * 2)), kEmpty),
        equal_(std::move(equal)) {}

  // The number whose element equals (by `equal(number)`), or `next` after claiming the slot.
  std::uint32_t find_or_add(std::uint64_t hash, std::uint32_t next, const auto& key) {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = hash;; ++i) {
      std::uint32_t& slot = slots_[i & mask];
      if (slot == kEmpty) return slot = next;
      if (equal_(slot, key)) return slot;
    }
  }

 private:
  static constexpr std::uint32_t kEmpty = UINT32_MAX;
  std::vector<std::uint32_t> slots_;
  Equal equal_;
};

struct Part {  // of a batch: what belongs to one trace
  TraceId trace_id;
  std::size_t spans = 0;
  std::size_t bytes = 0;
};

struct BatchOperation {
  const Resource* resource;
  std::string_view name;
  otlp::SpanKind kind;
  std::uint32_t part = UINT32_MAX;  // the block that last used it …
  std::uint32_t local = 0;          // … and its index there
};

// Resolves the scopes of a batch once, and numbers its operations.
class BatchIndex {
 public:
  BatchIndex(const otlp::TraceBatch& batch, OriginTable& table)
      : numbering_(batch.spans.size(), Same{&operations_}) {
    origins.reserve(batch.scopes.size());
    for (const otlp::ScopeView& scope : batch.scopes) {
      origins.push_back(table.intern(batch.resources[scope.resource], scope));
    }
    operations_.reserve(64);
  }

  BatchIndex(const BatchIndex&) = delete;
  BatchIndex& operator=(const BatchIndex&) = delete;

  BatchOperation& operation(const otlp::SpanView& span) {
    const Resource* resource = origins[span.scope].resource.get();
    const BatchOperation key{resource, span.name, span.kind};
    const auto next = static_cast<std::uint32_t>(operations_.size());
    const std::uint64_t seed =
        reinterpret_cast<std::uintptr_t>(resource) + static_cast<unsigned>(span.kind);
    const std::uint32_t n = numbering_.find_or_add(mix(seed, span.name), next, key);
    if (n == next) operations_.push_back(key);
    return operations_[n];
  }

  std::vector<Origin> origins;  // by scope of the batch

 private:
  struct Same {
    const std::vector<BatchOperation>* operations;
    bool operator()(std::uint32_t n, const BatchOperation& key) const {
      const BatchOperation& known = (*operations)[n];
      return known.resource == key.resource && known.kind == key.kind && known.name == key.name;
    }
  };
  std::vector<BatchOperation> operations_;
  Numbering<Same> numbering_;
};

std::uint32_t local_operation(BatchOperation& operation, std::uint32_t part, SpanBlock& block,
                              const SpanRecord& record, const otlp::SpanView& span) {
  if (operation.part != part) {
    operation.part = part;
    operation.local = static_cast<std::uint32_t>(block.operations.size());
    const char* name =
        block.bytes.data() + record.offset + (span.name.data() - span.encoded.data());
    block.operations.push_back(
        {.service = operation.resource->service,
         .name = span.name.empty() ? "" : std::string_view(name, span.name.size()),
         .kind = span.kind});
  }
  return operation.local;
}

std::uint32_t local_origin(SpanBlock& block, const Origin& origin) {
  for (std::size_t i = block.origins.size(); i-- > 0;) {  // few, and the last one most often
    if (block.origins[i].resource == origin.resource && block.origins[i].scope == origin.scope) {
      return static_cast<std::uint32_t>(i);
    }
  }
  block.origins.push_back(origin);
  return static_cast<std::uint32_t>(block.origins.size() - 1);
}

void append(SpanBlock& block, std::uint32_t part, const otlp::SpanView& span, BatchIndex& index) {
  SpanRecord record{.id = span.span_id,
                    .parent = span.parent_span_id,
                    .start_ns = span.start_ns,
                    .duration_ns = span.duration_ns(),
                    .offset = static_cast<std::uint32_t>(block.bytes.size()),
                    .size = static_cast<std::uint32_t>(span.encoded.size()),
                    .event_count = static_cast<std::uint16_t>(std::min(span.event_count, 65535U)),
                    .status = span.status,
                    .open = span.open};
  block.bytes += span.encoded;  // reserved: names that point into it stay valid
  record.operation = local_operation(index.operation(span), part, block, record, span);
  record.origin = local_origin(block, index.origins[span.scope]);
  BlockOperation& operation = block.operations[record.operation];
  ++operation.spans;
  operation.errors += record.failed() ? 1 : 0;
  block.min_start_ns = std::min(block.min_start_ns, record.start_ns);
  block.max_end_ns = std::max(block.max_end_ns, record.end_ns());
  block.max_duration_ns = std::max(block.max_duration_ns, record.duration_ns);
  block.records.push_back(record);
}

}  // namespace

Origin OriginTable::intern(const otlp::ResourceView& resource, const otlp::ScopeView& scope) {
  const auto find = [this](auto& table, std::uint64_t hash, auto same, auto make) {
    auto& slot = table[hash];
    auto known = slot.lock();
    if (known && same(*known)) return known;
    known = make();
    memory_ += memory_of(*known) + 64;
    if (slot.expired()) slot = known;  // two that share a hash: the second stays unshared
    return known;
  };
  const std::lock_guard lock(mutex_);
  if (memory_ > sweep_at_) sweep();
  Origin origin;
  origin.resource = find(
      resources_, mix(mix(1, resource.encoded), resource.schema_url),
      [&](const Resource& r) {
        return r.encoded == resource.encoded && r.schema_url == resource.schema_url;
      },
      [&] {
        const std::string_view service =
            resource.service_name.empty() ? "unknown_service" : resource.service_name;
        return std::make_shared<const Resource>(std::string(resource.encoded), std::string(service),
                                                std::string(resource.schema_url));
      });
  origin.scope = find(
      scopes_, mix(mix(2, scope.encoded), scope.schema_url),
      [&](const Scope& s) {
        return s.encoded == scope.encoded && s.schema_url == scope.schema_url;
      },
      [&] {
        return std::make_shared<const Scope>(std::string(scope.encoded), std::string(scope.name),
                                             std::string(scope.version),
                                             std::string(scope.schema_url));
      });
  return origin;
}

void OriginTable::sweep() {
  memory_ = 0;
  const auto clean = [this](auto& table) {
    std::erase_if(table, [this](const auto& entry) {
      const auto known = entry.second.lock();
      if (known) memory_ += memory_of(*known) + 64;
      return known == nullptr;
    });
  };
  clean(resources_);
  clean(scopes_);
  sweep_at_ = std::max(std::size_t{1} << 20, memory_ * 2);
}

std::size_t OriginTable::memory() const {
  const std::lock_guard lock(mutex_);
  return memory_;
}

std::vector<std::shared_ptr<SpanBlock>> build_blocks(const otlp::TraceBatch& batch,
                                                     OriginTable& origins) {
  std::vector<Part> parts;
  std::vector<std::uint32_t> part_of(batch.spans.size());
  const auto same = [&parts](std::uint32_t n, const TraceId& id) {
    return parts[n].trace_id == id;
  };
  Numbering numbering(batch.spans.size(), same);
  for (std::size_t i = 0; i < batch.spans.size(); ++i) {
    const otlp::SpanView& span = batch.spans[i];
    if (i > 0 && span.trace_id == batch.spans[i - 1].trace_id) {
      part_of[i] = part_of[i - 1];
    } else {
      const auto next = static_cast<std::uint32_t>(parts.size());
      part_of[i] = numbering.find_or_add(spread(span.trace_id), next, span.trace_id);
      if (part_of[i] == next) parts.push_back({.trace_id = span.trace_id});
    }
    Part& part = parts[part_of[i]];
    ++part.spans;
    part.bytes += span.encoded.size();
  }
  std::vector<std::shared_ptr<SpanBlock>> blocks;
  blocks.reserve(parts.size());
  for (const Part& part : parts) {
    auto& block = blocks.emplace_back(std::make_shared<SpanBlock>());
    block->trace_id = part.trace_id;
    block->records.reserve(part.spans);
    block->bytes.reserve(part.bytes);
  }
  BatchIndex index(batch, origins);
  for (std::size_t i = 0; i < batch.spans.size(); ++i) {
    append(*blocks[part_of[i]], part_of[i], batch.spans[i], index);
  }
  return blocks;
}

}  // namespace alphaswarm::tracestore
