#include "alphaswarm/query/query_service.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <unordered_map>

#include "alphaswarm/base/time.hpp"

namespace alphaswarm::query {
namespace {

using tracestore::BlockPtr;
using tracestore::MemoryStore;
using tracestore::SpanRecord;
using tracestore::TraceSummary;

// Completion answers while one types: it reads the newest part of the store for this long.
constexpr std::int64_t kCompletionBudgetNs = 60'000'000;
constexpr std::int64_t kDurationBudgetNs = 500'000'000;

// Calls `see(block)` for all blocks, those of the newest traces first; false if time ran out.
template <class See>
bool each_block(const MemoryStore& store, std::int64_t budget_ns, std::uint64_t service_bits,
                See see) {
  const std::int64_t deadline = monotonic_ns() + budget_ns;
  auto traces = store.list([service_bits](const TraceSummary& trace) {
    return (trace.service_bits & service_bits) == service_bits;
  });
  std::ranges::sort(traces, std::greater{}, &TraceSummary::min_start_ns);
  for (const TraceSummary& summary : traces) {
    const auto trace = store.find(summary.id);
    if (!trace) continue;
    for (const BlockPtr& block : trace->blocks) {
      if (monotonic_ns() > deadline) return false;
      see(*block);
    }
  }
  return true;
}

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

class Counts {
 public:
  void add(std::string_view text, std::uint64_t count = 1) {
    const auto found = counts_.find(text);
    if (found != counts_.end()) {
      found->second += count;
    } else if (counts_.size() < kMax) {
      counts_.emplace(text, count);
    } else {
      full_ = true;
    }
  }

  CountedList take(std::size_t limit, bool complete) {
    CountedList list;
    list.items.reserve(counts_.size());
    for (const auto& [text, count] : counts_) list.items.push_back({text, count});
    std::ranges::sort(list.items, [](const Counted& a, const Counted& b) {
      return a.count != b.count ? a.count > b.count : a.text < b.text;
    });
    list.complete = complete && !full_ && list.items.size() <= limit;
    if (list.items.size() > limit) list.items.resize(limit);
    return list;
  }

 private:
  static constexpr std::size_t kMax = 100'000;
  std::unordered_map<std::string, std::uint64_t, TextHash, std::equal_to<>> counts_;
  bool full_ = false;
};

// Calls see(key, value) for the attributes of all spans of the block, their events, and (once for
// each block) its resources and scopes.
template <class See>
void each_attribute(const tracestore::SpanBlock& block, See see) {
  const auto all = [&see](otlp::AttributeRange attributes) {
    for (const otlp::KeyValueView attribute : attributes) see(attribute);
  };
  for (const SpanRecord& record : block.records) {
    const otlp::AttributeRange attributes(block.encoded(record), 9);
    all(attributes);
    if (record.event_count == 0) continue;
    for (const otlp::EventView event : block.view(record).events()) all(event.attributes());
  }
  for (const tracestore::Origin& origin : block.origins) {
    all(origin.resource->attributes());
    all(origin.scope->attributes());
  }
}

std::vector<DurationBucket> histogram(const std::vector<std::uint64_t>& sorted) {
  constexpr std::size_t kBuckets = 32;
  std::vector<DurationBucket> buckets;
  if (sorted.empty()) return buckets;
  const double low = std::log(static_cast<double>(std::max<std::uint64_t>(1, sorted.front())));
  const double high = std::log(static_cast<double>(std::max<std::uint64_t>(1, sorted.back())));
  const std::size_t steps = high > low ? kBuckets : 1;
  std::size_t from = 0;
  std::uint64_t edge = sorted.front();
  for (std::size_t i = 1; i <= steps; ++i) {
    const double at = low + (high - low) * static_cast<double>(i) / static_cast<double>(steps);
    const bool last = i == steps;
    const std::uint64_t next =
        last ? sorted.back() : static_cast<std::uint64_t>(std::llround(std::exp(at)));
    if (!last && next <= edge) continue;  // narrower than a nanosecond
    const auto to = last ? sorted.end() : std::ranges::lower_bound(sorted, next);
    const auto count = static_cast<std::size_t>(to - sorted.begin()) - from;
    buckets.push_back({edge, next, count});
    from += count;
    edge = next;
  }
  return buckets;
}

}  // namespace

std::vector<ServiceOverview> QueryService::services() const {
  std::vector<ServiceOverview> services;
  for (tracestore::OperationStats& operation : store_->operations()) {  // sorted by service
    if (services.empty() || services.back().name != operation.service) {
      services.emplace_back().name = operation.service;
    }
    ServiceOverview& service = services.back();
    service.spans += operation.spans;
    service.errors += operation.errors;
    service.operations.push_back(std::move(operation));
  }
  return services;
}

std::optional<AssembledTrace> QueryService::trace(const TraceId& id) const {
  auto stored = store_->find(id);
  if (!stored) return std::nullopt;
  return AssembledTrace(std::move(*stored));
}

TraceOverview QueryService::overview(const tracestore::TraceMatch& match, bool count_orphans) {
  TraceOverview overview;
  overview.id = match.trace.id;
  overview.start_ns = match.summary.min_start_ns;
  overview.duration_ns = match.summary.duration_ns();
  overview.matched = match.matched;
  std::map<std::string_view, ServiceCount> services;
  const SpanRecord* best = nullptr;
  const tracestore::SpanBlock* best_block = nullptr;
  const auto rank = [](const SpanRecord& record) {  // roots first, then the earliest
    return std::tuple(record.parent.is_valid(), record.start_ns);
  };
  for (const BlockPtr& block : match.trace.blocks) {
    for (const tracestore::BlockOperation& operation : block->operations) {
      ServiceCount& service = services[operation.service];
      service.spans += operation.spans;
      service.errors += operation.errors;
    }
    for (const SpanRecord& record : block->records) {
      if (best == nullptr || rank(record) < rank(*best)) {
        best = &record;
        best_block = block.get();
      }
    }
  }
  for (auto& [name, service] : services) {
    service.name = name;
    overview.spans += service.spans;
    overview.errors += service.errors;
    overview.services.push_back(std::move(service));
  }
  if (best != nullptr) {
    overview.root_service = best_block->operation(*best).service;
    overview.root_name = best_block->operation(*best).name;
    overview.root_missing = best->parent.is_valid();
  }
  if (count_orphans) overview.orphans = AssembledTrace(match.trace).orphans();
  return overview;
}

CountedList QueryService::attribute_keys(std::string_view prefix, std::size_t limit) const {
  Counts counts;
  const bool complete = each_block(*store_, kCompletionBudgetNs, 0, [&](const auto& block) {
    each_attribute(block, [&](const otlp::KeyValueView& attribute) {
      if (attribute.key().starts_with(prefix)) counts.add(attribute.key());
    });
  });
  return counts.take(limit, complete);
}

CountedList QueryService::attribute_values(std::string_view key, std::string_view prefix,
                                           std::size_t limit) const {
  Counts counts;
  if (key == "name" || key == "service" || key == "kind") {
    for (const tracestore::OperationStats& operation : store_->operations()) {
      const std::string_view text = key == "name"      ? std::string_view(operation.name)
                                    : key == "service" ? std::string_view(operation.service)
                                                       : otlp::to_string(operation.kind);
      if (text.starts_with(prefix)) counts.add(text, operation.spans);
    }
    return counts.take(limit, true);
  }
  const bool complete = each_block(*store_, kCompletionBudgetNs, 0, [&](const auto& block) {
    each_attribute(block, [&](const otlp::KeyValueView& attribute) {
      if (attribute.key() != key) return;
      const otlp::AnyValueView value = attribute.value();
      if (value.type() == otlp::AnyValueView::Type::text) {
        if (value.text().starts_with(prefix)) counts.add(value.text());
      } else if (const std::string text = otlp::to_text(value); text.starts_with(prefix)) {
        counts.add(text);
      }
    });
  });
  return counts.take(limit, complete);
}

DurationStats QueryService::durations(std::string_view service, std::string_view operation,
                                      std::uint64_t duration_ns) const {
  std::vector<std::uint64_t> durations;
  const std::uint64_t bits = service.empty() ? 0 : tracestore::service_bit(service);
  DurationStats stats;
  stats.complete = each_block(*store_, kDurationBudgetNs, bits, [&](const auto& block) {
    std::vector<bool> wanted;
    for (const tracestore::BlockOperation& known : block.operations) {
      wanted.push_back((service.empty() || known.service == service) && known.name == operation);
    }
    for (const SpanRecord& record : block.records) {
      if (wanted[record.operation]) durations.push_back(record.duration_ns);
    }
  });
  std::ranges::sort(durations);
  stats.count = durations.size();
  if (!durations.empty()) {
    const auto not_longer = std::ranges::upper_bound(durations, duration_ns) - durations.begin();
    stats.percentile = static_cast<double>(not_longer) / static_cast<double>(durations.size());
  }
  stats.buckets = histogram(durations);
  return stats;
}

}  // namespace alphaswarm::query
