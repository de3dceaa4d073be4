#pragma once

// How settings are read: defaults < .env < process environment. Every variable is declared once,
// as a Setting; a bad value is an error that names the variable, its value and what is allowed.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "alphaswarm/base/error.hpp"

namespace alphaswarm::config {

// One variable. Modules declare theirs as constants; `alphaswarm settings` and the reference page
// are made from them.
struct Setting {
  std::string_view name;
  std::string_view default_value;  // parsed as a given value would be; empty: unset
  std::string_view meaning;        // one line
  bool secret = false;             // its value never appears in messages or listings
};

enum class Source : std::uint8_t { default_value, dotenv, environment };

// An immutable snapshot of the variables. A variable set to the empty string counts as unset, as
// the OpenTelemetry specification asks. Safe to read from any thread.
class Environment {
 public:
  Environment() = default;

  // The process environment over the `dotenv` file. A missing file is fine; an unreadable one or
  // a line that is not NAME=value is an error with file and line.
  [[nodiscard]] static Result<Environment> load(const std::filesystem::path& dotenv = ".env");
  // Only the given values; for tests and for embedding.
  [[nodiscard]] static Environment from_values(std::map<std::string, std::string> values);

  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  [[nodiscard]] Source source(std::string_view name) const;

  // The value or the setting's default. The typed ones fail with ErrorCode::invalid_argument.
  [[nodiscard]] std::string text(const Setting& setting) const;
  [[nodiscard]] Result<std::int64_t> integer(const Setting& setting, std::int64_t least,
                                             std::int64_t most) const;
  [[nodiscard]] Result<double> number(const Setting& setting, double least, double most) const;
  [[nodiscard]] Result<bool> boolean(const Setting& setting) const;  // true false 1 0 yes no on off
  [[nodiscard]] Result<std::string> choice(const Setting& setting,
                                           std::span<const std::string_view> allowed) const;
  // "NAME=value is not allowed: <why>", with secrets and passwords in URLs blotted out.
  [[nodiscard]] Error refuse(const Setting& setting, std::string_view why) const;

 private:
  struct Entry {
    std::string value;
    Source source;
  };
  std::map<std::string, Entry, std::less<>> entries_;
};

// The text with user:password in a URL replaced by "***"; other text unchanged.
[[nodiscard]] std::string redact_url(std::string_view text);

}  // namespace alphaswarm::config
