#pragma once

#include <boost/json/object.hpp>
#include <filesystem>

#include "alphaswarm/base/error.hpp"

namespace alphaswarm::cli {

// A YAML file whose top is a map, as JSON: plain scalars become null, booleans and numbers where
// they read as such, quoted ones stay text. JSON is YAML, so JSON files work too.
// Errors name the file and the line.
[[nodiscard]] Result<boost::json::object> load_yaml(const std::filesystem::path& path);

}  // namespace alphaswarm::cli
