#include "alphaswarm/collector/config_node.hpp"

#include <charconv>
#include <cstdlib>

#include "alphaswarm/tracestore/filter.hpp"

namespace alphaswarm::collector {

void ConfigNode::fail(const std::string& message) const {
  throw ConfigProblem{node_.Mark().line + 1, path_ + ": " + message};
}

std::string ConfigNode::expand(std::string text) const {
  for (std::size_t at = 0; (at = text.find("${", at)) != std::string::npos;) {
    if (at > 0 && text[at - 1] == '$') {  // "$${" is a plain "${"
      text.erase(at - 1, 1);
      at += 1;
      continue;
    }
    const std::size_t end = text.find('}', at);
    if (end == std::string::npos) fail("'${' without '}' in '" + text + "'");
    std::string name = text.substr(at + 2, end - at - 2);
    if (name.starts_with("env:")) {
      name.erase(0, 4);
    } else if (name.find(':') != std::string::npos && !name.contains(":-")) {
      fail("'${" + name + "}': only ${env:NAME} and ${env:NAME:-default} are understood");
    }
    const std::size_t colon = name.find(":-");
    const std::string otherwise = colon == std::string::npos ? "" : name.substr(colon + 2);
    if (colon != std::string::npos) name.resize(colon);
    const char* value = std::getenv(name.c_str());
    const std::string replacement = value != nullptr && *value != '\0' ? value : otherwise;
    text.replace(at, end - at + 1, replacement);
    at += replacement.size();
  }
  return text;
}

std::string ConfigNode::text() const {
  if (!node_.IsScalar()) fail("a single value is expected");
  return expand(node_.Scalar());
}

bool ConfigNode::flag() const {
  const std::string value = text();
  if (value == "true") return true;
  if (value == "false") return false;
  fail("'" + value + "' is neither true nor false");
}

std::uint64_t ConfigNode::number() const {
  const std::string value = text();
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (code != std::errc() || end != value.data() + value.size()) {
    fail("'" + value + "' is not a whole number");
  }
  return number;
}

double ConfigNode::real() const {
  const std::string value = text();
  double number = 0;
  const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (code != std::errc() || end != value.data() + value.size())
    fail("'" + value + "' is no number");
  return number;
}

std::chrono::nanoseconds ConfigNode::duration() const {
  const auto duration = tracestore::parse_duration(text());
  if (!duration) fail(duration.error().message);
  return std::chrono::nanoseconds(*duration);
}

Endpoint ConfigNode::endpoint() const {
  const std::string value = text();
  const std::size_t colon = value.rfind(':');
  unsigned port = 0;
  const char* const end = value.data() + value.size();
  const char* const digits = colon == std::string::npos ? end : value.data() + colon + 1;
  const auto [last, code] = std::from_chars(digits, end, port);
  if (code != std::errc() || last != end || port > 65'535) {
    fail("'" + value + "' is not an address: host:port is expected");
  }
  std::string host = value.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty()) host = "0.0.0.0";
  if (host == "localhost") host = "127.0.0.1";
  return {.host = std::move(host), .port = static_cast<std::uint16_t>(port)};
}

std::vector<ConfigNode> ConfigNode::items() const {
  std::vector<ConfigNode> all;
  if (is_null()) return all;
  if (node_.IsScalar()) return {*this};
  if (!node_.IsSequence()) fail("a list is expected");
  for (const YAML::Node& item : node_) {
    all.emplace_back(item, path_ + "[" + std::to_string(all.size()) + "]");
  }
  return all;
}

std::vector<ConfigNode::Entry> ConfigNode::entries() const {
  std::vector<Entry> all;
  if (is_null()) return all;
  if (!node_.IsMap()) fail("keys and values are expected");
  std::set<std::string> seen;
  for (const auto& pair : node_) {
    std::string key = pair.first.Scalar();
    const std::string path = path_.empty() ? key : path_ + "::" + key;
    if (!seen.insert(key).second) ConfigNode(pair.first, path).fail("this key is there twice");
    all.push_back({std::move(key), ConfigNode(pair.first, path), ConfigNode(pair.second, path)});
  }
  return all;
}

void ConfigMap::finish() const {
  for (const ConfigNode::Entry& entry : entries_) {
    if (!known_.contains(entry.key)) entry.key_node.fail("unknown key");
  }
}

}  // namespace alphaswarm::collector
