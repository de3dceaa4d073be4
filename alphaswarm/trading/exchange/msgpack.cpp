#include "alphaswarm/trading/exchange/msgpack.hpp"

#include <bit>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <cstring>

#include "alphaswarm/base/time.hpp"

namespace alphaswarm::trading::exchange {

namespace json = boost::json;

namespace {

constexpr int kDeepest = 16;
constexpr std::int64_t kSecond = 1'000'000'000;

template <class T>
void put(std::string& out, std::uint8_t tag, T value) {
  out += static_cast<char>(tag);
  if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  out.append(raw, sizeof value);
}

void put_text(std::string& out, std::string_view text) {
  if (text.size() < 32) {
    out += static_cast<char>(0xa0U | text.size());
  } else {
    put(out, 0xdb, static_cast<std::uint32_t>(text.size()));
  }
  out += text;
}

// Timestamp 96: nanoseconds, then seconds.
void put_time(std::string& out, UnixNanos time) {
  std::int64_t seconds = time.value / kSecond;
  if (time.value % kSecond < 0) --seconds;
  put(out, 0xc7, std::uint8_t{12});
  put(out, 0xff, static_cast<std::uint32_t>(time.value - seconds * kSecond));
  auto raw = static_cast<std::uint64_t>(seconds);
  if constexpr (std::endian::native == std::endian::little) raw = std::byteswap(raw);
  char bytes[sizeof raw];
  std::memcpy(bytes, &raw, sizeof raw);
  out.append(bytes, sizeof raw);
}

void put_value(std::string& out, const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      out += '\xc0';
      break;
    case json::kind::bool_:
      out += value.get_bool() ? '\xc3' : '\xc2';
      break;
    case json::kind::int64:
      put(out, 0xd3, static_cast<std::uint64_t>(value.get_int64()));
      break;
    case json::kind::uint64:
      put(out, 0xcf, value.get_uint64());
      break;
    case json::kind::double_:
      put(out, 0xcb, std::bit_cast<std::uint64_t>(value.get_double()));
      break;
    case json::kind::string:
      put_text(out, value.get_string());
      break;
    case json::kind::array:
      put(out, 0xdd, static_cast<std::uint32_t>(value.get_array().size()));
      for (const json::value& one : value.get_array()) put_value(out, one);
      break;
    case json::kind::object:
      put(out, 0xdf, static_cast<std::uint32_t>(value.get_object().size()));
      for (const auto& entry : value.get_object()) {
        put_text(out, entry.key());
        const json::string* text = entry.value().if_string();
        const Result<UnixNanos> time =
            entry.key() == "t" && text != nullptr
                ? from_rfc3339(*text)
                : Result<UnixNanos>(fail(ErrorCode::invalid_argument, "no time"));
        if (time) {
          put_time(out, *time);
        } else {
          put_value(out, entry.value());
        }
      }
      break;
  }
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::optional<json::value> value(int depth = 0) {
    if (rest_.empty() || depth > kDeepest) return std::nullopt;
    const auto tag = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    if (tag <= 0x7f) return json::value(std::int64_t{tag});
    if (tag >= 0xe0) return json::value(std::int64_t{static_cast<std::int8_t>(tag)});
    if (tag <= 0x8f) return map(tag & 0x0fU, depth);
    if (tag <= 0x9f) return array(tag & 0x0fU, depth);
    if (tag <= 0xbf) return text(tag & 0x1fU);
    switch (tag) {
      case 0xc0:
        return json::value(nullptr);
      case 0xc2:
      case 0xc3:
        return json::value(tag == 0xc3);
      case 0xca:
        return real<std::uint32_t, float>();
      case 0xcb:
        return real<std::uint64_t, double>();
      case 0xcc:
        return whole<std::uint8_t, std::uint64_t>();
      case 0xcd:
        return whole<std::uint16_t, std::uint64_t>();
      case 0xce:
        return whole<std::uint32_t, std::uint64_t>();
      case 0xcf:
        return whole<std::uint64_t, std::uint64_t>();
      case 0xd0:
        return whole<std::uint8_t, std::int8_t>();
      case 0xd1:
        return whole<std::uint16_t, std::int16_t>();
      case 0xd2:
        return whole<std::uint32_t, std::int32_t>();
      case 0xd3:
        return whole<std::uint64_t, std::int64_t>();
      case 0xd9:
        return sized<std::uint8_t>(&Reader::text_at, depth);
      case 0xda:
        return sized<std::uint16_t>(&Reader::text_at, depth);
      case 0xdb:
        return sized<std::uint32_t>(&Reader::text_at, depth);
      case 0xdc:
        return sized<std::uint16_t>(&Reader::array, depth);
      case 0xdd:
        return sized<std::uint32_t>(&Reader::array, depth);
      case 0xde:
        return sized<std::uint16_t>(&Reader::map, depth);
      case 0xdf:
        return sized<std::uint32_t>(&Reader::map, depth);
      default:
        return std::nullopt;
    }
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  template <class Raw>
  std::optional<Raw> raw() {
    if (rest_.size() < sizeof(Raw)) return std::nullopt;
    Raw value;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
    return value;
  }
  template <class Raw, class Number>
  std::optional<json::value> whole() {
    const auto read = raw<Raw>();
    if (!read) return std::nullopt;
    return json::value(static_cast<Number>(*read));
  }
  template <class Raw, class Number>
  std::optional<json::value> real() {
    const auto read = raw<Raw>();
    if (!read) return std::nullopt;
    return json::value(static_cast<double>(std::bit_cast<Number>(*read)));
  }
  template <class Raw>
  std::optional<json::value> sized(std::optional<json::value> (Reader::*read)(std::size_t, int),
                                   int depth) {
    const auto size = raw<Raw>();
    if (!size) return std::nullopt;
    return (this->*read)(*size, depth);
  }
  std::optional<json::value> text(std::size_t size) {
    if (rest_.size() < size) return std::nullopt;
    json::value value(json::string(rest_.substr(0, size)));
    rest_.remove_prefix(size);
    return value;
  }
  std::optional<json::value> text_at(std::size_t size, int /*depth*/) { return text(size); }
  std::optional<json::value> array(std::size_t size, int depth) {
    json::array list;
    // Every element takes a byte at least, so the size cannot make us reserve more than came.
    for (std::size_t i = 0; i < size; ++i) {
      auto one = value(depth + 1);
      if (!one) return std::nullopt;
      list.push_back(std::move(*one));
    }
    return json::value(std::move(list));
  }
  std::optional<json::value> map(std::size_t size, int depth) {
    json::object object;
    for (std::size_t i = 0; i < size; ++i) {
      const auto key = value(depth + 1);
      if (!key || !key->is_string()) return std::nullopt;
      auto one = value(depth + 1);
      if (!one) return std::nullopt;
      object.insert_or_assign(key->get_string(), std::move(*one));
    }
    return json::value(std::move(object));
  }

  std::string_view rest_;
};

}  // namespace

std::string to_msgpack(const json::value& value) {
  std::string out;
  put_value(out, value);
  return out;
}

std::optional<json::value> from_msgpack(std::string_view bytes) {
  Reader reader(bytes);
  auto value = reader.value();
  if (!value || !reader.at_end()) return std::nullopt;
  return value;
}

}  // namespace alphaswarm::trading::exchange
