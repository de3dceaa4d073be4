#include "alphaswarm/observability/sdk/exceptions.hpp"

#if ALPHASWARM_OTEL

#include <cxxabi.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {
namespace {

const std::type_info& current_type() noexcept {
  const std::type_info* type = abi::__cxa_current_exception_type();
  return type != nullptr ? *type : typeid(void);
}

}  // namespace

TypeName::~TypeName() { std::free(demangled_); }
std::string_view TypeName::view() const noexcept {
  if (demangled_ == nullptr) {
    demangled_ = abi::__cxa_demangle(mangled_, nullptr, nullptr, nullptr);
  }
  return demangled_ != nullptr ? demangled_ : mangled_;
}

ExceptionInFlight::ExceptionInFlight() noexcept : type_(current_type()) {
  const std::exception_ptr current = std::current_exception();
  if (current == nullptr) return;
  try {
    std::rethrow_exception(current);
  } catch (const std::exception& error) {
    message_ = error.what();  // owned by the exception, which its outer handler keeps alive
  } catch (...) {
    message_ = {};
  }
  const void* address = nullptr;  // an exception_ptr is one pointer to the exception object
  static_assert(sizeof current == sizeof address);
  std::memcpy(&address, static_cast<const void*>(&current), sizeof address);
  const std::hash<std::string_view> hash;
  mark_ =
      (reinterpret_cast<std::uintptr_t>(address) ^ hash(message_) ^ (hash(type_.mangled()) << 1U)) |
      1U;
}

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail

#endif
