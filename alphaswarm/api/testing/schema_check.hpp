#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>

namespace alphaswarm::api::testing {

// What is wrong with `reply` as a value of `type` (as in schemas.cpp), by the schemas that the
// service publishes; empty if nothing. Stricter than JSON Schema: fields that the schema does not
// name are wrong too, so that the document tells all there is.
[[nodiscard]] std::string mismatch(const boost::json::value& reply, std::string_view type);

}  // namespace alphaswarm::api::testing
