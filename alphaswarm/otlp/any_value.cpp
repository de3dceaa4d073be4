#include "alphaswarm/otlp/any_value.hpp"

#include "alphaswarm/otlp/json_writer.hpp"

namespace alphaswarm::otlp {

AnyValueView::AnyValueView(std::string_view encoded) noexcept {
  WireReader reader(encoded);
  for (WireField field; reader.next(field);) {
    if (field.number < 1 || field.number > 7) continue;
    type_ = static_cast<Type>(field.number);  // a oneof: the last one set counts
    bits_ = field.integer;
    payload_ = field.type == WireType::length ? field.bytes : std::string_view();
  }
}

KeyValueView::KeyValueView(std::string_view encoded) noexcept {
  WireReader reader(encoded);
  for (WireField field; reader.next(field);) {
    if (field.type != WireType::length) continue;
    if (field.number == 1) key_ = field.bytes;
    if (field.number == 2) value_ = field.bytes;
  }
}

AnyValueView find_attribute(AttributeRange attributes, std::string_view key) noexcept {
  for (const KeyValueView attribute : attributes) {
    if (attribute.key() == key) return attribute.value();
  }
  return {};
}

std::string to_text(const AnyValueView& value) {
  if (value.type() == AnyValueView::Type::text) return std::string(value.text());
  std::string out;
  if (value.type() == AnyValueView::Type::bytes) {
    append_base64(out, value.text());
    return out;
  }
  if (value.type() == AnyValueView::Type::none) return out;
  JsonWriter json(out);
  write_plain_value(json, value);
  return out;
}

}  // namespace alphaswarm::otlp
