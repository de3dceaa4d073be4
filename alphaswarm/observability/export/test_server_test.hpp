#pragma once

// A gRPC receiver for tests, over nghttp2 in clear text: answers each call with the next reply of
// a script, and keeps what it was sent.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace alphaswarm::observability::testing {

// A listening socket on a free port of 127.0.0.1.
class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(socket_, 16) != 0 ||
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      std::abort();
    }
    port_ = ntohs(address.sin_port);
  }
  ~Listener() { ::close(socket_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // The next connection, or negative once interrupted.
  [[nodiscard]] int accept() const { return ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC); }
  void interrupt() const { ::shutdown(socket_, SHUT_RDWR); }
  [[nodiscard]] int port() const { return port_; }

 private:
  int socket_;
  int port_ = 0;
};

struct GrpcReply {
  std::string http_status = "200";
  std::string grpc_status = "0";  // empty: none is sent
  std::string message{};
  std::string details{};  // grpc-status-details-bin, encoded
  std::string body{};     // with gRPC's five bytes in front
  bool hang_up = false;   // closes the connection without an answer
  bool say_nothing = false;
  int delay_ms = 0;  // before the answer
};

struct GrpcCall {
  std::map<std::string, std::string> headers;
  std::string body{};  // with gRPC's five bytes in front
  int connection = 0;
};

class GrpcServer {
 public:
  // `window`: how many bytes of a request may be on their way, once the client knows.
  explicit GrpcServer(std::deque<GrpcReply> script, std::uint32_t window = 65'535)
      : script_(std::move(script)), window_(window) {
    thread_ = std::thread([this] { serve(); });
  }
  ~GrpcServer() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
      if (connection_ >= 0) ::shutdown(connection_, SHUT_RDWR);
    }
    listener_.interrupt();
    thread_.join();
  }
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  [[nodiscard]] std::string endpoint() const {
    return "http://127.0.0.1:" + std::to_string(listener_.port());
  }
  [[nodiscard]] std::vector<GrpcCall> calls() {
    const std::scoped_lock lock(mutex_);
    return calls_;
  }
  // As a server that restarts would.
  void drop_connection() {
    const std::scoped_lock lock(mutex_);
    if (connection_ >= 0) ::shutdown(connection_, SHUT_RDWR);
  }

 private:
  void serve() {
    for (int number = 0;; ++number) {
      const int connection = listener_.accept();
      {
        const std::scoped_lock lock(mutex_);
        if (stopping_) {
          if (connection >= 0) ::close(connection);
          return;
        }
        connection_ = connection;
      }
      if (connection < 0) return;
      const int on = 1;  // else window updates wait for the sender's delayed acknowledgements
      ::setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      talk(connection, number);
      const std::scoped_lock lock(mutex_);
      connection_ = -1;
      ::close(connection);
    }
  }

  void talk(int connection, int number) {
    number_ = number;
    hang_up_ = false;
    nghttp2_session_callbacks* callbacks = nullptr;
    ::nghttp2_session_callbacks_new(&callbacks);
    ::nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    ::nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    ::nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session* session = nullptr;
    ::nghttp2_session_server_new(&session, callbacks, this);
    ::nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry window{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window_};
    ::nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, &window, 1);
    char room[65'536];
    for (;;) {
      const std::uint8_t* bytes = nullptr;
      ssize_t size = 0;
      while ((size = ::nghttp2_session_mem_send(session, &bytes)) > 0) {
        if (::send(connection, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL) < 0) break;
      }
      if (hang_up_) break;
      const ssize_t got = ::recv(connection, room, sizeof room, 0);
      if (got <= 0 || ::nghttp2_session_mem_recv(session, reinterpret_cast<std::uint8_t*>(room),
                                                 static_cast<std::size_t>(got)) < 0) {
        break;
      }
    }
    ::nghttp2_session_del(session);
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t, void* user) {
    auto& call = static_cast<GrpcServer*>(user)->open_[frame->hd.stream_id];
    call.headers[std::string(reinterpret_cast<const char*>(name), name_size)] =
        std::string(reinterpret_cast<const char*>(value), value_size);
    return 0;
  }
  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t stream, const std::uint8_t* bytes,
                     std::size_t size, void* user) {
    static_cast<GrpcServer*>(user)->open_[stream].body.append(reinterpret_cast<const char*>(bytes),
                                                              size);
    return 0;
  }
  static int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    auto& self = *static_cast<GrpcServer*>(user);
    const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (!ends || frame->hd.type != NGHTTP2_DATA) return 0;
    self.answer(session, frame->hd.stream_id);
    return 0;
  }

  void answer(nghttp2_session* session, std::int32_t stream) {
    GrpcReply reply;
    {
      const std::scoped_lock lock(mutex_);
      GrpcCall call = std::move(open_[stream]);
      open_.erase(stream);
      call.connection = number_;
      calls_.push_back(std::move(call));
      if (!script_.empty()) {
        reply = script_.front();
        script_.pop_front();
      }
    }
    if (reply.delay_ms > 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(reply.delay_ms));  // it is slow
    }
    hang_up_ = reply.hang_up;
    if (reply.hang_up || reply.say_nothing) return;
    std::vector<std::pair<std::string, std::string>> fields = {
        {":status", reply.http_status}, {"content-type", "application/grpc"}};
    std::vector<std::pair<std::string, std::string>> trailers;
    if (!reply.grpc_status.empty()) trailers.emplace_back("grpc-status", reply.grpc_status);
    if (!reply.message.empty()) trailers.emplace_back("grpc-message", reply.message);
    if (!reply.details.empty()) trailers.emplace_back("grpc-status-details-bin", reply.details);
    // "Trailers only" where there is no body, as servers do for errors.
    if (reply.body.empty()) fields.insert(fields.end(), trailers.begin(), trailers.end());
    body_ = reply.body;
    trailers_ = reply.body.empty() ? decltype(trailers){} : trailers;
    sent_ = 0;
    nghttp2_data_provider provider{};
    provider.source.ptr = this;
    provider.read_callback = read_body;
    const auto pairs = to_pairs(fields);
    ::nghttp2_submit_response(session, stream, pairs.data(), pairs.size(),
                              reply.body.empty() ? nullptr : &provider);
  }

  static std::vector<nghttp2_nv> to_pairs(
      std::vector<std::pair<std::string, std::string>>& fields) {
    std::vector<nghttp2_nv> pairs;
    for (auto& [name, value] : fields) {
      pairs.push_back({reinterpret_cast<std::uint8_t*>(name.data()),
                       reinterpret_cast<std::uint8_t*>(value.data()), name.size(), value.size(),
                       NGHTTP2_NV_FLAG_NONE});
    }
    return pairs;
  }

  static ssize_t read_body(nghttp2_session* session, std::int32_t stream, std::uint8_t* out,
                           std::size_t room, std::uint32_t* flags, nghttp2_data_source* source,
                           void*) {
    auto& self = *static_cast<GrpcServer*>(source->ptr);
    const std::size_t size = std::min(room, self.body_.size() - self.sent_);
    std::memcpy(out, self.body_.data() + self.sent_, size);
    self.sent_ += size;
    if (self.sent_ == self.body_.size()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const auto pairs = to_pairs(self.trailers_);
      ::nghttp2_submit_trailer(session, stream, pairs.data(), pairs.size());
    }
    return static_cast<ssize_t>(size);
  }

  Listener listener_;
  std::mutex mutex_;  // guards the next four
  std::deque<GrpcReply> script_;
  std::vector<GrpcCall> calls_;
  bool stopping_ = false;
  int connection_ = -1;
  const std::uint32_t window_;
  // The thread's own.
  std::map<std::int32_t, GrpcCall> open_;
  int number_ = 0;
  bool hang_up_ = false;
  std::string body_;
  std::size_t sent_ = 0;
  std::vector<std::pair<std::string, std::string>> trailers_;
  std::thread thread_;
};

}  // namespace alphaswarm::observability::testing
