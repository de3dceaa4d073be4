#include "alphaswarm/observability/sdk/attribute_writer.hpp"

namespace alphaswarm::observability::sdk {
namespace {

using otlp::tag;
using otlp::WireType;

constexpr std::uint32_t kValues = 1;  // of ArrayValue

// Calls see(element as a value) for each element.
template <class See>
void each(const AttributeValue& value, See see) noexcept {
  using Type = AttributeValue::Type;
  switch (value.type()) {
    case Type::boolean_array:
      for (const bool element : value.elements<bool>()) see(AttributeValue(element));
      break;
    case Type::integer_array:
      for (const std::int64_t element : value.elements<std::int64_t>()) {
        see(AttributeValue(element));
      }
      break;
    case Type::number_array:
      for (const double element : value.elements<double>()) see(AttributeValue(element));
      break;
    case Type::text_array:
      for (const std::string_view element : value.elements<std::string_view>()) {
        see(AttributeValue(element));
      }
      break;
    default:
      break;
  }
}

std::size_t elements_size(const AttributeValue& value, std::size_t limit) noexcept {
  std::size_t size = 0;
  each(value, [&](const AttributeValue& element) {
    const std::size_t any = ValueWriter(element, limit).size();
    size += 1 + otlp::varint_size(any) + any;
  });
  return size;
}

}  // namespace

std::size_t array_value_size(const AttributeValue& value, std::size_t limit) noexcept {
  const std::size_t elements = elements_size(value, limit);
  return 1 + otlp::varint_size(elements) + elements;
}

char* put_array_value(char* out, const AttributeValue& value, std::size_t limit) noexcept {
  *out++ = static_cast<char>(tag(kArray, WireType::length));
  out = otlp::put_varint(out, elements_size(value, limit));
  each(value, [&](const AttributeValue& element) {
    const ValueWriter writer(element, limit);
    *out++ = static_cast<char>(tag(kValues, WireType::length));
    out = writer.put(otlp::put_varint(out, writer.size()));
  });
  return out;
}

}  // namespace alphaswarm::observability::sdk
