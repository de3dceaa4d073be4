#pragma once

// Writes the JSON of the replies straight into a string. Decimals keep every digit: a tree of
// doubles (Boost.JSON) would round them.

#include <boost/json/fwd.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "alphaswarm/base/decimal.hpp"
#include "alphaswarm/base/time.hpp"

namespace alphaswarm::api {

// Begin and end, keys and values MUST come in order; commas are the writer's. Doubles that JSON
// cannot say (NaN, infinities) are null; bytes that are not UTF-8 become U+FFFD.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool truth) { return raw(truth ? "true" : "false"); }
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  JsonWriter& value(T number) {
    return raw(std::to_string(number));
  }
  JsonWriter& value(double number);
  JsonWriter& value(Decimal number) { return raw(number.to_string()); }
  JsonWriter& value(UnixNanos time);
  JsonWriter& value(const boost::json::value& tree);
  JsonWriter& value(std::nullptr_t) { return raw("null"); }
  template <class T>
  JsonWriter& value(const std::optional<T>& maybe) {
    return maybe ? value(*maybe) : value(nullptr);
  }
  // One complete JSON value, e.g. a column that holds JSON; not looked at.
  JsonWriter& raw(std::string_view json);

  template <class T>
  JsonWriter& field(std::string_view name, const T& content) {
    return key(name).value(content);
  }
  // An empty text is null: for ids and reasons that are not there.
  JsonWriter& field_or_null(std::string_view name, std::string_view text) {
    key(name);
    return text.empty() ? value(nullptr) : value(text);
  }
  // Time 0 is null: the row structs' "not set".
  JsonWriter& field_or_null(std::string_view name, UnixNanos time) {
    key(name);
    return time.value == 0 ? value(nullptr) : value(time);
  }

  [[nodiscard]] std::string take() { return std::move(out_); }
  [[nodiscard]] std::size_t size() const noexcept { return out_.size(); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void comma();

  std::string out_;
  bool need_comma_ = false;
};

}  // namespace alphaswarm::api
