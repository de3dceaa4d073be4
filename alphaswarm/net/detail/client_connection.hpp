#pragma once

// One connection of a client: plain or TLS, and the exchange of one request at a time on it.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/net/detail/http_codec.hpp"
#include "alphaswarm/net/detail/socket.hpp"
#include "alphaswarm/net/detail/stream.hpp"
#include "alphaswarm/net/detail/tls_stream.hpp"
#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/net/url.hpp"

namespace alphaswarm::net::detail {

class ClientConnection {
 public:
  // `tls` is null for a plain connection.
  static task<Result<std::unique_ptr<ClientConnection>>> open(Runtime& runtime, const Url& url,
                                                              std::shared_ptr<TlsContext> tls,
                                                              Deadline deadline);
  explicit ClientConnection(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}

  struct Exchange {
    const std::string& head;  // with its blank line
    const std::string& body;
    std::string_view method;
    ParseLimits limits;
    Deadline deadline;
  };
  // Writes the request and reads the final response (1xx are skipped, but 101 is final).
  task<Result<HttpResponse>> exchange(const Exchange& request);

  [[nodiscard]] bool reusable() const noexcept { return reusable_; }
  // False once the peer has closed, or said something nobody asked for.
  [[nodiscard]] bool is_quiet() noexcept;
  // After a failed exchange: whether a byte of the request left this machine's user space.
  [[nodiscard]] bool sent_something() const noexcept { return sent_something_; }
  [[nodiscard]] PeerAddress peer() noexcept;

  // For an upgrade: the stream, and what came behind the response.
  [[nodiscard]] std::unique_ptr<Stream> take_stream() noexcept { return std::move(stream_); }
  [[nodiscard]] std::string take_rest() { return {buffer_.data() + begin_, end_ - begin_}; }

  Deadline idle_since{};  // for the pool

 private:
  task<Result<HttpResponse>> read_response(const Exchange& request);
  task<Result<ParseState>> read_message(MessageParser& parser, ParseLimits limits);

  std::unique_ptr<Stream> stream_;
  std::vector<char> buffer_ = std::vector<char>(16U << 10);  // [begin_, end_) is not consumed yet
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool reusable_ = false;
  bool sent_something_ = false;
};

}  // namespace alphaswarm::net::detail
