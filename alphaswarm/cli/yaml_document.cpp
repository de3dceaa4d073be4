#include "alphaswarm/cli/yaml_document.hpp"

#include <yaml-cpp/yaml.h>

#include <boost/json.hpp>
#include <charconv>
#include <string>

namespace alphaswarm::cli {
namespace {

namespace json = boost::json;

constexpr int kMaxDepth = 32;

json::value scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return json::string(text);  // was quoted
  if (text == "true") return true;
  if (text == "false") return false;
  if (text.empty() || text == "null" || text == "~") return nullptr;
  const char* end = text.data() + text.size();
  std::int64_t whole = 0;
  if (const auto [stop, error] = std::from_chars(text.data(), end, whole);
      error == std::errc{} && stop == end) {
    return whole;
  }
  double number = 0;
  if (const auto [stop, error] = std::from_chars(text.data(), end, number);
      error == std::errc{} && stop == end) {
    return number;
  }
  return json::string(text);
}

json::value convert(const YAML::Node& node, int depth) {
  if (depth > kMaxDepth) throw YAML::Exception(node.Mark(), "nested too deeply");
  switch (node.Type()) {
    case YAML::NodeType::Map: {
      json::object object;
      for (const auto& entry : node) {
        const std::string& key = entry.first.Scalar();
        if (object.contains(key)) {
          throw YAML::Exception(entry.first.Mark(), "the key '" + key + "' stands there twice");
        }
        object[key] = convert(entry.second, depth + 1);
      }
      return object;
    }
    case YAML::NodeType::Sequence: {
      json::array array;
      for (const auto& entry : node) array.push_back(convert(entry, depth + 1));
      return array;
    }
    case YAML::NodeType::Scalar:
      return scalar(node);
    default:
      return nullptr;
  }
}

}  // namespace

Result<json::object> load_yaml(const std::filesystem::path& path) {
  try {
    json::value value = convert(YAML::LoadFile(path.string()), 0);
    if (!value.is_object()) {
      return fail(ErrorCode::invalid_argument,
                  path.string() + ": the top must be a map of sections");
    }
    return std::move(value.as_object());
  } catch (const YAML::BadFile&) {
    return fail(ErrorCode::not_found, path.string() + " cannot be read");
  } catch (const YAML::Exception& error) {
    return fail(ErrorCode::invalid_argument,
                path.string() + ":" + std::to_string(error.mark.line + 1) + ": " + error.msg);
  }
}

}  // namespace alphaswarm::cli
