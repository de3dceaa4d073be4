#include "alphaswarm/net/detail/client_connection.hpp"

#include <cstring>

namespace alphaswarm::net::detail {
namespace {

constexpr std::size_t kJoinedBody = 16U << 10;  // smaller bodies go out with their head

}  // namespace

task<Result<std::unique_ptr<ClientConnection>>> ClientConnection::open(
    Runtime& runtime, const Url& url, std::shared_ptr<TlsContext> tls, Deadline deadline) {
  auto connection = co_await connect_tcp(runtime, url.host, url.port, deadline);
  if (!connection) co_return std::unexpected(std::move(connection.error()));
  if (tls == nullptr) co_return std::make_unique<ClientConnection>(std::move(*connection));
  auto stream = std::make_unique<TlsStream>(std::move(*connection), tls->new_session(url.host));
  if (auto shaken = co_await stream->handshake(); !shaken) {
    shaken.error().message = url.authority() + ": " + shaken.error().message;
    co_return std::unexpected(std::move(shaken.error()));
  }
  co_return std::make_unique<ClientConnection>(std::move(stream));
}

bool ClientConnection::is_quiet() noexcept {
  return begin_ == end_ && stream_->connection().is_quiet();
}

PeerAddress ClientConnection::peer() noexcept {
  const Endpoint& peer = stream_->connection().peer();
  return {peer.address, peer.port};
}

task<Result<HttpResponse>> ClientConnection::exchange(const Exchange& request) {
  reusable_ = false;
  Connection& connection = stream_->connection();
  connection.socket().set_deadlines(request.deadline);
  const std::uint64_t sent_before = connection.bytes_sent();
  Result<void> written;
  if (request.body.size() <= kJoinedBody) {
    const std::string whole = request.head + request.body;
    written = co_await stream_->write(whole);
  } else {
    written = co_await stream_->write(request.head);
    if (written) written = co_await stream_->write(request.body);
  }
  sent_something_ = connection.bytes_sent() != sent_before;
  // A server may refuse a body and close before it has read all: its answer is there to be read.
  const bool may_have_answered =
      !written && written.error().code == ErrorCode::unavailable && sent_something_;
  if (!written && !may_have_answered) co_return std::unexpected(std::move(written.error()));
  auto response = co_await read_response(request);
  if (!written) reusable_ = false;
  co_return response;
}

task<Result<HttpResponse>> ClientConnection::read_response(const Exchange& request) {
  for (;;) {
    MessageParser parser = MessageParser::response(request.limits, request.method);
    const Result<ParseState> state = co_await read_message(parser, request.limits);
    if (!state) {
      Error error = state.error();
      if (error.code == ErrorCode::unavailable) {
        error.message =
            "the connection broke before the response was complete; the request may "
            "have been processed (" +
            error.message + ")";
      }
      co_return std::unexpected(std::move(error));
    }
    if (*state == ParseState::failed) {
      const ParseFailure& failure = parser.failure();
      const bool too_big = failure.status == 413 || failure.status == 431;
      co_return fail(too_big ? ErrorCode::resource_exhausted : ErrorCode::data_loss,
                     "bad response: " + failure.message);
    }
    MessageHead& head = parser.head();
    if (head.status < 200 && head.status != 101) continue;
    reusable_ = parser.keep_alive() && head.status != 101;
    HttpResponse response;
    response.status = head.status;
    response.headers = std::move(head.headers);
    response.body = std::move(parser.body());
    co_return response;
  }
}

task<Result<ParseState>> ClientConnection::read_message(MessageParser& parser, ParseLimits limits) {
  for (;;) {
    while (begin_ < end_) {
      const ParseStep step = parser.feed({buffer_.data() + begin_, end_ - begin_});
      begin_ += step.consumed;
      if (step.state == ParseState::done || step.state == ParseState::failed) co_return step.state;
      if (step.state == ParseState::need_more) break;
    }
    if (begin_ == end_) begin_ = end_ = 0;
    if (end_ == buffer_.size() && begin_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ == buffer_.size()) {
      // Not consumed: a head, which the parser bounds, or a chunk's, which it does not.
      if (end_ > 2 * limits.head_bytes) {
        co_return fail(ErrorCode::resource_exhausted, "a chunk's header is too big");
      }
      buffer_.resize(buffer_.size() * 2);
    }
    const Result<std::size_t> count = co_await stream_->read_some(std::span(buffer_).subspan(end_));
    if (!count) co_return std::unexpected(count.error());
    if (*count == 0) {
      const ParseState last = parser.started() ? parser.end_of_stream() : ParseState::failed;
      if (last == ParseState::done) co_return last;
      co_return fail(ErrorCode::unavailable, "the peer closed it");
    }
    end_ += *count;
  }
}

}  // namespace alphaswarm::net::detail
