#include "alphaswarm/net/websocket.hpp"

#include "alphaswarm/net/detail/websocket_impl.hpp"

namespace alphaswarm::net {

WebSocket::WebSocket(std::unique_ptr<detail::WebSocketImpl> impl) noexcept
    : impl_(std::move(impl)) {}
WebSocket::WebSocket(WebSocket&&) noexcept = default;
WebSocket& WebSocket::operator=(WebSocket&&) noexcept = default;
WebSocket::~WebSocket() = default;

task<Result<void>> WebSocket::send_text(std::string text) {
  return impl_->send(detail::Opcode::text, std::move(text));
}

task<Result<void>> WebSocket::send_binary(std::string bytes) {
  return impl_->send(detail::Opcode::binary, std::move(bytes));
}

task<Result<std::optional<std::string>>> WebSocket::receive() { return impl_->receive(); }

task<void> WebSocket::close(std::uint16_t code, std::string reason) {
  return impl_->close(code, std::move(reason));
}

std::uint16_t WebSocket::close_code() const noexcept { return impl_->close_code(); }

}  // namespace alphaswarm::net
