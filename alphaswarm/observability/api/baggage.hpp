#pragma once

// W3C baggage (https://www.w3.org/TR/baggage/): names and values that travel with a request.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/observability/api/switch.hpp"

namespace alphaswarm::observability {
inline namespace ALPHASWARM_OTEL_NAMESPACE {

// A small ordered map. It leaves the process with every outgoing request, in clear text: put no
// secrets in it. Bounded as the recommendation says a reader must be able to take it.
class Baggage {
 public:
  static constexpr std::size_t kMaxMembers = 64;
  static constexpr std::size_t kMaxBytes = 8'192;  // of the header

  struct Member {
    std::string key;
    std::string value;       // decoded
    std::string properties;  // what follows the first ';', as it came
  };

  // Null where there is none.
  [[nodiscard]] const std::string* find(std::string_view key) const noexcept;
  // Replaces or appends. False, and nothing changes, if the key is no token (RFC 7230) or a limit
  // would be passed.
  bool set(std::string_view key, std::string_view value);
  void remove(std::string_view key);
  [[nodiscard]] bool empty() const noexcept { return members_.empty(); }
  [[nodiscard]] const std::vector<Member>& members() const noexcept { return members_; }

  // Malformed members are left out, and so are those beyond the limits; of a key that comes twice,
  // the last counts.
  [[nodiscard]] static Baggage from_header(std::string_view header);
  [[nodiscard]] std::string to_header() const;

 private:
  bool put(Member member);
  std::vector<Member> members_;
};

#if ALPHASWARM_OTEL

// Of the task that runs now; empty if none was set. Tasks it starts inherit it.
[[nodiscard]] Baggage current_baggage();

// Makes `baggage` the current one of this task until destroyed, in the reverse order of making, in
// the same task. The process keeps a bounded number of distinct ones: what does not fit reads as
// empty and is counted (`alphaswarm_baggage_dropped_total`).
class [[nodiscard]] BaggageScope {
 public:
  explicit BaggageScope(const Baggage& baggage);
  ~BaggageScope();
  BaggageScope(const BaggageScope&) = delete;
  BaggageScope& operator=(const BaggageScope&) = delete;

 private:
  std::uint64_t handle_;
  std::uint64_t previous_;
};

#else

[[nodiscard]] inline Baggage current_baggage() { return {}; }
class [[nodiscard]] BaggageScope {
 public:
  explicit BaggageScope(const Baggage&) {}
  ~BaggageScope() {}
  BaggageScope(const BaggageScope&) = delete;
  BaggageScope& operator=(const BaggageScope&) = delete;
};

#endif

}  // namespace ALPHASWARM_OTEL_NAMESPACE
}  // namespace alphaswarm::observability
