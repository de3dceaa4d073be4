#pragma once

// Attribute values as views: nothing is copied until a span records them.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <type_traits>

namespace alphaswarm::observability {

// A value or an array of values. Does not own: what it was made from must outlive the call it is
// passed to, which is always so for a temporary in the same expression.
class AttributeValue {
 public:
  enum class Type : std::uint8_t {
    boolean,
    integer,
    number,
    text,
    bytes,
    boolean_array,
    integer_array,
    number_array,
    text_array,
  };

  template <std::same_as<bool> B>
  constexpr AttributeValue(B value) noexcept : type_(Type::boolean) {
    boolean_ = value;
  }
  // Unsigned values above the int64 range keep their bits, as OTLP has signed integers only.
  template <std::integral I>
    requires(!std::same_as<I, bool>)
  constexpr AttributeValue(I value) noexcept : type_(Type::integer) {
    integer_ = static_cast<std::int64_t>(value);
  }
  constexpr AttributeValue(double value) noexcept : type_(Type::number) { number_ = value; }
  constexpr AttributeValue(float value) noexcept : AttributeValue(static_cast<double>(value)) {}
  constexpr AttributeValue(std::string_view value) noexcept : type_(Type::text) {
    set(value.data(), value.size());
  }
  constexpr AttributeValue(const char* value) noexcept  // null counts as ""
      : AttributeValue(value != nullptr ? std::string_view(value) : std::string_view()) {}
  // std::string and its like, without their headers.
  template <class Text>
    requires(std::is_class_v<Text> && !std::same_as<Text, std::string_view> &&
             std::convertible_to<const Text&, std::string_view>)
  constexpr AttributeValue(const Text& value) noexcept
      : AttributeValue(static_cast<std::string_view>(value)) {}
  constexpr AttributeValue(std::span<const std::byte> value) noexcept : type_(Type::bytes) {
    set(value.data(), value.size());
  }
  constexpr AttributeValue(std::span<const bool> values) noexcept : type_(Type::boolean_array) {
    set(values.data(), values.size());
  }
  constexpr AttributeValue(std::span<const std::int64_t> values) noexcept
      : type_(Type::integer_array) {
    set(values.data(), values.size());
  }
  constexpr AttributeValue(std::span<const double> values) noexcept : type_(Type::number_array) {
    set(values.data(), values.size());
  }
  constexpr AttributeValue(std::span<const std::string_view> values) noexcept
      : type_(Type::text_array) {
    set(values.data(), values.size());
  }

  [[nodiscard]] Type type() const noexcept { return type_; }
  [[nodiscard]] bool boolean() const noexcept { return boolean_; }
  [[nodiscard]] std::int64_t integer() const noexcept { return integer_; }
  [[nodiscard]] double number() const noexcept { return number_; }
  [[nodiscard]] std::string_view text() const noexcept {  // also for bytes
    return {static_cast<const char*>(array_.data), array_.size};
  }
  // The elements of an array; T must be that of type().
  template <class T>
  [[nodiscard]] std::span<const T> elements() const noexcept {
    return {static_cast<const T*>(array_.data), array_.size};
  }

 private:
  constexpr void set(const void* data, std::size_t size) noexcept { array_ = {data, size}; }

  struct Array {
    const void* data;
    std::size_t size;
  };
  union {
    bool boolean_;
    std::int64_t integer_;
    double number_;
    Array array_;
  };
  Type type_;
};

struct Attribute {
  std::string_view key;  // must not be empty, else the attribute is dropped and counted
  AttributeValue value;
};

using Attributes = std::initializer_list<Attribute>;

}  // namespace alphaswarm::observability
