#pragma once

// Instrumentation scopes by number, so that a span carries four bytes of its own.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "alphaswarm/observability/api/attribute.hpp"

namespace alphaswarm::observability::sdk {

// Of the process; number 0 is the scope of spans that were started without a tracer. An entry
// stays for ever, since spans and tracers hold its number only.
class ScopeTable {
 public:
  static constexpr std::uint32_t kMaxScopes = 1'024;
  // Of one encoded scope: attributes beyond are left out, and counted in it as dropped.
  static constexpr std::size_t kMaxBytes = 4'096;

  ScopeTable();
  ~ScopeTable();  // of tests: the process's own stays
  ScopeTable(const ScopeTable&) = delete;
  ScopeTable& operator=(const ScopeTable&) = delete;

  // The number of that scope; 0, and counted in `alphaswarm_tracing_scopes_refused_total`, when
  // there are too many. Takes a lock.
  [[nodiscard]] std::uint32_t intern(std::string_view name, std::string_view version,
                                     Attributes attributes, std::string_view schema_url);

  // The fields `ScopeSpans.scope` and `.schema_url`. Lock-free; `number` came from intern().
  [[nodiscard]] std::string_view fields(std::uint32_t number) const noexcept {
    return *entries_[number].load(std::memory_order_acquire);  // with intern()
  }

  // The child of a fork has one thread: nobody there holds the lock.
  void reset_after_fork() noexcept;

 private:
  std::mutex mutex_;
  std::uint32_t count_ = 0;
  std::array<std::atomic<const std::string*>, kMaxScopes> entries_{};
};

[[nodiscard]] ScopeTable& scopes();

// How a span of another scope than 0 lies in a chunk: three bytes in front of it name the scope.
// A span's own first byte is the tag of `ScopeSpans.spans`, which this is not.
inline constexpr char kScopeMark = 0x08;
inline constexpr std::size_t kScopeMarkBytes = 3;

inline char* put_scope_mark(char* out, std::uint32_t scope) noexcept {
  *out++ = kScopeMark;
  *out++ = static_cast<char>(scope);
  *out++ = static_cast<char>(scope >> 8U);
  return out;
}
// 0 where there is no mark.
[[nodiscard]] inline std::uint32_t scope_at(const char* record) noexcept {
  if (record[0] != kScopeMark) return 0;
  return static_cast<unsigned char>(record[1]) |
         static_cast<std::uint32_t>(static_cast<unsigned char>(record[2])) << 8U;
}

}  // namespace alphaswarm::observability::sdk
