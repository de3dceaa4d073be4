#pragma once

#include <span>
#include <string>

#include "alphaswarm/api/route_table.hpp"

namespace alphaswarm::api {

// The OpenAPI 3.1 document of those operations, with the schemas they name. The dialect of schemas
// is JSON Schema 2020-12 (https://spec.openapis.org/oas/v3.1.0). A WebSocket is a GET that answers
// 101, as OpenAPI has no word for it.
[[nodiscard]] std::string openapi_document(std::span<const Operation> operations,
                                           std::string_view version);

}  // namespace alphaswarm::api
