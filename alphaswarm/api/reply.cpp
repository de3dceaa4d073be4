#include "alphaswarm/api/reply.hpp"

#include <utility>

namespace alphaswarm::api {

net::HttpResponse reply(JsonWriter json, int status) {
  return net::HttpResponse::json(status, json.take());
}

net::HttpResponse error_reply(int status, std::string_view sentence) {
  return net::HttpResponse::detail(status, sentence);
}

int status_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::invalid_argument:
      return 400;
    case ErrorCode::unauthenticated:
      return 401;
    case ErrorCode::permission_denied:
      return 403;
    case ErrorCode::not_found:
      return 404;
    case ErrorCode::already_exists:
    case ErrorCode::conflict:
      return 409;
    case ErrorCode::resource_exhausted:
      return 429;
    case ErrorCode::unimplemented:
      return 501;
    case ErrorCode::unavailable:
      return 503;
    case ErrorCode::deadline_exceeded:
      return 504;
    case ErrorCode::cancelled:
    case ErrorCode::data_loss:
    case ErrorCode::internal:
      return 500;
  }
  return 500;
}

net::HttpResponse error_reply(const Error& error) {
  return error_reply(status_of(error.code), error.message);
}

net::HttpResponse unknown_reply(std::string_view kind, std::string_view id) {
  return error_reply(
      404, "There is no " + std::string(kind) + " '" + std::string(id.substr(0, 100)) + "'.");
}

net::HttpResponse task_accepted(std::string_view task_id) {
  JsonWriter json;
  json.begin_object()
      .field("task_id", task_id)
      .field("status", "queued")
      .field("stream_url", "/chat/stream/" + std::string(task_id))
      .end_object();
  return reply(std::move(json), 202);
}

}  // namespace alphaswarm::api
