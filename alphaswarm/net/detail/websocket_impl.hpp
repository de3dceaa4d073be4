#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "alphaswarm/net/detail/socket.hpp"
#include "alphaswarm/net/detail/stream.hpp"
#include "alphaswarm/net/detail/websocket_frame.hpp"
#include "alphaswarm/net/sync.hpp"

namespace alphaswarm::net::detail {

enum class WebSocketRole : unsigned char { server, client };

struct WebSocketLimits {
  std::size_t message_bytes = 0;
  std::chrono::milliseconds ping_interval{};
  std::chrono::milliseconds write_timeout{};
};

class WebSocketImpl {
 public:
  // `early` is what came behind the upgrade. The stream MUST live on; or hand it over in `owned`.
  WebSocketImpl(Stream& stream, WebSocketRole role, WebSocketLimits limits, std::string early,
                std::unique_ptr<Stream> owned = nullptr)
      : owned_(std::move(owned)),
        stream_(stream),
        role_(role),
        limits_(limits),
        buffer_(std::move(early)) {}

  task<Result<void>> send(Opcode opcode, std::string payload);
  task<Result<std::optional<std::string>>> receive();
  task<void> close(std::uint16_t code, std::string reason);
  [[nodiscard]] std::uint16_t close_code() const noexcept { return close_code_; }

 private:
  struct Frame {
    FrameHead head;
    std::string payload;
  };
  // What a frame means for receive(): a whole message, the end, or neither yet.
  struct Step {
    std::optional<std::string> message;
    bool closed = false;
  };

  task<Result<Frame>> next_frame();
  task<Result<void>> fill();
  task<Result<Step>> take(Frame frame);
  task<Step> take_close(std::string payload);
  Result<Step> take_data(Frame frame);
  // Answers a broken protocol with the fitting close code; gives the error back.
  task<Error> refuse(Error error, std::uint16_t code);

  std::unique_ptr<Stream> owned_;
  Stream& stream_;
  const WebSocketRole role_;
  const WebSocketLimits limits_;
  std::string buffer_;   // read, not yet taken; survives a cancelled receive()
  std::string message_;  // of a fragmented message, so far
  std::optional<Opcode> fragmented_;
  bool awaits_pong_ = false;
  AsyncMutex send_mutex_;
  bool sent_close_ = false;  // guarded by send_mutex_
  bool broken_ = false;      // likewise: a frame went out half
  bool got_close_ = false;
  std::uint16_t close_code_ = 1006;
};

}  // namespace alphaswarm::net::detail
