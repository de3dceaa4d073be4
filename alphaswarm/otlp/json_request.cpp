#include "alphaswarm/otlp/json_request.hpp"

#include <simdjson.h>

#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "alphaswarm/otlp/encode.hpp"
#include "alphaswarm/otlp/views.hpp"

namespace alphaswarm::otlp {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

// Thrown within this file only: a nested reader is far from the door that reports it.
struct BadField {
  std::string message;
};

[[noreturn]] void bad(std::string_view field, std::string_view expected) {
  throw BadField{std::string(field) + ": " + std::string(expected) + " is expected"};
}

std::string_view text_of(element value, std::string_view field) {
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) bad(field, "a string");
  return text;
}

template <class T>
std::optional<T> parse(std::string_view text) {
  T number{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::uint64_t unsigned_of(element value, std::string_view field) {
  std::uint64_t number = 0;
  if (value.get_uint64().get(number) == simdjson::SUCCESS) return number;
  if (value.is_string()) {
    if (const auto parsed = parse<std::uint64_t>(text_of(value, field))) return *parsed;
  }
  double real = 0;  // some writers put whole numbers as 1.7e18
  if (value.is_double() && value.get_double().get(real) == simdjson::SUCCESS && real >= 0 &&
      real < 0x1p64) {
    return static_cast<std::uint64_t>(real);
  }
  bad(field, "a whole number that is not negative");
}

std::int64_t signed_of(element value, std::string_view field) {
  std::int64_t number = 0;
  if (value.get_int64().get(number) == simdjson::SUCCESS) return number;
  if (value.is_string()) {
    if (const auto parsed = parse<std::int64_t>(text_of(value, field))) return *parsed;
  }
  bad(field, "a whole number");
}

double real_of(element value, std::string_view field) {
  double number = 0;
  if (value.is_number() && value.get_double().get(number) == simdjson::SUCCESS) return number;
  if (value.is_string()) {
    const std::string_view text = text_of(value, field);
    if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (text == "Infinity") return std::numeric_limits<double>::infinity();
    if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
    if (const auto parsed = parse<double>(text)) return *parsed;
  }
  bad(field, "a number");
}

std::uint64_t enum_of(element value, std::string_view field,
                      std::initializer_list<std::string_view> names) {
  if (!value.is_string()) return unsigned_of(value, field);
  std::uint64_t number = 0;
  for (const std::string_view name : names) {
    if (name == text_of(value, field)) return number;
    ++number;
  }
  bad(field, "a number of that enum");
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string hex_of(element value, std::string_view field, std::size_t size) {
  const std::string_view text = text_of(value, field);
  if (text.empty()) return {};
  if (text.size() != size * 2) bad(field, std::to_string(size * 2) + " hexadecimal digits");
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) bad(field, std::to_string(size * 2) + " hexadecimal digits");
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

std::string base64_of(element value, std::string_view field) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text_of(value, field)) {
    if (c == '=') break;
    const std::size_t digit = c == '-' ? 62 : c == '_' ? 63 : kDigits.find(c);
    if (digit == std::string_view::npos) bad(field, "base64");
    bits = bits << 6 | static_cast<unsigned>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>(bits >> count & 0xffU);
    }
  }
  return bytes;
}

// Calls see(key, value) for the fields of an object. null is "not set".
template <class See>
void each_field(element value, std::string_view what, See see) {
  simdjson::dom::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) bad(what, "an object");
  for (const auto field : object) {
    if (!field.value.is_null()) see(field.key, field.value);
  }
}

template <class See>
void each_element(element value, std::string_view what, See see) {
  simdjson::dom::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) bad(what, "an array");
  for (const element item : array) see(item);
}

std::string key_value(element value, unsigned depth);

std::string any_value(element value, unsigned depth) {
  if (depth > kMaxValueDepth) bad("value", "less nesting");
  MessageWriter out;
  each_field(value, "value", [&](std::string_view key, element item) {
    if (key == "stringValue") {
      out.bytes(1, text_of(item, key));
    } else if (key == "boolValue") {
      bool flag = false;
      if (item.get_bool().get(flag) != simdjson::SUCCESS) bad(key, "true or false");
      out.varint(2, flag ? 1 : 0);
    } else if (key == "intValue") {
      out.varint(3, static_cast<std::uint64_t>(signed_of(item, key)));
    } else if (key == "doubleValue") {
      out.number(4, real_of(item, key));
    } else if (key == "bytesValue") {
      out.bytes(7, base64_of(item, key));
    } else if (key == "arrayValue" || key == "kvlistValue") {
      MessageWriter list;
      each_field(item, key, [&](std::string_view name, element values) {
        if (name != "values") return;
        each_element(values, "values", [&](element one) {
          list.bytes(1,
                     key == "arrayValue" ? any_value(one, depth + 1) : key_value(one, depth + 1));
        });
      });
      out.bytes(key == "arrayValue" ? 5 : 6, list.str());
    }
  });
  return out.str();
}

std::string key_value(element value, unsigned depth) {
  MessageWriter out;
  each_field(value, "attribute", [&](std::string_view key, element item) {
    if (key == "key") out.bytes(1, text_of(item, key));
    if (key == "value") out.bytes(2, any_value(item, depth));
  });
  return out.str();
}

void attributes(MessageWriter& out, std::uint32_t field, element value) {
  each_element(value, "attributes", [&](element one) { out.bytes(field, key_value(one, 0)); });
}

std::string event(element value) {
  MessageWriter out;
  each_field(value, "event", [&](std::string_view key, element item) {
    if (key == "timeUnixNano") out.fixed64(1, unsigned_of(item, key));
    if (key == "name") out.bytes(2, text_of(item, key));
    if (key == "attributes") attributes(out, 3, item);
    if (key == "droppedAttributesCount") out.varint(4, unsigned_of(item, key));
  });
  return out.str();
}

std::string link(element value) {
  MessageWriter out;
  each_field(value, "link", [&](std::string_view key, element item) {
    if (key == "traceId") out.bytes(1, hex_of(item, key, 16));
    if (key == "spanId") out.bytes(2, hex_of(item, key, 8));
    if (key == "traceState") out.bytes(3, text_of(item, key));
    if (key == "attributes") attributes(out, 4, item);
    if (key == "droppedAttributesCount") out.varint(5, unsigned_of(item, key));
    if (key == "flags") out.fixed32(6, static_cast<std::uint32_t>(unsigned_of(item, key)));
  });
  return out.str();
}

std::string status(element value) {
  MessageWriter out;
  each_field(value, "status", [&](std::string_view key, element item) {
    if (key == "message") out.bytes(2, text_of(item, key));
    if (key == "code") {
      out.varint(3,
                 enum_of(item, key, {"STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"}));
    }
  });
  return out.str();
}

void span_lists(MessageWriter& out, std::string_view key, element item) {
  if (key == "attributes") attributes(out, 9, item);
  if (key == "events") {
    each_element(item, key, [&](element one) { out.bytes(11, event(one)); });
  }
  if (key == "links") {
    each_element(item, key, [&](element one) { out.bytes(13, link(one)); });
  }
}

std::string span(element value) {
  MessageWriter out;
  each_field(value, "span", [&](std::string_view key, element item) {
    span_lists(out, key, item);
    if (key == "traceId") out.bytes(1, hex_of(item, key, 16));
    if (key == "spanId") out.bytes(2, hex_of(item, key, 8));
    if (key == "traceState") out.bytes(3, text_of(item, key));
    if (key == "parentSpanId") out.bytes(4, hex_of(item, key, 8));
    if (key == "name") out.bytes(5, text_of(item, key));
    if (key == "kind") {
      out.varint(6, enum_of(item, key,
                            {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER",
                             "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"}));
    }
    if (key == "startTimeUnixNano") out.fixed64(7, unsigned_of(item, key));
    if (key == "endTimeUnixNano") out.fixed64(8, unsigned_of(item, key));
    if (key == "droppedAttributesCount") out.varint(10, unsigned_of(item, key));
    if (key == "droppedEventsCount") out.varint(12, unsigned_of(item, key));
    if (key == "droppedLinksCount") out.varint(14, unsigned_of(item, key));
    if (key == "status") out.bytes(15, status(item));
    if (key == "flags") out.fixed32(16, static_cast<std::uint32_t>(unsigned_of(item, key)));
  });
  return out.str();
}

std::string scope_spans(element value) {
  MessageWriter out;
  each_field(value, "scopeSpans", [&](std::string_view key, element item) {
    if (key == "schemaUrl") out.bytes(3, text_of(item, key));
    if (key == "spans") {
      each_element(item, key, [&](element one) { out.bytes(2, span(one)); });
    }
    if (key != "scope") return;
    MessageWriter scope;
    each_field(item, key, [&](std::string_view name, element part) {
      if (name == "name") scope.bytes(1, text_of(part, name));
      if (name == "version") scope.bytes(2, text_of(part, name));
      if (name == "attributes") attributes(scope, 3, part);
      if (name == "droppedAttributesCount") scope.varint(4, unsigned_of(part, name));
    });
    out.bytes(1, scope.str());
  });
  return out.str();
}

std::string resource_spans(element value) {
  MessageWriter out;
  each_field(value, "resourceSpans", [&](std::string_view key, element item) {
    if (key == "schemaUrl") out.bytes(3, text_of(item, key));
    if (key == "scopeSpans") {
      each_element(item, key, [&](element one) { out.bytes(2, scope_spans(one)); });
    }
    if (key != "resource") return;
    MessageWriter resource;
    each_field(item, key, [&](std::string_view name, element part) {
      if (name == "attributes") attributes(resource, 1, part);
      if (name == "droppedAttributesCount") resource.varint(2, unsigned_of(part, name));
    });
    out.bytes(1, resource.str());
  });
  return out.str();
}

}  // namespace

Result<std::string> json_to_trace_request(std::string_view json) {
  simdjson::dom::parser parser;
  element root;
  if (const auto code = parser.parse(json.data(), json.size()).get(root);
      code != simdjson::SUCCESS) {
    return fail(ErrorCode::invalid_argument,
                std::string("not valid JSON: ") + simdjson::error_message(code));
  }
  try {
    MessageWriter out;
    each_field(root, "the request", [&](std::string_view key, element item) {
      if (key != "resourceSpans") return;
      each_element(item, key, [&](element one) { out.bytes(1, resource_spans(one)); });
    });
    return out.str();
  } catch (const BadField& wrong) {
    return fail(ErrorCode::invalid_argument, "OTLP JSON: " + wrong.message);
  }
}

}  // namespace alphaswarm::otlp
