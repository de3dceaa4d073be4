#include "alphaswarm/net/detail/server_connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/base/task_local.hpp"
#include "alphaswarm/net/detail/websocket_impl.hpp"

namespace alphaswarm::net::detail {
namespace {

constexpr std::size_t kFirstBuffer = 8U << 10;
constexpr std::size_t kBodyBuffer = 64U << 10;
constexpr std::size_t kJoinedBody = 16U << 10;  // smaller bodies go out with their head
constexpr std::chrono::seconds kLinger{2};

Deadline after(std::chrono::milliseconds limit) { return std::chrono::steady_clock::now() + limit; }

bool wants_websocket(const HttpRequest& request) {
  const auto upgrade = request.headers.get("Upgrade");
  const auto connection = request.headers.get("Connection");
  return upgrade && connection && has_token(*upgrade, "websocket") &&
         has_token(*connection, "upgrade");
}

// Why the upgrade cannot be done; nullopt if it can (RFC 6455 §4.2.1).
std::optional<HttpResponse> upgrade_refusal(const HttpRequest& request) {
  if (request.headers.get("Sec-WebSocket-Version").value_or("") != "13") {
    HttpResponse response = HttpResponse::detail(426, "WebSocket version 13 is needed");
    response.headers.add("Sec-WebSocket-Version", "13");
    return response;
  }
  if (request.method != "GET" || request.http_version != 11 ||
      !is_websocket_key(request.headers.get("Sec-WebSocket-Key").value_or(""))) {
    return HttpResponse::detail(400, "this is not a valid WebSocket upgrade");
  }
  return std::nullopt;
}

HttpResponse without_handler(const HttpRequest& request, const RouteMatch& match) {
  switch (match.kind) {
    case RouteMatch::Kind::bad_path:
      return HttpResponse::detail(400, "the path has a malformed percent-encoding");
    case RouteMatch::Kind::wrong_method: {
      if (match.websocket != nullptr && request.method == "GET") {
        HttpResponse response = HttpResponse::detail(426, "this is a WebSocket: upgrade");
        response.headers.add("Upgrade", "websocket");
        return response;
      }
      const bool options = request.method == "OPTIONS";
      HttpResponse response;
      response.status = 204;
      if (!options) {
        response = HttpResponse::detail(405, "method " + request.method + " is not allowed here");
      }
      response.headers.add("Allow", match.allow);
      return response;
    }
    default:
      return HttpResponse::detail(404, "there is nothing at " + request.path);
  }
}

}  // namespace

ServerConnection::ServerConnection(std::shared_ptr<ServerCore> core,
                                   std::unique_ptr<Connection> connection, std::stop_source stop)
    : core_(std::move(core)),
      connection_(std::move(connection)),
      stop_(std::move(stop)),
      buffer_(kFirstBuffer) {}

ServerConnection::~ServerConnection() { core_->leave(*this); }

// Idle is announced before draining is looked at, and draining set before idle is looked at: one
// of the two sides sees the other.
bool ServerConnection::become_idle() noexcept {
  phase_.store(Phase::idle);
  return !core_->draining();
}

bool ServerConnection::become_busy() noexcept {
  Phase expected = Phase::idle;
  return phase_.compare_exchange_strong(expected, Phase::busy);
}

void ServerConnection::retire() noexcept {
  Phase expected = Phase::idle;
  if (phase_.compare_exchange_strong(expected, Phase::retired)) connection_->socket().shut_down();
}

void ServerConnection::abort() noexcept { connection_->socket().shut_down(); }

task<void> ServerConnection::run() {
  if (!core_->enter(*this)) {
    if (core_->draining()) co_return;
    core_->refused.add();
    co_await refuse(503, "too many connections");
    co_return;
  }
  while (co_await serve_one()) {
  }
}

task<Result<std::size_t>> ServerConnection::fill() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == buffer_.size()) {
    if (begin_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    } else {
      buffer_.resize(buffer_.size() * 2);  // bounded: see read_head() and read_body()
    }
  }
  auto count = co_await connection_->read_some(std::span(buffer_).subspan(end_));
  if (count) end_ += *count;
  co_return count;
}

task<ServerConnection::Read> ServerConnection::read_head(MessageParser& parser) {
  Socket& socket = connection_->socket();
  if (begin_ == end_) {
    if (!become_idle()) co_return Read::gone;
    socket.set_deadline(Direction::read, after(core_->config.idle_timeout));
    const Result<std::size_t> count = co_await fill();
    if (!become_busy() || !count || *count == 0) co_return Read::gone;
  }
  socket.set_deadline(Direction::read, after(core_->config.head_timeout));
  for (;;) {
    const ParseStep step = parser.feed({buffer_.data() + begin_, end_ - begin_});
    begin_ += step.consumed;
    if (step.state == ParseState::failed) {
      co_await refuse(parser.failure().status, parser.failure().message);
      co_return Read::refused;
    }
    if (step.state != ParseState::need_more) co_return Read::request;
    const Result<std::size_t> count = co_await fill();
    if (count && *count > 0) continue;
    if (!count && count.error().code == ErrorCode::deadline_exceeded) {
      co_await refuse(408, "the request's header did not come in time");
    }
    co_return Read::refused;
  }
}

task<ServerConnection::Read> ServerConnection::read_body(MessageParser& parser) {
  if (parser.is_done()) co_return Read::request;
  Socket& socket = connection_->socket();
  socket.set_deadline(Direction::read, after(core_->config.body_timeout));
  const auto expect = parser.head().headers.get("Expect");
  if (expect && equal_ignoring_case(*expect, "100-continue") && begin_ == end_) {
    socket.set_deadline(Direction::write, after(core_->config.write_timeout));
    if (!co_await connection_->write("HTTP/1.1 100 Continue\r\n\r\n")) co_return Read::gone;
  }
  for (;;) {
    if (begin_ < end_) {
      const ParseStep step = parser.feed({buffer_.data() + begin_, end_ - begin_});
      begin_ += step.consumed;
      if (step.state == ParseState::done) co_return Read::request;
      if (step.state == ParseState::failed) {
        co_await refuse(parser.failure().status, parser.failure().message);
        co_return Read::refused;
      }
    }
    // What is not consumed is a chunk's head, or trailers: the parser sets them no bound.
    if (end_ - begin_ > core_->config.max_header_bytes) {
      co_await refuse(431, "a chunk's header is too big");
      co_return Read::refused;
    }
    if (buffer_.size() < kBodyBuffer) buffer_.resize(kBodyBuffer);
    const Result<std::size_t> count = co_await fill();
    if (count && *count > 0) continue;
    if (!count && count.error().code == ErrorCode::deadline_exceeded) {
      co_await refuse(408, "the request's body did not come in time");
    }
    co_return Read::refused;
  }
}

HttpRequest ServerConnection::make_request(MessageParser& parser) {
  MessageHead& head = parser.head();
  HttpRequest request;
  request.method = std::move(head.method);
  request.target = std::move(head.target);
  request.headers = std::move(head.headers);
  request.body = std::move(parser.body());
  request.http_version = head.version;
  request.peer_address = connection_->peer().address;
  request.peer_port = connection_->peer().port;
  request.server_address = core_->address;
  request.server_port = core_->port;
  std::string_view target = request.target;
  if (const std::size_t scheme = target.find("://");
      scheme != std::string_view::npos && !target.starts_with('/')) {
    // Absolute form (RFC 9112 §3.2.2): the authority goes.
    const std::size_t path = target.find_first_of("/?", scheme + 3);
    target = path == std::string_view::npos ? std::string_view("/") : target.substr(path);
  }
  const std::size_t mark = std::min(target.find('?'), target.size());
  request.path = target.substr(0, mark);
  request.query = target.substr(std::min(mark + 1, target.size()));
  if (request.path.empty()) request.path = "/";
  return request;
}

task<bool> ServerConnection::serve_one() {
  // Nothing of an earlier request, or of who started the server, is this request's parent.
  current_task_slot() = TaskSlot{};
  MessageParser parser =
      MessageParser::request({core_->config.max_header_bytes, core_->config.max_body_bytes});
  if (co_await read_head(parser) != Read::request) co_return false;
  version_ = parser.head().version;
  if (co_await read_body(parser) != Read::request) co_return false;
  keep_alive_ = parser.keep_alive();
  HttpRequest request = make_request(parser);
  const bool websocket = wants_websocket(request);
  RouteMatch match = core_->routes->match(request.method, request.path, websocket);
  request.route = match.path_template;
  request.path_params = std::move(match.params);
  core_->requests.add();
  if (match.kind == RouteMatch::Kind::websocket && !upgrade_refusal(request)) {
    co_await upgrade(request, match);
    co_return false;
  }
  co_return co_await respond(request, match);
}

task<HttpResponse> ServerConnection::call(const HttpRequest& request, const RouteMatch& match,
                                          std::optional<Error>& error) {
  if (match.kind == RouteMatch::Kind::websocket) co_return *upgrade_refusal(request);
  if (match.kind != RouteMatch::Kind::route) co_return without_handler(request, match);
  try {
    co_return co_await match.route->handler(request);
  } catch (const std::exception& exception) {
    error = Error{ErrorCode::internal, exception.what()};
  } catch (...) {
    error = Error{ErrorCode::internal, "an exception of unknown type"};
  }
  log_error("http", request.method + " " + std::string(request.route) +
                        ": the handler threw: " + error->message);
  co_return HttpResponse::detail(500, "internal error");
}

task<bool> ServerConnection::respond(const HttpRequest& request, const RouteMatch& match) {
  HttpServerObserver* const observer = core_->config.observer;
  const ObserverToken token =
      observer != nullptr ? observer->started(request, observer_notes_) : ObserverToken{};
  std::optional<Error> error;
  HttpResponse response = co_await call(request, match, error);
  if (observer != nullptr) observer->responding(token, request, response, observer_fields_);
  const auto connection = response.headers.get("Connection");
  const bool keep_alive =
      keep_alive_ && !core_->draining() && !(connection && has_token(*connection, "close"));
  const Result<void> written = co_await write(response, keep_alive, request.method == "HEAD");
  if (!written && !error) error = written.error();
  if (observer != nullptr) {
    observer->finished(token, written ? response.status : 0, error ? &*error : nullptr);
  }
  co_return written&& keep_alive;
}

task<Result<void>> ServerConnection::write(const HttpResponse& response, bool keep_alive,
                                           bool head_only) {
  const bool bodiless = response.status < 200 || response.status == 204 || response.status == 304;
  out_.clear();
  append_response_head(out_, response,
                       {.version = version_,
                        .keep_alive = keep_alive,
                        .with_length = !bodiless,
                        .more_fields = observer_fields_});
  observer_fields_.clear();
  std::string_view body = bodiless || head_only ? std::string_view() : response.body;
  if (body.size() <= kJoinedBody) {
    out_ += body;
    body = {};
  }
  connection_->socket().set_deadline(Direction::write, after(core_->config.write_timeout));
  Result<void> written = co_await connection_->write(out_);
  if (written && !body.empty()) written = co_await connection_->write(body);
  co_return written;
}

task<void> ServerConnection::refuse(int status, std::string_view message) {
  if (status != 503) core_->broken.add();
  const HttpResponse response = HttpResponse::detail(status, message);
  if (co_await write(response, false, false)) co_await linger();
}

// Closing while bytes of the client are unread resets the connection, and the client may lose our
// response. So: end our side, then read on for a while.
task<void> ServerConnection::linger() {
  ::shutdown(connection_->socket().descriptor(), SHUT_WR);
  connection_->socket().set_deadline(Direction::read, after(kLinger));
  for (;;) {
    const Result<std::size_t> count = co_await connection_->read_some(std::span(buffer_));
    if (!count || *count == 0) co_return;
  }
}

task<void> ServerConnection::upgrade(const HttpRequest& request, const RouteMatch& match) {
  HttpServerObserver* const observer = core_->config.observer;
  const ObserverToken token =
      observer != nullptr ? observer->started(request, observer_notes_) : ObserverToken{};
  HttpResponse response;
  response.status = 101;
  response.headers.add("Upgrade", "websocket");
  response.headers.add("Sec-WebSocket-Accept",
                       accept_key(*request.headers.get("Sec-WebSocket-Key")));
  if (observer != nullptr) observer->responding(token, request, response, observer_fields_);
  std::optional<Error> error;
  const Result<void> written = co_await write(response, true, false);
  if (written) {
    const HttpServerConfig& config = core_->config;
    std::string early(buffer_.data() + begin_, end_ - begin_);
    WebSocketLimits limits{config.max_websocket_message_bytes, config.websocket_ping_interval,
                           config.write_timeout};
    auto impl = std::make_unique<WebSocketImpl>(*connection_, WebSocketRole::server, limits,
                                                std::move(early));
    WebSocket socket(std::move(impl));
    phase_.store(Phase::websocket);
    if (core_->draining()) stop_.request_stop();
    try {
      co_await match.websocket->handler(request, socket);
    } catch (const std::exception& exception) {
      error = Error{ErrorCode::internal, exception.what()};
      log_error("http", "WebSocket " + std::string(request.route) +
                            ": the handler threw: " + error->message);
    }
    const bool stopping = stop_.stop_requested();
    co_await socket.close(error ? 1011 : stopping ? 1001 : 1000);
  } else {
    error = written.error();
  }
  if (observer != nullptr) {
    observer->finished(token, written ? 101 : 0, error ? &*error : nullptr);
  }
}

}  // namespace alphaswarm::net::detail
