#pragma once

// Views of OTLP attribute values and lists: they point into validated bytes and decode lazily.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "alphaswarm/otlp/wire_reader.hpp"

namespace alphaswarm::otlp {

// The elements of one repeated message field, decoded as they are visited. Other fields of the
// message may stand between them. Malformed bytes end the iteration early; validated ones have
// none.
template <class View>
class MessageRange {
 public:
  MessageRange() = default;
  MessageRange(std::string_view message, std::uint32_t field_number) noexcept
      : message_(message), number_(field_number) {}

  class Iterator {
   public:
    using difference_type = std::ptrdiff_t;
    using value_type = View;

    Iterator() = default;
    Iterator(std::string_view message, std::uint32_t number) noexcept
        : reader_(message), number_(number) {
      ++*this;
    }
    [[nodiscard]] View operator*() const noexcept { return View(element_); }
    Iterator& operator++() noexcept {
      WireField field;
      while (reader_.next(field)) {
        if (field.number == number_ && field.type == WireType::length) {
          element_ = field.bytes;
          return *this;
        }
      }
      at_end_ = true;
      return *this;
    }
    void operator++(int) noexcept { ++*this; }
    [[nodiscard]] bool operator==(std::default_sentinel_t) const noexcept { return at_end_; }

   private:
    WireReader reader_{{}};
    std::string_view element_;
    std::uint32_t number_ = 0;
    bool at_end_ = false;
  };

  [[nodiscard]] Iterator begin() const noexcept { return {message_, number_}; }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }
  [[nodiscard]] bool empty() const noexcept { return begin() == end(); }
  [[nodiscard]] std::size_t size() const noexcept {  // walks the message
    std::size_t count = 0;
    for (auto it = begin(); it != end(); ++it) ++count;
    return count;
  }

 private:
  std::string_view message_;
  std::uint32_t number_ = 0;
};

class KeyValueView;

// opentelemetry.proto.common.v1.AnyValue.
class AnyValueView {
 public:
  enum class Type : std::uint8_t { none, text, boolean, integer, real, array, map, bytes };

  AnyValueView() = default;
  explicit AnyValueView(std::string_view encoded) noexcept;

  [[nodiscard]] Type type() const noexcept { return type_; }
  // Each getter is meaningful only for its type.
  [[nodiscard]] std::string_view text() const noexcept { return payload_; }  // text, bytes
  [[nodiscard]] bool boolean() const noexcept { return bits_ != 0; }
  [[nodiscard]] std::int64_t integer() const noexcept { return static_cast<std::int64_t>(bits_); }
  [[nodiscard]] double real() const noexcept { return std::bit_cast<double>(bits_); }
  [[nodiscard]] MessageRange<AnyValueView> elements() const noexcept { return {payload_, 1}; }
  [[nodiscard]] MessageRange<KeyValueView> entries() const noexcept { return {payload_, 1}; }

 private:
  std::string_view payload_;
  std::uint64_t bits_ = 0;
  Type type_ = Type::none;
};

// opentelemetry.proto.common.v1.KeyValue.
class KeyValueView {
 public:
  explicit KeyValueView(std::string_view encoded) noexcept;

  [[nodiscard]] std::string_view key() const noexcept { return key_; }
  [[nodiscard]] AnyValueView value() const noexcept { return AnyValueView(value_); }

 private:
  std::string_view key_;
  std::string_view value_;
};

using AttributeRange = MessageRange<KeyValueView>;

// The value of the first attribute of that name; Type::none if there is none.
[[nodiscard]] AnyValueView find_attribute(AttributeRange attributes, std::string_view key) noexcept;

// As people and queries write a value: text as it is, true/false, numbers in their shortest exact
// form, arrays and maps as JSON, bytes in base64.
[[nodiscard]] std::string to_text(const AnyValueView& value);

}  // namespace alphaswarm::otlp
