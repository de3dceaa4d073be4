#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/net/coroutine.hpp"

namespace alphaswarm::net {

namespace detail {
class WebSocketImpl;
}

// One end of a WebSocket (RFC 6455). One task may receive while others send; sends are queued by a
// mutex, so that messages never interleave. Pings are answered while a task receives. Destroying it
// drops the connection without a close frame: co_await close() first.
class WebSocket {
 public:
  explicit WebSocket(std::unique_ptr<detail::WebSocketImpl> impl) noexcept;
  WebSocket(WebSocket&&) noexcept;
  WebSocket& operator=(WebSocket&&) noexcept;
  ~WebSocket();

  // `text` MUST be UTF-8. unavailable when the peer is gone; deadline_exceeded when it does not
  // read; cancelled when the task is asked to stop.
  task<Result<void>> send_text(std::string text);
  task<Result<void>> send_binary(std::string bytes);
  // The next message, text or binary. nullopt: the peer closed in good order. Errors: unavailable
  // (connection lost, or no pong in time), invalid_argument (protocol violation, too big; the
  // connection is closed with the fitting code), cancelled (nothing is lost: call again).
  task<Result<std::optional<std::string>>> receive();
  // Sends a close frame and waits shortly for the peer's. 1000 is a normal end, 1001 going away.
  // Also works in a task that was asked to stop. Never fails; a second call does nothing.
  task<void> close(std::uint16_t code = 1000, std::string reason = {});

  // The peer's close code once receive() gave nullopt; 1005 if it gave none.
  [[nodiscard]] std::uint16_t close_code() const noexcept;

 private:
  std::unique_ptr<detail::WebSocketImpl> impl_;
};

}  // namespace alphaswarm::net
