#pragma once

// Attributes that many spans have in common.

#include <memory>
#include <span>

#include "alphaswarm/observability/api/attribute.hpp"
#include "alphaswarm/observability/api/switch.hpp"

namespace alphaswarm::observability {
inline namespace ALPHASWARM_OTEL_NAMESPACE {

#if ALPHASWARM_OTEL

namespace detail {
struct Prepared;
}  // namespace detail

// Copied and encoded once; span.set() of it is then one copy of bytes, whatever their number:
//
//   const PreparedAttributes common({{"server.address", host}, {"server.port", port}});
//   span.set(common);
//
// Does what span.set() of the same list does, also where a key is there already or a limit is
// reached. Takes two kilobytes. Immutable: any number of threads may use one at the same time.
class PreparedAttributes {
 public:
  PreparedAttributes() noexcept;  // none
  explicit PreparedAttributes(std::span<const Attribute> attributes);
  explicit PreparedAttributes(Attributes attributes)
      : PreparedAttributes(std::span(attributes.begin(), attributes.size())) {}
  PreparedAttributes(PreparedAttributes&&) noexcept;
  PreparedAttributes& operator=(PreparedAttributes&&) noexcept;
  ~PreparedAttributes();

  [[nodiscard]] const detail::Prepared* get() const noexcept { return prepared_.get(); }

 private:
  std::unique_ptr<const detail::Prepared> prepared_;
};

#else

class PreparedAttributes {
 public:
  PreparedAttributes() noexcept = default;
  explicit PreparedAttributes(std::span<const Attribute>) {}
  explicit PreparedAttributes(Attributes) {}
};

#endif

}  // namespace ALPHASWARM_OTEL_NAMESPACE
}  // namespace alphaswarm::observability
