#pragma once

// Reading YAML with errors that say where: every problem names the file, the line and the key.

#include <yaml-cpp/yaml.h>

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/collector/config.hpp"

namespace alphaswarm::collector {

// Thrown within the reader only; parse_config catches it.
struct ConfigProblem {
  int line;  // from 1; 0: unknown
  std::string message;
};

// A value of the file. `path` is what messages call it, e.g. "processors::batch::timeout".
class ConfigNode {
 public:
  ConfigNode(YAML::Node node, std::string path) : node_(std::move(node)), path_(std::move(path)) {}

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] bool is_null() const { return !node_.IsDefined() || node_.IsNull(); }
  [[noreturn]] void fail(const std::string& message) const;

  // Scalars, with ${env:NAME} and ${env:NAME:-default} replaced.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool flag() const;
  [[nodiscard]] std::uint64_t number() const;
  [[nodiscard]] double real() const;
  [[nodiscard]] std::chrono::nanoseconds duration() const;  // "200ms", "1m30s"
  [[nodiscard]] Endpoint endpoint() const;                  // "host:port", ":port"
  // A list, or one scalar for a list of one.
  [[nodiscard]] std::vector<ConfigNode> items() const;

  struct Entry;
  [[nodiscard]] std::vector<Entry> entries() const;  // of a map; none if null

 private:
  [[nodiscard]] std::string expand(std::string text) const;

  YAML::Node node_;
  std::string path_;
};

struct ConfigNode::Entry {
  std::string key;
  ConfigNode key_node;
  ConfigNode value;
};

// A map whose keys are all known: what nobody asked for by finish() is an error.
class ConfigMap {
 public:
  explicit ConfigMap(const ConfigNode& node) : path_(node.path()), entries_(node.entries()) {}

  // Calls read(value) if the key is there (null values count as not there).
  template <class Read>
  bool take(std::string_view key, Read read) {
    for (const ConfigNode::Entry& entry : entries_) {
      if (entry.key != key) continue;
      known_.insert(entry.key);
      if (entry.value.is_null()) return false;
      read(entry.value);
      return true;
    }
    return false;
  }
  void text(std::string_view key, std::string& out) {
    take(key, [&](const ConfigNode& node) { out = node.text(); });
  }
  void flag(std::string_view key, bool& out) {
    take(key, [&](const ConfigNode& node) { out = node.flag(); });
  }
  template <class T>
  void number(std::string_view key, T& out) {
    take(key, [&](const ConfigNode& node) { out = static_cast<T>(node.number()); });
  }
  template <class Duration>
  void duration(std::string_view key, Duration& out) {
    take(key, [&](const ConfigNode& node) {
      out = std::chrono::duration_cast<Duration>(node.duration());
    });
  }
  void finish() const;

 private:
  std::string path_;
  std::vector<ConfigNode::Entry> entries_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace alphaswarm::collector
