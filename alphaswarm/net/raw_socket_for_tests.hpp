#pragma once

// Blocking sockets that say exactly what a test wants, right or wrong. For tests only.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "alphaswarm/base/thread.hpp"

namespace alphaswarm::net {

class RawSocket {
 public:
  explicit RawSocket(int descriptor) : descriptor_(descriptor) {
    const timeval limit{10, 0};  // no test hangs for ever
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  RawSocket(RawSocket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  RawSocket& operator=(RawSocket&&) = delete;
  ~RawSocket() { close(); }

  static RawSocket connect(std::uint16_t port) {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    return RawSocket(descriptor);
  }
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  // False when the peer has gone.
  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  // What comes until `end` is seen, or the peer closes.
  std::string read_until(std::string_view end) {
    std::string out;
    char byte = 0;
    while (!out.ends_with(end) && ::recv(descriptor_, &byte, 1, 0) == 1) out += byte;
    return out;
  }
  std::string read_to_end() {
    std::string out;
    char bytes[4096];
    for (;;) {
      const ssize_t count = ::recv(descriptor_, bytes, sizeof bytes, 0);
      if (count <= 0) return out;
      out.append(bytes, static_cast<std::size_t>(count));
    }
  }
  // True when the peer has closed in order, false on a time-out, a reset or bytes.
  bool at_end() {
    char byte = 0;
    return ::recv(descriptor_, &byte, 1, 0) == 0;
  }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  void finish_writing() { ::shutdown(descriptor_, SHUT_WR); }
  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }

 private:
  int descriptor_;
};

// Serves one connection after another with the given script.
class RawServer {
 public:
  explicit RawServer(std::function<void(RawSocket&)> script) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = RawSocket::loopback(0);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, 16);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = start_thread("raw-server", [this](std::stop_token) {
      for (;;) {
        const int descriptor = ::accept(listener_, nullptr, nullptr);
        if (descriptor < 0) return;
        RawSocket socket(descriptor);
        serve(socket, descriptor);
      }
    });
  }
  ~RawServer() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
      if (current_ >= 0) ::shutdown(current_, SHUT_RDWR);
    }
    ::shutdown(listener_, SHUT_RDWR);  // wakes accept()
    thread_.join();
    ::close(listener_);
  }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  // Connections that were served and closed.
  [[nodiscard]] int closed() const noexcept { return closed_.load(); }
  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(port_) + "/";
  }

 private:
  void serve(RawSocket& socket, int descriptor) {
    {
      const std::lock_guard lock(mutex_);
      if (ending_) return;
      current_ = descriptor;
    }
    script_(socket);
    {
      const std::lock_guard lock(mutex_);
      current_ = -1;
      socket.close();
    }
    ++closed_;
  }

  std::function<void(RawSocket&)> script_;
  std::mutex mutex_;
  int current_ = -1;     // guarded by mutex_
  bool ending_ = false;  // guarded by mutex_
  std::atomic<int> closed_{0};
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::jthread thread_;
};

}  // namespace alphaswarm::net
