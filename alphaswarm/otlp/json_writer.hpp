#pragma once

// Appends JSON to a string as it goes: no tree is built, so that a reply about 200,000 spans costs
// its own bytes and nothing more.

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "alphaswarm/otlp/any_value.hpp"

namespace alphaswarm::otlp {

void append_base64(std::string& out, std::string_view bytes);
void append_hex(std::string& out, std::string_view bytes);  // lower case
// With quotes; control characters escaped; bytes that are not UTF-8 become U+FFFD, one each.
void append_json_string(std::string& out, std::string_view text);

// The caller keeps keys and values, begin and end in order; commas are the writer's.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  // `name` must need no escaping: keys are our own.
  JsonWriter& key(std::string_view name) {
    comma();
    out_ += '"';
    out_ += name;
    out_ += "\":";
    need_comma_ = false;
    return *this;
  }
  JsonWriter& key_escaped(std::string_view name) {
    comma();
    append_json_string(out_, name);
    out_ += ':';
    need_comma_ = false;
    return *this;
  }
  JsonWriter& string(std::string_view text) {
    comma();
    append_json_string(out_, text);
    return *this;
  }
  template <std::integral T>
  JsonWriter& number(T value) {
    comma();
    if constexpr (std::is_signed_v<T>) {
      append_signed(static_cast<std::int64_t>(value));
    } else {
      append_unsigned(static_cast<std::uint64_t>(value));
    }
    return *this;
  }
  JsonWriter& number(double value);  // the shortest that reads back; NaN and infinities as strings
  // An integer in quotes: what 64-bit integers must be for readers that only know doubles.
  JsonWriter& quoted(std::uint64_t value) {
    comma();
    out_ += '"';
    append_unsigned(value);
    out_ += '"';
    return *this;
  }
  JsonWriter& quoted_signed(std::int64_t value) {
    comma();
    out_ += '"';
    append_signed(value);
    out_ += '"';
    return *this;
  }
  JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
  JsonWriter& null() { return raw("null"); }
  JsonWriter& hex(std::string_view bytes) {
    comma();
    out_ += '"';
    append_hex(out_, bytes);
    out_ += '"';
    return *this;
  }
  JsonWriter& base64(std::string_view bytes) {
    comma();
    out_ += '"';
    append_base64(out_, bytes);
    out_ += '"';
    return *this;
  }
  JsonWriter& raw(std::string_view json) {  // one complete JSON value
    comma();
    out_ += json;
    return *this;
  }

  // {"name": value} in one call.
  JsonWriter& field(std::string_view name, std::string_view value) {
    return key(name).string(value);
  }
  JsonWriter& field(std::string_view name, const char* value) { return key(name).string(value); }
  template <std::integral T>
  JsonWriter& field(std::string_view name, T value) {
    if constexpr (std::same_as<T, bool>) {
      return key(name).boolean(value);
    } else {
      return key(name).number(value);
    }
  }

 private:
  JsonWriter& open(char bracket) {
    comma();
    out_ += bracket;
    need_comma_ = false;
    return *this;
  }
  JsonWriter& close(char bracket) {
    out_ += bracket;
    need_comma_ = true;
    return *this;
  }
  void comma() {
    if (need_comma_) out_ += ',';
    need_comma_ = true;
  }
  void append_signed(std::int64_t value);
  void append_unsigned(std::uint64_t value);

  std::string& out_;
  bool need_comma_ = false;
};

// A value as plain JSON: "text", 1, 2.5, true, [..], {..}, bytes as base64 text, none as null.
void write_plain_value(JsonWriter& json, const AnyValueView& value);
// {"key": plain value, …}
void write_plain_attributes(JsonWriter& json, AttributeRange attributes);

}  // namespace alphaswarm::otlp
