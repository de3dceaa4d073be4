#include "alphaswarm/tasks/json_fields.hpp"

namespace alphaswarm::tasks::detail {

namespace json = boost::json;

const json::value* at(const json::value& value, std::string_view name) {
  const json::object* object = value.if_object();
  return object == nullptr ? nullptr : object->if_contains(name);
}

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

std::string text_at(const json::value& value, std::string_view name) {
  const json::object* object = value.if_object();
  return object == nullptr ? std::string() : text_at(*object, name);
}

}  // namespace alphaswarm::tasks::detail
