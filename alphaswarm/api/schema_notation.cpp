#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "alphaswarm/api/schemas.hpp"

namespace alphaswarm::api {

namespace json = boost::json;

namespace {

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \n");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \n") - first + 1);
}

// The text up to the next `separator`; `rest` becomes what follows it.
std::string_view split(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view head = rest.substr(0, at);
  rest = at == rest.npos ? std::string_view() : rest.substr(at + 1);
  return head;
}

json::object one_of(std::string_view words) {
  json::array values;
  while (!words.empty()) values.emplace_back(split(words, ','));
  return {{"type", "string"}, {"enum", std::move(values)}};
}

json::object nullable(json::object schema) {
  if (schema.contains("type") && !schema.contains("enum")) {
    schema["type"] = json::array{schema["type"], "null"};
    return schema;
  }
  return {{"anyOf", json::array{std::move(schema), json::object{{"type", "null"}}}}};
}

}  // namespace

json::object schema_of_type(std::string_view type) {
  if (type.ends_with('?')) return nullable(schema_of_type(type.substr(0, type.size() - 1)));
  if (type.ends_with("[]")) {
    return {{"type", "array"}, {"items", schema_of_type(type.substr(0, type.size() - 2))}};
  }
  if (type.ends_with("{}")) {
    return {{"type", "object"},
            {"additionalProperties", schema_of_type(type.substr(0, type.size() - 2))}};
  }
  if (type.starts_with("one(")) return one_of(type.substr(4, type.size() - 5));
  if (type == "time") return {{"type", "string"}, {"format", "date-time"}};
  if (type == "any") return {};
  if (type.front() >= 'A' && type.front() <= 'Z') {
    return {{"$ref", "#/components/schemas/" + std::string(type)}};
  }
  return {{"type", type}};
}

json::object schema_of(const SchemaText& text) {
  json::object properties;
  json::array required;
  std::string_view rest = text.fields;
  while (!trim(rest).empty()) {
    std::string_view field = trim(split(rest, ';'));
    std::string_view name = split(field, ' ');
    field = trim(field);
    const std::string_view type = split(field, ' ');
    const bool optional = name.ends_with('?');
    if (optional) name.remove_suffix(1);
    json::object schema = schema_of_type(type);
    if (!trim(field).empty()) schema["description"] = trim(field);
    properties[name] = std::move(schema);
    if (!optional) required.emplace_back(name);
  }
  json::object schema{
      {"type", "object"}, {"description", text.about}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

}  // namespace alphaswarm::api
