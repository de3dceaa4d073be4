#pragma once

// A decoder of its own for tests: it shares no code with the SDK's writers or the OTLP views.

#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace alphaswarm::observability::testing {

// A protobuf message as its fields, in order. Throws std::runtime_error on malformed bytes.
struct WireMessage {
  struct Field {
    std::uint32_t number;
    int type;
    std::uint64_t integer;
    std::string bytes;
  };
  std::vector<Field> fields;

  explicit WireMessage(std::string_view bytes) {
    std::size_t at = 0;
    const auto byte = [&] {
      if (at >= bytes.size()) throw std::runtime_error("message ends too early");
      return static_cast<unsigned char>(bytes[at++]);
    };
    const auto varint = [&] {
      std::uint64_t value = 0;
      for (int shift = 0; shift < 70; shift += 7) {
        const unsigned char next = byte();
        value |= static_cast<std::uint64_t>(next & 127) << shift;
        if (next < 128) return value;
      }
      throw std::runtime_error("endless varint");
    };
    while (at < bytes.size()) {
      const std::uint64_t key = varint();
      Field field{static_cast<std::uint32_t>(key >> 3), static_cast<int>(key & 7), 0, {}};
      if (field.number == 0) throw std::runtime_error("field 0");
      std::size_t size = 0;
      switch (field.type) {
        case 0:
          field.integer = varint();
          break;
        case 1:
        case 5:
          size = field.type == 1 ? 8 : 4;
          for (std::size_t i = 0; i < size; ++i) {
            field.integer |= static_cast<std::uint64_t>(byte()) << (8 * i);
          }
          break;
        case 2:
          size = varint();
          if (size > bytes.size() - at) throw std::runtime_error("field beyond its message");
          field.bytes = bytes.substr(at, size);
          at += size;
          break;
        default:
          throw std::runtime_error("unknown wire type");
      }
      fields.push_back(std::move(field));
    }
  }

  [[nodiscard]] std::vector<std::string> all(std::uint32_t number) const {
    std::vector<std::string> found;
    for (const Field& field : fields) {
      if (field.number == number && field.type == 2) found.push_back(field.bytes);
    }
    return found;
  }
  [[nodiscard]] std::string one(std::uint32_t number) const {
    const auto found = all(number);
    if (found.size() > 1) throw std::runtime_error("field twice");
    return found.empty() ? "" : found[0];
  }
  [[nodiscard]] std::uint64_t integer(std::uint32_t number) const {
    std::uint64_t value = 0;
    for (const Field& field : fields) {
      if (field.number == number && field.type != 2) value = field.integer;
    }
    return value;
  }
};

// AnyValue as text with its type: "i:42", "s:text", "b:true", "d:1.5", "[s:a,s:b]", "y:bytes".
inline std::string any_text(std::string_view bytes) {
  const WireMessage any(bytes);
  if (any.fields.size() != 1) throw std::runtime_error("AnyValue without exactly one value");
  const auto& field = any.fields[0];
  switch (field.number) {
    case 1:
      return "s:" + field.bytes;
    case 2:
      return field.integer != 0 ? "b:true" : "b:false";
    case 3:
      return "i:" + std::to_string(static_cast<std::int64_t>(field.integer));
    case 4: {
      double value = 0;
      std::memcpy(&value, &field.integer, 8);
      return "d:" + std::to_string(value);
    }
    case 5: {
      std::string text = "[";
      for (const std::string& element : WireMessage(field.bytes).all(1)) {
        text += (text.size() > 1 ? "," : "") + any_text(element);
      }
      return text + "]";
    }
    case 7:
      return "y:" + field.bytes;
    default:
      throw std::runtime_error("unknown AnyValue");
  }
}

// Key to value; a key that comes twice throws.
inline std::map<std::string, std::string> attributes_of(const WireMessage& message,
                                                        std::uint32_t number) {
  std::map<std::string, std::string> found;
  for (const std::string& bytes : message.all(number)) {
    const WireMessage pair(bytes);
    if (!found.emplace(pair.one(1), any_text(pair.one(2))).second) {
      throw std::runtime_error("attribute twice: " + pair.one(1));
    }
  }
  return found;
}

// The Span messages of a request.
inline std::vector<WireMessage> spans_of(std::string_view request) {
  std::vector<WireMessage> spans;
  for (const std::string& resource_spans : WireMessage(request).all(1)) {
    for (const std::string& scope_spans : WireMessage(resource_spans).all(2)) {
      for (const std::string& span : WireMessage(scope_spans).all(2)) spans.emplace_back(span);
    }
  }
  return spans;
}

}  // namespace alphaswarm::observability::testing
