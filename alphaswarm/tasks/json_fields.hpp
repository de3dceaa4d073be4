#pragma once

// Reading JSON that others have written: what is missing, or of another kind, is empty.

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace alphaswarm::tasks::detail {

// Null if there is none, or `value` is no object.
[[nodiscard]] const boost::json::value* at(const boost::json::value& value, std::string_view name);
[[nodiscard]] std::string text_at(const boost::json::object& object, std::string_view name);
[[nodiscard]] std::string text_at(const boost::json::value& value, std::string_view name);

}  // namespace alphaswarm::tasks::detail
