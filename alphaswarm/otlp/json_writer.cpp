#include "alphaswarm/otlp/json_writer.hpp"

#include <charconv>
#include <cmath>

namespace alphaswarm::otlp {
namespace {

constexpr char kHex[] = "0123456789abcdef";

// Length of the well-formed UTF-8 sequence at `text[i]`, 0 if there is none.
// Source: Unicode 15, table 3-7.
std::size_t utf8_length(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
  const unsigned char first = byte(i);
  const std::size_t left = text.size() - i;
  const auto tail = [&](std::size_t k) { return (byte(i + k) & 0xc0U) == 0x80; };
  if (first >= 0xc2 && first <= 0xdf) return left >= 2 && tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (left < 3 || !tail(1) || !tail(2)) return 0;
    if (first == 0xe0 && byte(i + 1) < 0xa0) return 0;  // overlong
    if (first == 0xed && byte(i + 1) > 0x9f) return 0;  // surrogates
    return 3;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if (left < 4 || !tail(1) || !tail(2) || !tail(3)) return 0;
    if (first == 0xf0 && byte(i + 1) < 0x90) return 0;
    if (first == 0xf4 && byte(i + 1) > 0x8f) return 0;
    return 4;
  }
  return 0;
}

void append_escape(std::string& out, unsigned char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
  }
}

}  // namespace

void append_base64(std::string& out, std::string_view bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = bytes.size() - i;
    const auto at = [&](std::size_t k) -> unsigned {
      return k < left ? static_cast<unsigned char>(bytes[i + k]) : 0U;
    };
    const unsigned group = at(0) << 16 | at(1) << 8 | at(2);
    out += kDigits[group >> 18];
    out += kDigits[(group >> 12) & 63];
    out += left > 1 ? kDigits[(group >> 6) & 63] : '=';
    out += left > 2 ? kDigits[group & 63] : '=';
  }
}

void append_hex(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;  // start of the run that needs no change
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
      ++i;
      continue;
    }
    const std::size_t length = c >= 0x80 ? utf8_length(text, i) : 0;
    if (length != 0) {
      i += length;
      continue;
    }
    out.append(text, plain, i - plain);
    if (c >= 0x80) {
      out += "\xef\xbf\xbd";
    } else {
      append_escape(out, c);
    }
    plain = ++i;
  }
  out.append(text, plain, text.size() - plain);
  out += '"';
}

JsonWriter& JsonWriter::number(double value) {
  if (std::isnan(value)) return raw("\"NaN\"");
  if (std::isinf(value)) return raw(value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  return raw({digits, static_cast<std::size_t>(end.ptr - digits)});
}

void JsonWriter::append_signed(std::int64_t value) {
  char digits[24];
  out_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void JsonWriter::append_unsigned(std::uint64_t value) {
  char digits[24];
  out_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void write_plain_value(JsonWriter& json, const AnyValueView& value) {
  switch (value.type()) {
    case AnyValueView::Type::none:
      json.null();
      break;
    case AnyValueView::Type::text:
      json.string(value.text());
      break;
    case AnyValueView::Type::boolean:
      json.boolean(value.boolean());
      break;
    case AnyValueView::Type::integer:
      json.number(value.integer());
      break;
    case AnyValueView::Type::real:
      json.number(value.real());
      break;
    case AnyValueView::Type::bytes:
      json.base64(value.text());
      break;
    case AnyValueView::Type::array:
      json.begin_array();
      for (const AnyValueView element : value.elements()) write_plain_value(json, element);
      json.end_array();
      break;
    case AnyValueView::Type::map:
      write_plain_attributes(json, value.entries());
      break;
  }
}

void write_plain_attributes(JsonWriter& json, AttributeRange attributes) {
  json.begin_object();
  for (const KeyValueView attribute : attributes) {
    json.key_escaped(attribute.key());
    write_plain_value(json, attribute.value());
  }
  json.end_object();
}

}  // namespace alphaswarm::otlp
