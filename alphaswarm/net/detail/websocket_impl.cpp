#include "alphaswarm/net/detail/websocket_impl.hpp"

#include <array>

namespace alphaswarm::net::detail {
namespace {

constexpr std::chrono::seconds kCloseLimit{1};  // for the peer's answer to our close frame

std::unexpected<Error> gone() {
  return fail(ErrorCode::unavailable, "WebSocket: the connection is closed");
}

std::string close_payload(std::uint16_t code, std::string_view reason) {
  if (code == 1005) return {};
  std::string out;
  out += static_cast<char>(code >> 8);
  out += static_cast<char>(code & 0xFFU);
  out += reason.substr(0, 123);  // a control frame holds 125 bytes
  return out;
}

}  // namespace

task<Result<void>> WebSocketImpl::send(Opcode opcode, std::string payload) {
  const auto guard = co_await send_mutex_.lock();
  if (!guard) co_return std::unexpected(guard.error());
  if (broken_ || sent_close_) co_return gone();
  const bool client = role_ == WebSocketRole::client;
  const std::array<unsigned char, 4> mask = client ? new_mask() : std::array<unsigned char, 4>{};
  const std::string frame = make_frame(opcode, payload, client ? &mask : nullptr);
  if (opcode == Opcode::close) sent_close_ = true;
  Connection& connection = stream_.connection();
  connection.socket().set_deadline(Direction::write,
                                   std::chrono::steady_clock::now() + limits_.write_timeout);
  auto written = co_await stream_.write(frame);
  if (!written) broken_ = true;
  co_return written;
}

task<Result<void>> WebSocketImpl::fill() {
  Socket& socket = stream_.connection().socket();
  std::array<char, 16384> chunk;  // NOLINT: filled by the read
  for (;;) {
    socket.set_deadline(Direction::read, std::chrono::steady_clock::now() + limits_.ping_interval);
    const Result<std::size_t> count = co_await stream_.read_some(chunk);
    if (count && *count == 0) co_return gone();
    if (count) {
      buffer_.append(chunk.data(), *count);
      awaits_pong_ = false;
      co_return Result<void>();
    }
    if (count.error().code != ErrorCode::deadline_exceeded) {
      co_return std::unexpected(count.error());
    }
    if (awaits_pong_) {
      co_return fail(ErrorCode::unavailable, "WebSocket: the peer does not answer pings");
    }
    awaits_pong_ = true;
    if (auto sent = co_await send(Opcode::ping, "alive?"); !sent) co_return sent;
  }
}

task<Result<WebSocketImpl::Frame>> WebSocketImpl::next_frame() {
  for (;;) {
    const Result<FrameHead> head = parse_frame_head(buffer_);
    if (!head) co_return std::unexpected(co_await refuse(head.error(), 1002));
    if (head->head_bytes > 0) {
      if (head->masked != (role_ == WebSocketRole::server)) {
        Error error{ErrorCode::invalid_argument, "WebSocket: clients mask, servers do not"};
        co_return std::unexpected(co_await refuse(std::move(error), 1002));
      }
      if (head->payload_bytes > limits_.message_bytes) {
        Error error{ErrorCode::invalid_argument, "WebSocket: the message is too big"};
        co_return std::unexpected(co_await refuse(std::move(error), 1009));
      }
      const std::size_t size = head->head_bytes + static_cast<std::size_t>(head->payload_bytes);
      if (buffer_.size() >= size) {
        Frame frame{*head, buffer_.substr(head->head_bytes, size - head->head_bytes)};
        if (head->masked) apply_mask(head->mask, frame.payload.data(), frame.payload.size());
        buffer_.erase(0, size);
        co_return frame;
      }
    }
    if (auto filled = co_await fill(); !filled) co_return std::unexpected(filled.error());
  }
}

Result<WebSocketImpl::Step> WebSocketImpl::take_data(Frame frame) {
  const bool continues = frame.head.opcode == Opcode::continuation;
  if (continues != fragmented_.has_value()) {
    return fail(ErrorCode::invalid_argument, "WebSocket: a fragment is out of place");
  }
  if (!continues) fragmented_ = frame.head.opcode;
  if (message_.empty()) {
    message_ = std::move(frame.payload);
  } else {
    message_ += frame.payload;
  }
  Step step;
  if (!frame.head.final) return step;
  step.message = std::exchange(message_, {});
  const Opcode kind = *std::exchange(fragmented_, std::nullopt);
  if (kind == Opcode::text && !is_utf8(*step.message)) {
    return fail(ErrorCode::data_loss, "WebSocket: a text message is not UTF-8");
  }
  return step;
}

task<WebSocketImpl::Step> WebSocketImpl::take_close(std::string payload) {
  got_close_ = true;
  close_code_ = 1005;
  if (payload.size() >= 2) {
    close_code_ = static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) << 8 |
                                             static_cast<unsigned char>(payload[1]));
  }
  const bool valid = payload.size() != 1 && (payload.empty() || is_close_code(close_code_)) &&
                     (payload.size() < 2 || is_utf8(std::string_view(payload).substr(2)));
  std::string answer = close_payload(valid ? close_code_ : std::uint16_t{1002}, {});
  (void)co_await send(Opcode::close, std::move(answer));  // fails if we closed first: fine
  co_return Step{.message = std::nullopt, .closed = true};
}

task<Result<WebSocketImpl::Step>> WebSocketImpl::take(Frame frame) {
  switch (frame.head.opcode) {
    case Opcode::ping: {
      auto sent = co_await send(Opcode::pong, std::move(frame.payload));
      if (!sent) co_return std::unexpected(sent.error());
      co_return Step{};
    }
    case Opcode::pong:
      co_return Step{};
    case Opcode::close:
      co_return co_await take_close(std::move(frame.payload));
    default:
      break;
  }
  if (message_.size() + frame.payload.size() > limits_.message_bytes) {
    Error error{ErrorCode::invalid_argument, "WebSocket: the message is too big"};
    co_return std::unexpected(co_await refuse(std::move(error), 1009));
  }
  Result<Step> step = take_data(std::move(frame));
  if (step) co_return step;
  const bool bad_text = step.error().code == ErrorCode::data_loss;
  co_return std::unexpected(co_await refuse(std::move(step.error()), bad_text ? 1007 : 1002));
}

task<Error> WebSocketImpl::refuse(Error error, std::uint16_t code) {
  std::string payload = close_payload(code, {});
  (void)co_await send(Opcode::close, std::move(payload));
  got_close_ = true;  // nothing more is read
  error.code = ErrorCode::invalid_argument;
  co_return error;
}

task<Result<std::optional<std::string>>> WebSocketImpl::receive() {
  if (got_close_) co_return std::optional<std::string>();
  for (;;) {
    Result<Frame> frame = co_await next_frame();
    if (!frame) co_return std::unexpected(frame.error());
    Result<Step> step = co_await take(std::move(*frame));
    if (!step) co_return std::unexpected(step.error());
    if (step->closed) co_return std::optional<std::string>();
    if (step->message) co_return std::move(step->message);
  }
}

task<void> WebSocketImpl::close(std::uint16_t code, std::string reason) {
  Socket& socket = stream_.connection().socket();
  socket.ignore_stop(true);
  std::string payload = close_payload(code, reason);
  const bool sent = (co_await send(Opcode::close, std::move(payload))).has_value();
  const auto deadline = std::chrono::steady_clock::now() + kCloseLimit;
  std::array<char, 4096> chunk;  // NOLINT: filled by the read
  // Until the peer's close frame or its end of stream; what it still had to say is dropped.
  while (sent && !got_close_) {
    const Result<FrameHead> head = parse_frame_head(buffer_);
    if (!head) break;
    const std::size_t size = head->head_bytes + static_cast<std::size_t>(head->payload_bytes);
    if (head->head_bytes > 0 && buffer_.size() >= size) {
      got_close_ = head->opcode == Opcode::close;
      buffer_.erase(0, size);
      continue;
    }
    if (buffer_.size() > limits_.message_bytes + 16) break;
    socket.set_deadline(Direction::read, deadline);
    const Result<std::size_t> count = co_await stream_.read_some(chunk);
    if (!count || *count == 0) break;
    buffer_.append(chunk.data(), *count);
  }
  socket.shut_down();
}

}  // namespace alphaswarm::net::detail
