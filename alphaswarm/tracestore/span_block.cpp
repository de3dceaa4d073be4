#include "alphaswarm/tracestore/span_block.hpp"

#include <cstring>

#include "alphaswarm/base/random.hpp"

namespace alphaswarm::tracestore {
namespace {

const std::uint64_t kSeed = thread_random().next();

}  // namespace

std::uint64_t spread(std::uint64_t key) noexcept {
  const auto product = static_cast<unsigned __int128>(key ^ kSeed) * 0x9e3779b97f4a7c15U;
  return static_cast<std::uint64_t>(product >> 64) ^ static_cast<std::uint64_t>(product);
}

std::uint64_t spread(const TraceId& id) noexcept {
  std::uint64_t halves[2];
  std::memcpy(halves, id.bytes.data(), sizeof halves);
  return spread(halves[1] ^ spread(halves[0]));
}

std::uint64_t spread(const SpanId& id) noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, id.bytes.data(), sizeof value);
  return spread(value);
}

std::size_t SpanBlock::memory() const noexcept {
  return sizeof *this + bytes.capacity() + records.capacity() * sizeof(SpanRecord) +
         operations.capacity() * sizeof(BlockOperation) + origins.capacity() * sizeof(Origin);
}

}  // namespace alphaswarm::tracestore
