#include "alphaswarm/query/assembled_trace.hpp"

#include <algorithm>
#include <bit>
#include <string>
#include <unordered_map>

namespace alphaswarm::query {
namespace {

using tracestore::SpanBlock;
using tracestore::SpanRecord;

constexpr std::uint32_t kEmpty = UINT32_MAX;

class NameTable {
 public:
  explicit NameTable(std::vector<std::string_view>& names) : names_(names) {}
  std::uint32_t operator()(std::string_view name) {
    const auto [at, added] = index_.try_emplace(name, static_cast<std::uint32_t>(names_.size()));
    if (added) names_.push_back(name);
    return at->second;
  }

 private:
  std::vector<std::string_view>& names_;
  std::unordered_map<std::string_view, std::uint32_t> index_;
};

bool same_span(const AssembledTrace::Span& a, const AssembledTrace::Span& b) {
  return a.record->id == b.record->id && a.block->encoded(*a.record) == b.block->encoded(*b.record);
}

}  // namespace

AssembledTrace::AssembledTrace(tracestore::StoredTrace trace) : trace_(std::move(trace)) {
  collect();
  resolve_parents();
  group_children();
  break_cycles();
  if (spans_.empty()) return;
  start_ns_ = spans_.front().record->start_ns;
  for (const Span& span : spans_) {
    end_ns_ = std::max(end_ns_, span.record->end_ns());
    open_ += span.record->open ? 1 : 0;
    errors_ += span.record->failed() ? 1 : 0;
  }
}

void AssembledTrace::collect() {
  NameTable services(services_);
  NameTable names(names_);
  std::size_t total = 0;
  for (const auto& block : trace_.blocks) total += block->records.size();
  spans_.reserve(total);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> numbers;  // of a block's operations
  for (const auto& block : trace_.blocks) {
    numbers.clear();
    for (const auto& operation : block->operations) {
      numbers.emplace_back(services(operation.service), names(operation.name));
    }
    for (const SpanRecord& record : block->records) {
      const auto [service, name] = numbers[record.operation];
      spans_.push_back({block.get(), &record, -1, service, name});
    }
  }
  std::ranges::sort(spans_, [](const Span& a, const Span& b) {
    const SpanRecord& x = *a.record;
    const SpanRecord& y = *b.record;
    if (x.start_ns != y.start_ns) return x.start_ns < y.start_ns;
    if (x.duration_ns != y.duration_ns) return x.duration_ns > y.duration_ns;
    return x.id < y.id;
  });
  // Equal spans are neighbours now, unless several share start, duration and id.
  const auto repeated = std::ranges::unique(spans_, same_span);
  duplicates_ = static_cast<std::uint32_t>(repeated.size());
  spans_.erase(repeated.begin(), repeated.end());
}

void AssembledTrace::resolve_parents() {
  by_id_.assign(std::bit_ceil(std::max<std::size_t>(16, spans_.size() * 2)), kEmpty);
  const std::size_t mask = by_id_.size() - 1;
  for (std::uint32_t i = 0; i < spans_.size(); ++i) {
    std::size_t slot = tracestore::spread(spans_[i].record->id);
    while (by_id_[slot & mask] != kEmpty) ++slot;  // the first of equal ids is found first
    by_id_[slot & mask] = i;
  }
  for (std::uint32_t i = 0; i < spans_.size(); ++i) {
    const SpanId& parent = spans_[i].record->parent;
    if (!parent.is_valid()) continue;
    const std::int32_t found = find(parent);
    if (found < 0 || found == static_cast<std::int32_t>(i)) {
      ++orphans_;
    } else {
      spans_[i].parent = found;
    }
  }
}

std::int32_t AssembledTrace::find(const SpanId& id) const noexcept {
  const std::size_t mask = by_id_.size() - 1;
  for (std::size_t slot = tracestore::spread(id);; ++slot) {
    const std::uint32_t index = by_id_[slot & mask];
    if (index == kEmpty) return -1;
    if (spans_[index].record->id == id) return static_cast<std::int32_t>(index);
  }
}

void AssembledTrace::group_children() {
  const std::size_t count = spans_.size();
  const auto group = [count](const Span& span) {
    return span.parent < 0 ? count : static_cast<std::size_t>(span.parent);
  };
  child_offsets_.assign(count + 2, 0);
  for (const Span& span : spans_) ++child_offsets_[group(span) + 1];
  for (std::size_t i = 1; i < child_offsets_.size(); ++i)
    child_offsets_[i] += child_offsets_[i - 1];
  children_.resize(count);
  std::vector<std::uint32_t> next(child_offsets_.begin(), child_offsets_.end() - 1);
  for (std::uint32_t i = 0; i < count; ++i) children_[next[group(spans_[i])]++] = i;
}

// Spans that are their own ancestors hang on no root: cut each such ring once, else every walk from
// the roots would miss them.
void AssembledTrace::break_cycles() {
  std::vector<bool> reached(spans_.size());
  std::vector<std::uint32_t> stack;
  const auto walk = [&] {
    while (!stack.empty()) {
      const std::uint32_t index = stack.back();
      stack.pop_back();
      if (reached[index]) continue;
      reached[index] = true;
      for (const std::uint32_t child : children(index)) stack.push_back(child);
    }
  };
  for (const std::uint32_t root : roots()) stack.push_back(root);
  walk();
  bool cut = false;
  for (std::uint32_t i = 0; i < spans_.size(); ++i) {
    if (reached[i]) continue;
    spans_[i].parent = -1;
    ++orphans_;
    cut = true;
    stack.push_back(i);
    walk();
  }
  if (cut) group_children();
}

std::span<const std::uint32_t> AssembledTrace::children(std::uint32_t index) const noexcept {
  return std::span(children_).subspan(child_offsets_[index],
                                      child_offsets_[index + 1] - child_offsets_[index]);
}

std::span<const std::uint32_t> AssembledTrace::roots() const noexcept {
  return children(static_cast<std::uint32_t>(spans_.size()));
}

const AssembledTrace::Span* AssembledTrace::root() const noexcept {
  for (const std::uint32_t index : roots()) {
    if (!spans_[index].record->parent.is_valid()) return &spans_[index];
  }
  return nullptr;
}

std::string span_label(otlp::AttributeRange attributes) {
  using otlp::AnyValueView;
  std::string side;
  std::string quantity;
  std::string error;
  for (const otlp::KeyValueView attribute : attributes) {
    const std::string_view key = attribute.key();
    if (key == "paper.bar_index") return "bar " + otlp::to_text(attribute.value());
    if (key == "http.response.status_code") {
      const AnyValueView status = attribute.value();
      if (status.integer() >= 400) return std::to_string(status.integer());
    } else if (key == "order.side") {
      side = otlp::to_text(attribute.value());
    } else if (key == "order.quantity") {
      quantity = otlp::to_text(attribute.value());
    } else if (key == "error.type") {
      error = otlp::to_text(attribute.value());
    }
  }
  if (!side.empty()) return quantity.empty() ? side : side + " " + quantity;
  return error;
}

}  // namespace alphaswarm::query
