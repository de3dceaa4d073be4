#pragma once

// One trace put together from what the store holds of it: spans in the order of their start,
// parents resolved, duplicates (a sender that sent a batch twice) removed.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "alphaswarm/tracestore/span_block.hpp"

namespace alphaswarm::query {

class AssembledTrace {
 public:
  struct Span {
    const tracestore::SpanBlock* block = nullptr;
    const tracestore::SpanRecord* record = nullptr;
    std::int32_t parent = -1;   // index into spans(); -1: a root, or the parent is not here
    std::uint32_t service = 0;  // index into services()
    std::uint32_t name = 0;     // index into names()

    [[nodiscard]] otlp::SpanView view() const noexcept { return block->view(*record); }
    [[nodiscard]] const tracestore::Resource& resource() const noexcept {
      return *block->origin(*record).resource;
    }
    [[nodiscard]] const tracestore::Scope& scope() const noexcept {
      return *block->origin(*record).scope;
    }
    [[nodiscard]] otlp::SpanKind kind() const noexcept { return block->operation(*record).kind; }
  };

  // Keeps the blocks of `trace` alive.
  explicit AssembledTrace(tracestore::StoredTrace trace);

  [[nodiscard]] const TraceId& id() const noexcept { return trace_.id; }
  // By start, then longest first. A parent may come after its child when clocks disagree.
  [[nodiscard]] const std::vector<Span>& spans() const noexcept { return spans_; }
  // Indices of the spans whose parent is span `index`, in the order of spans().
  [[nodiscard]] std::span<const std::uint32_t> children(std::uint32_t index) const noexcept;
  // Spans without a parent here: true roots and orphans.
  [[nodiscard]] std::span<const std::uint32_t> roots() const noexcept;
  [[nodiscard]] const std::vector<std::string_view>& services() const noexcept { return services_; }
  [[nodiscard]] const std::vector<std::string_view>& names() const noexcept { return names_; }

  [[nodiscard]] std::uint64_t start_ns() const noexcept { return start_ns_; }
  [[nodiscard]] std::uint64_t duration_ns() const noexcept { return end_ns_ - start_ns_; }
  // Spans that name a parent which is not here, or which is their own descendant.
  [[nodiscard]] std::uint32_t orphans() const noexcept { return orphans_; }
  [[nodiscard]] std::uint32_t open_spans() const noexcept { return open_; }
  [[nodiscard]] std::uint32_t errors() const noexcept { return errors_; }
  [[nodiscard]] std::uint32_t duplicates() const noexcept { return duplicates_; }
  // The earliest span that has no parent id; nullptr if it is not here.
  [[nodiscard]] const Span* root() const noexcept;
  // Index of the span of that id, or -1.
  [[nodiscard]] std::int32_t find(const SpanId& id) const noexcept;

 private:
  void collect();
  void resolve_parents();
  void group_children();
  void break_cycles();

  tracestore::StoredTrace trace_;
  std::vector<Span> spans_;
  std::vector<std::uint32_t> by_id_;          // open addressing over span ids; UINT32_MAX: empty
  std::vector<std::uint32_t> children_;       // grouped by parent, roots last
  std::vector<std::uint32_t> child_offsets_;  // children of i: [i], [i + 1]; of none: [size]
  std::vector<std::string_view> services_;
  std::vector<std::string_view> names_;
  std::uint64_t start_ns_ = 0;
  std::uint64_t end_ns_ = 0;
  std::uint32_t orphans_ = 0;
  std::uint32_t open_ = 0;
  std::uint32_t errors_ = 0;
  std::uint32_t duplicates_ = 0;
};

// A few characters that tell a span from its siblings: "bar 1017", "429", "buy 12", an exception's
// type; often empty.
[[nodiscard]] std::string span_label(otlp::AttributeRange attributes);

}  // namespace alphaswarm::query
