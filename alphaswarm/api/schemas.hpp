#pragma once

#include <boost/json/fwd.hpp>
#include <span>
#include <string_view>

namespace alphaswarm::api {

// A named object of requests or replies, in a short notation that people can read:
// fields are "name type about" separated by ";" and a line end.
//   type:  string | integer | number | boolean | time | object | any | one(a,b,c) | Name
//   after it: "[]" for a list, "{}" for an object whose values are of it, "?" for may-be-null
//   name?: the field may be left out (requests); replies always have all their fields.
struct SchemaText {
  std::string_view name;
  std::string_view about;
  std::string_view fields;
};

[[nodiscard]] std::span<const SchemaText> schemas();

// The JSON Schema of a type ("Order[]", "number?"), names as references to #/components/schemas.
[[nodiscard]] boost::json::object schema_of_type(std::string_view type);
// The JSON Schema of the object itself.
[[nodiscard]] boost::json::object schema_of(const SchemaText& text);

}  // namespace alphaswarm::api
