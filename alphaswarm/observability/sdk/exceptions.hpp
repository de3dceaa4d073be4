#pragma once

// What is known of an exception in a handler. The names of types are demangled when asked for,
// which allocates; throwing has done so too.

#include <cstdint>
#include <string_view>
#include <typeinfo>

#include "alphaswarm/observability/api/switch.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {

class TypeName {
 public:
  explicit TypeName(const std::type_info& type) noexcept : mangled_(type.name()) {}
  ~TypeName();
  TypeName(const TypeName&) = delete;
  TypeName& operator=(const TypeName&) = delete;
  [[nodiscard]] std::string_view view() const noexcept;
  [[nodiscard]] std::string_view mangled() const noexcept { return mangled_; }

 private:
  const char* mangled_;
  mutable char* demangled_ = nullptr;
};

// The exception being handled; lives no longer than its handler.
class ExceptionInFlight {
 public:
  ExceptionInFlight() noexcept;
  [[nodiscard]] std::string_view type() const noexcept { return type_.view(); }
  [[nodiscard]] std::string_view message() const noexcept { return message_; }
  // Tells exceptions apart: address, type and message. 0 outside of a handler.
  [[nodiscard]] std::uint64_t mark() const noexcept { return mark_; }

 private:
  TypeName type_;
  std::string_view message_;
  std::uint64_t mark_ = 0;
};

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail
