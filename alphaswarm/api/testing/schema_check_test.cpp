#include "alphaswarm/api/testing/schema_check.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "alphaswarm/api/schemas.hpp"
#include "alphaswarm/base/time.hpp"

namespace alphaswarm::api::testing {

namespace json = boost::json;

namespace {

std::string check(const json::value& value, const json::object& schema, const std::string& at);

bool is_of(const json::value& value, std::string_view type) {
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_int64() || value.is_uint64();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_bool();
  if (type == "null") return value.is_null();
  if (type == "array") return value.is_array();
  return type == "object" && value.is_object();
}

bool is_of_any(const json::value& value, const json::value& type) {
  if (const json::string* one = type.if_string()) return is_of(value, *one);
  return std::ranges::any_of(
      type.as_array(), [&](const json::value& each) { return is_of(value, each.as_string()); });
}

json::object named_schema(std::string_view name) {
  for (const SchemaText& text : schemas()) {
    if (text.name == name) return schema_of(text);
  }
  return {{"type", "there is no schema of that name"}};
}

std::string check_object(const json::object& value, const json::object& schema,
                         const std::string& at) {
  if (const json::value* each = schema.if_contains("additionalProperties")) {
    for (const auto& entry : value) {
      std::string wrong =
          check(entry.value(), each->as_object(), at + "." + std::string(entry.key()));
      if (!wrong.empty()) return wrong;
    }
    return {};
  }
  const json::value* properties = schema.if_contains("properties");
  if (properties == nullptr) return {};  // any object
  for (const auto& entry : value) {
    const std::string place = at + "." + std::string(entry.key());
    const json::value* known = properties->as_object().if_contains(entry.key());
    if (known == nullptr) return place + " is not in the schema";
    if (std::string wrong = check(entry.value(), known->as_object(), place); !wrong.empty()) {
      return wrong;
    }
  }
  const json::value* required = schema.if_contains("required");
  if (required == nullptr) return {};
  for (const json::value& name : required->as_array()) {
    if (!value.contains(name.as_string())) {
      return at + "." + std::string(name.as_string()) + " is missing";
    }
  }
  return {};
}

std::string check_any_of(const json::value& value, const json::array& schemas_of,
                         const std::string& at) {
  std::string wrong;
  for (const json::value& each : schemas_of) {
    const std::string now = check(value, each.as_object(), at);
    if (now.empty()) return {};
    if (wrong.empty()) wrong = now;
  }
  return wrong;
}

std::string check(const json::value& value, const json::object& schema, const std::string& at) {
  const auto told = [&](const std::string& wanted) {
    return at + " is " + json::serialize(value).substr(0, 80) + ", not " + wanted;
  };
  if (const json::value* reference = schema.if_contains("$ref")) {
    constexpr std::string_view kPrefix = "#/components/schemas/";
    const std::string_view path = reference->as_string();
    return check(value, named_schema(path.substr(kPrefix.size())), at);
  }
  if (const json::value* any_of = schema.if_contains("anyOf")) {
    return check_any_of(value, any_of->as_array(), at);
  }
  const json::value* type = schema.if_contains("type");
  if (type != nullptr && !is_of_any(value, *type)) return told(json::serialize(*type));
  if (const json::value* words = schema.if_contains("enum")) {
    if (std::ranges::find(words->as_array(), value) == words->as_array().end()) {
      return told("one of " + json::serialize(*words));
    }
  }
  if (schema.contains("format") && value.is_string() && !from_rfc3339(value.as_string())) {
    return told("an RFC 3339 time");
  }
  if (const json::array* array = value.if_array(); array != nullptr && schema.contains("items")) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      std::string wrong =
          check((*array)[i], schema.at("items").as_object(), at + "[" + std::to_string(i) + "]");
      if (!wrong.empty()) return wrong;
    }
  }
  return value.is_object() ? check_object(value.get_object(), schema, at) : std::string();
}

TEST(SchemaCheck, FindsWhatDiffers) {
  const auto wrong = [](std::string_view text, std::string_view type) {
    return mismatch(json::parse(text), type);
  };
  EXPECT_EQ(wrong(R"({"detail":"x"})", "ErrorDetail"), "");
  EXPECT_EQ(wrong(R"({"detail":1})", "ErrorDetail"), R"($.detail is 1, not "string")");
  EXPECT_EQ(wrong(R"({})", "ErrorDetail"), "$.detail is missing");
  EXPECT_EQ(wrong(R"({"detail":"x","more":1})", "ErrorDetail"), "$.more is not in the schema");
  EXPECT_EQ(wrong(R"([{"timestamp":"now","value":1}])", "CurvePoint[]"),
            R"($[0].timestamp is "now", not an RFC 3339 time)");
  EXPECT_NE(wrong(R"({})", "NoSuchThing"), "");
}

}  // namespace

std::string mismatch(const json::value& reply, std::string_view type) {
  return check(reply, schema_of_type(type), "$");
}

}  // namespace alphaswarm::api::testing
