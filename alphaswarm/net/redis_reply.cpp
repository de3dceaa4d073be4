// What replies, errors, scripts and URLs mean.

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "alphaswarm/net/redis.hpp"
#include "alphaswarm/net/url.hpp"

namespace alphaswarm::net {
namespace {

struct Meaning {
  std::string_view prefix;
  ErrorCode code;
};

constexpr std::array<Meaning, 17> kMeanings = {{
    {"NOAUTH", ErrorCode::permission_denied},
    {"WRONGPASS", ErrorCode::permission_denied},
    {"NOPERM", ErrorCode::permission_denied},
    {"DENIED", ErrorCode::permission_denied},  // protected mode
    {"OOM", ErrorCode::resource_exhausted},
    {"LOADING", ErrorCode::unavailable},
    {"MASTERDOWN", ErrorCode::unavailable},
    {"READONLY", ErrorCode::unavailable},
    {"NOREPLICAS", ErrorCode::unavailable},
    {"BUSY", ErrorCode::unavailable},
    {"MISCONF", ErrorCode::unavailable},
    {"CLUSTERDOWN", ErrorCode::unavailable},
    {"TRYAGAIN", ErrorCode::unavailable},
    {"UNBLOCKED", ErrorCode::unavailable},
    {"NOSCRIPT", ErrorCode::not_found},
    {"BUSYGROUP", ErrorCode::already_exists},
    {"EXECABORT", ErrorCode::conflict},
}};

std::unexpected<Error> bad_url(std::string why) {
  return fail(ErrorCode::invalid_argument, "bad Redis URL: " + std::move(why));
}

// A whole number of `text`, or -1.
int number(std::string_view text, int max) {
  int value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > max) return -1;
  return value;
}

Result<void> read_user_info(std::string_view text, RedisConfig& config) {
  const std::size_t colon = text.find(':');
  const auto user = percent_decode(text.substr(0, colon));
  const auto password =
      colon == text.npos ? std::optional<std::string>("") : percent_decode(text.substr(colon + 1));
  if (!user || !password) return bad_url("user or password are not percent-encoded as they should");
  if (password->empty() && !user->empty()) return bad_url("a user needs a password");
  config.user = *user;
  config.password = *password;
  return {};
}

Result<void> read_host(std::string_view text, RedisConfig& config) {
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == text.npos) return bad_url("\"[\" without \"]\"");
    config.host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (!text.empty() && text.front() != ':') return bad_url("a port stands behind \":\"");
    if (!text.empty()) port = text.substr(1);
    if (text == ":") return bad_url("the port is empty");
  } else {
    const std::size_t colon = text.find(':');
    config.host = text.substr(0, colon);
    if (colon != text.npos) {
      port = text.substr(colon + 1);
      if (port.empty()) return bad_url("the port is empty");
    }
  }
  if (config.host.empty()) return bad_url("it names no host");
  if (!port.empty()) {
    const int value = number(port, 65'535);
    if (value <= 0) return bad_url("the port must be a number from 1 to 65535");
    config.port = static_cast<std::uint16_t>(value);
  }
  return {};
}

Result<void> read_query(std::string_view text, RedisConfig& config) {
  for (const auto& [name, value] : parse_query(text)) {
    if (config.use_tls && name == "ssl_ca_certs") {
      config.tls.ca_file = value;
    } else if (config.use_tls && name == "ssl_cert_reqs") {
      if (value == "none" || value == "CERT_NONE") {
        config.tls.verify = false;
      } else if (value != "required" && value != "CERT_REQUIRED") {
        return bad_url("ssl_cert_reqs must be \"required\" or \"none\"");
      }
    } else {
      return bad_url("it may not have the parameter \"" + name + "\"" +
                     (config.use_tls ? ", only ssl_cert_reqs and ssl_ca_certs" : ""));
    }
  }
  return {};
}

}  // namespace

std::string_view RedisReply::error_prefix() const noexcept {
  if (type != Type::error) return {};
  return std::string_view(text).substr(0, text.find(' '));
}

Error redis_error(std::string_view command, const RedisReply& reply) {
  const std::string_view prefix = reply.error_prefix();
  const auto* const found = std::ranges::find(kMeanings, prefix, &Meaning::prefix);
  ErrorCode code = found != kMeanings.end() ? found->code : ErrorCode::invalid_argument;
  std::string text = reply.text;
  // An unknown command is answered with what followed it: values have no place in logs and spans.
  text.resize(std::min(text.find(", with args beginning with"), text.size()));
  if (text.starts_with("ERR max number of clients")) code = ErrorCode::resource_exhausted;
  return fail(code, fmt::format("Redis {}: {}", command, text)).error();
}

Result<RedisConfig> parse_redis_url(std::string_view url) {
  RedisConfig config;
  if (url.starts_with("rediss://")) {
    config.use_tls = true;
  } else if (!url.starts_with("redis://")) {
    return bad_url("it must begin with redis:// or rediss://");
  }
  url.remove_prefix(url.find("//") + 2);
  std::string_view query;
  if (const std::size_t mark = url.find('?'); mark != url.npos) {
    query = url.substr(mark + 1);
    url = url.substr(0, mark);
  }
  // A password with a bare "/" or "@" is taken as it was meant, up to the last "@".
  if (const std::size_t at = url.rfind('@'); at != url.npos) {
    if (auto done = read_user_info(url.substr(0, at), config); !done) {
      return std::unexpected(done.error());
    }
    url.remove_prefix(at + 1);
  }
  const std::size_t slash = url.find('/');
  if (auto done = read_host(url.substr(0, slash), config); !done) {
    return std::unexpected(done.error());
  }
  const std::string_view database = slash == url.npos ? "" : url.substr(slash + 1);
  if (!database.empty()) config.database = number(database, 1'000'000);
  if (config.database < 0) return bad_url("the database must be a number, as in redis://host/0");
  if (auto done = read_query(query, config); !done) return std::unexpected(done.error());
  return config;
}

RedisScript::RedisScript(std::string lua) : lua_(std::move(lua)) {
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  ::SHA1(reinterpret_cast<const unsigned char*>(lua_.data()), lua_.size(), digest.data());
  for (const unsigned char byte : digest) sha1_ += fmt::format("{:02x}", byte);
}

}  // namespace alphaswarm::net
