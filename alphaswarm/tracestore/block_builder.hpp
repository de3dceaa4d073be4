#pragma once

#include <mutex>
#include <unordered_map>
#include <vector>

#include "alphaswarm/tracestore/span_block.hpp"

namespace alphaswarm::tracestore {

// Gives equal resources and scopes one shared copy. Thread-safe.
class OriginTable {
 public:
  [[nodiscard]] Origin intern(const otlp::ResourceView& resource, const otlp::ScopeView& scope);
  // Bytes of the copies that are still in use (refreshed now and then; never too small).
  [[nodiscard]] std::size_t memory() const;

 private:
  template <class T>
  using Table = std::unordered_map<std::uint64_t, std::weak_ptr<const T>>;
  void sweep();

  mutable std::mutex mutex_;
  Table<Resource> resources_;
  Table<Scope> scopes_;
  std::size_t memory_ = 0;
  std::size_t sweep_at_ = std::size_t{1} << 20;
};

// Splits a batch into one block for each trace in it. Any thread.
[[nodiscard]] std::vector<std::shared_ptr<SpanBlock>> build_blocks(const otlp::TraceBatch& batch,
                                                                   OriginTable& origins);

}  // namespace alphaswarm::tracestore
