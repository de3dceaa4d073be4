#pragma once

// What must not reach a span: credentials in URLs.

#include <string>
#include <string_view>

namespace alphaswarm::instrumentation {

// True for the name of a query parameter whose value is a secret: api_key, token, password,
// signature and their kin, in any case, with any separators, percent-encoded or not. Rather one
// too many than one too few.
[[nodiscard]] bool is_sensitive_key(std::string_view name);

// The query (without "?") with the values of sensitive keys replaced by "REDACTED".
[[nodiscard]] std::string redact_query(std::string_view query);

// The URL with its user info replaced by "REDACTED:REDACTED", its query redacted and its fragment
// removed. Works on malformed URLs too.
[[nodiscard]] std::string redact_url(std::string_view url);

}  // namespace alphaswarm::instrumentation
