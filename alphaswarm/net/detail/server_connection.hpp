#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "alphaswarm/net/detail/http_codec.hpp"
#include "alphaswarm/net/detail/server_core.hpp"

namespace alphaswarm::net::detail {

// One client: reads requests one after another, calls their handlers, writes the responses.
class ServerConnection {
 public:
  ServerConnection(std::shared_ptr<ServerCore> core, std::unique_ptr<Connection> connection,
                   std::stop_source stop);
  ~ServerConnection();
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;

  task<void> run();

  // From any thread, while the core holds its lock.
  void retire() noexcept;  // the server drains
  void abort() noexcept;   // at once
  [[nodiscard]] std::stop_source& stop() noexcept { return stop_; }
  [[nodiscard]] bool is_websocket() const noexcept { return phase_.load() == Phase::websocket; }

 private:
  enum class Phase : unsigned char { busy, idle, retired, websocket };
  // How reading a request ended.
  enum class Read : unsigned char { request, refused, gone };

  bool become_idle() noexcept;
  bool become_busy() noexcept;
  task<Result<std::size_t>> fill();
  task<Read> read_head(MessageParser& parser);
  task<Read> read_body(MessageParser& parser);
  HttpRequest make_request(MessageParser& parser);

  task<bool> serve_one();  // true: the connection can carry another request
  task<bool> respond(const HttpRequest& request, const RouteMatch& match);
  task<HttpResponse> call(const HttpRequest& request, const RouteMatch& match,
                          std::optional<Error>& error);
  task<Result<void>> write(const HttpResponse& response, bool keep_alive, bool head_only);
  task<void> refuse(int status, std::string_view message);
  task<void> linger();
  task<void> upgrade(const HttpRequest& request, const RouteMatch& match);

  const std::shared_ptr<ServerCore> core_;
  std::unique_ptr<Connection> connection_;
  std::stop_source stop_;
  std::atomic<Phase> phase_{Phase::busy};
  std::vector<char> buffer_;  // bytes [begin_, end_) are read and not consumed
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  unsigned version_ = 11;
  bool keep_alive_ = true;  // as the request asks
  std::string out_;
  std::string observer_fields_;           // for the next response
  std::shared_ptr<void> observer_notes_;  // the observer's own
};

}  // namespace alphaswarm::net::detail
