#include "alphaswarm/config/environment.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <utility>

extern char** environ;

namespace alphaswarm::config {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

bool is_name(std::string_view text) {
  const auto word = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && (text[0] < '0' || text[0] > '9') && std::ranges::all_of(text, word);
}

// 'quoted', "quoted" or bare up to " #"; nullopt where a quote is not closed.
std::optional<std::string> unquoted(std::string_view value) {
  if (value.empty() || (value[0] != '"' && value[0] != '\'')) {
    return std::string(trimmed(value.substr(0, value.find(" #"))));
  }
  const std::size_t end = value.find(value[0], 1);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view rest = trimmed(value.substr(end + 1));
  if (!rest.empty() && rest[0] != '#') return std::nullopt;
  return std::string(value.substr(1, end - 1));
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// Shortest text that reads as the same number: "1", "0.5".
std::string shortest(double value) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  return error == std::errc{} ? std::string(text, end) : std::string("?");
}

}  // namespace

Result<Environment> Environment::load(const std::filesystem::path& dotenv) {
  Environment result;
  std::error_code ignored;
  if (std::filesystem::exists(dotenv, ignored)) {
    std::ifstream file(dotenv);
    if (!file) return fail(ErrorCode::permission_denied, dotenv.string() + " cannot be read");
    std::string line;
    for (int number = 1; std::getline(file, line); ++number) {
      std::string_view text = trimmed(line);
      if (text.empty() || text[0] == '#') continue;
      if (text.starts_with("export ")) text = trimmed(text.substr(7));
      const std::size_t equals = text.find('=');
      const std::string_view name = trimmed(text.substr(0, equals));
      const auto value = equals == std::string_view::npos
                             ? std::nullopt
                             : unquoted(trimmed(text.substr(equals + 1)));
      if (!is_name(name) || !value) {
        return fail(ErrorCode::invalid_argument, dotenv.string() + ":" + std::to_string(number) +
                                                     ": a line must read NAME=value");
      }
      result.entries_.insert_or_assign(std::string(name), Entry{*value, Source::dotenv});
    }
  }
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    result.entries_.insert_or_assign(
        std::string(text.substr(0, equals)),
        Entry{std::string(text.substr(equals + 1)), Source::environment});
  }
  return result;
}

Environment Environment::from_values(std::map<std::string, std::string> values) {
  Environment result;
  for (auto& [name, value] : values) {
    result.entries_.emplace(name, Entry{std::move(value), Source::environment});
  }
  return result;
}

std::optional<std::string_view> Environment::find(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end() || found->second.value.empty()) return std::nullopt;
  return found->second.value;
}

Source Environment::source(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end() || found->second.value.empty()) return Source::default_value;
  return found->second.source;
}

std::string Environment::text(const Setting& setting) const {
  return std::string(find(setting.name).value_or(setting.default_value));
}

Result<std::int64_t> Environment::integer(const Setting& setting, std::int64_t least,
                                          std::int64_t most) const {
  const std::string value = text(setting);
  const std::string_view digits = trimmed(value);
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || error != std::errc{} || stop != digits.data() + digits.size() ||
      number < least || number > most) {
    return std::unexpected(refuse(
        setting,
        "it must be a whole number from " + std::to_string(least) + " to " + std::to_string(most)));
  }
  return number;
}

Result<double> Environment::number(const Setting& setting, double least, double most) const {
  const std::string value = text(setting);
  const std::string_view digits = trimmed(value);
  double number = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || error != std::errc{} || stop != digits.data() + digits.size() ||
      !(number >= least && number <= most)) {
    return std::unexpected(
        refuse(setting, "it must be a number from " + shortest(least) + " to " + shortest(most)));
  }
  return number;
}

Result<bool> Environment::boolean(const Setting& setting) const {
  const std::string value = lower(trimmed(text(setting)));
  for (const std::string_view yes : {"true", "1", "yes", "on"}) {
    if (value == yes) return true;
  }
  for (const std::string_view no : {"false", "0", "no", "off"}) {
    if (value == no) return false;
  }
  return std::unexpected(refuse(setting, "it must be true or false"));
}

Result<std::string> Environment::choice(const Setting& setting,
                                        std::span<const std::string_view> allowed) const {
  std::string value = lower(trimmed(text(setting)));
  if (std::ranges::find(allowed, value) != allowed.end()) return value;
  std::string list;
  for (const std::string_view one : allowed) {
    if (!list.empty()) list += ", ";
    list += one;
  }
  return std::unexpected(refuse(setting, "it must be one of " + list));
}

Error Environment::refuse(const Setting& setting, std::string_view why) const {
  const std::string value = setting.secret ? "***" : redact_url(text(setting));
  return {ErrorCode::invalid_argument,
          std::string(setting.name) + "=" + value + " is not allowed: " + std::string(why)};
}

std::string redact_url(std::string_view text) {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return std::string(text);
  const std::size_t host = scheme + 3;
  const std::size_t end = std::min(text.find_first_of("/?#", host), text.size());
  const std::size_t at = text.substr(0, end).rfind('@');
  if (at == std::string_view::npos || at < host) return std::string(text);
  return std::string(text.substr(0, host)) + "***" + std::string(text.substr(at));
}

}  // namespace alphaswarm::config
