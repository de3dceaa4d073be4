#pragma once

// Where tracestate texts live, so that a context is a small value that can be copied bytewise.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "alphaswarm/observability/api/span_context.hpp"

namespace alphaswarm::observability::sdk {

inline constexpr std::size_t kMaxTraceStateBytes = 512;

// The text to keep of a header: validated, at most 32 members and 512 bytes. Empty if malformed.
// Source: https://www.w3.org/TR/trace-context-2/#tracestate-header
[[nodiscard]] std::string normalise_tracestate(std::string_view header);

// 2,048 texts in sets of four by hash; equal texts share an entry, a new one takes the place of
// the set's oldest. A handle carries the entry's generation, so that a stale one reads as empty.
class TraceStateTable {
 public:
  // `text` must be normalised. A pinned entry is never replaced. Handle 0 for the empty text, or
  // if there is no room beside pinned ones.
  [[nodiscard]] TraceState intern(std::string_view text, bool pinned = false) noexcept;
  // Copies the text into `out` (kMaxTraceStateBytes) and returns its size; 0 if empty or stale.
  std::size_t read(TraceState state, char* out) const noexcept;

 private:
  static constexpr std::uint32_t kSets = 512;
  static constexpr std::uint32_t kWays = 4;
  static constexpr std::uint32_t kIndexBits = 11;
  static constexpr std::size_t kWords = kMaxTraceStateBytes / 8;

  struct Entry {
    std::atomic<std::uint32_t> version{0};  // odd while written; half of it is the generation
    std::atomic<std::uint32_t> size{0};
    std::array<std::atomic<std::uint64_t>, kWords> words{};
  };
  struct Set {
    std::atomic<bool> writing{false};
    std::uint8_t next = 0;
    std::uint8_t pinned = 0;  // bit mask
    std::array<Entry, kWays> ways;
  };
  static void write(Entry& entry, std::string_view text) noexcept;
  static TraceState handle(std::uint32_t index, std::uint32_t version) noexcept {
    return {version / 2 << kIndexBits | index};
  }

  std::array<Set, kSets> sets_;
};

[[nodiscard]] TraceStateTable& tracestates() noexcept;

}  // namespace alphaswarm::observability::sdk
