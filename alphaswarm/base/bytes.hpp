#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace alphaswarm {

// Immutable bytes with several owners: a received request is held by its batch, the store and an
// exporter's queue at once, and must live until the last of them lets go; hence shared.
class SharedBytes {
 public:
  SharedBytes() = default;
  explicit SharedBytes(std::string bytes)
      : owner_(std::make_shared<const std::string>(std::move(bytes))) {}

  [[nodiscard]] std::string_view view() const noexcept {
    return owner_ ? std::string_view(*owner_) : std::string_view();
  }
  [[nodiscard]] std::size_t size() const noexcept { return view().size(); }

 private:
  std::shared_ptr<const std::string> owner_;
};

[[nodiscard]] inline std::string_view as_text(std::span<const std::byte> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
[[nodiscard]] inline std::span<const std::byte> as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

}  // namespace alphaswarm
