#pragma once

// How every route answers: JSON that is finished, {"detail":"…"} for errors.

#include <string>
#include <string_view>

#include "alphaswarm/api/json_writer.hpp"
#include "alphaswarm/base/error.hpp"
#include "alphaswarm/net/http.hpp"

namespace alphaswarm::api {

// 200 (or `status`) with what was written.
[[nodiscard]] net::HttpResponse reply(JsonWriter json, int status = 200);

// {"detail": sentence}.
[[nodiscard]] net::HttpResponse error_reply(int status, std::string_view sentence);

// The status that fits the code: invalid_argument 400, unauthenticated 401, permission_denied 403,
// not_found 404, already_exists and conflict 409, resource_exhausted 429, unimplemented 501,
// unavailable 503, deadline_exceeded 504, the rest 500.
[[nodiscard]] int status_of(ErrorCode code) noexcept;
[[nodiscard]] net::HttpResponse error_reply(const Error& error);

// 404 "There is no <kind> '<id>'."
[[nodiscard]] net::HttpResponse unknown_reply(std::string_view kind, std::string_view id);

// 202 TaskAccepted: {"task_id","status":"queued","stream_url":"/chat/stream/<id>"}.
[[nodiscard]] net::HttpResponse task_accepted(std::string_view task_id);

}  // namespace alphaswarm::api
