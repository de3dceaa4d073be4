#pragma once

// A TCP proxy before a server of 127.0.0.1 that breaks a connection at the worst moments: after a
// request has been done and before its answer, with the request still on its way, or for good.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alphaswarm/base/thread.hpp"

namespace alphaswarm::testing {

class CuttingProxy {
 public:
  explicit CuttingProxy(int server_port) : server_port_(server_port) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, 64);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = start_thread("proxy", [this](const std::stop_token&) { accept_all(); });
  }
  ~CuttingProxy() {
    ending_ = true;
    ::shutdown(listener_, SHUT_RDWR);  // wakes accept()
    acceptor_.join();
    threads_.clear();  // each sees `ending_` within its poll's time-out
    if (held_server_ >= 0) ::close(held_server_);
    ::close(listener_);
  }
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  [[nodiscard]] int port() const noexcept { return port_; }
  // The next request that holds `text` is done, and the connection cut instead of answered.
  void lose_reply_to(std::string text) { arm(std::move(text), Cut::reply); }
  // The next request that holds `text` is kept back, and its connection cut.
  void hold(std::string text) { arm(std::move(text), Cut::hold); }
  // As if who sends such a request died before it, or after it: from there on nothing passes.
  void die_before(std::string text) { arm(std::move(text), Cut::before_death); }
  void die_after(std::string text) { arm(std::move(text), Cut::death); }
  // What was kept back arrives, and is done before this returns.
  void deliver_held() {
    const std::scoped_lock lock(mutex_);
    send_all(held_server_, held_);
    std::array<char, 4096> reply{};
    (void)::recv(held_server_, reply.data(), reply.size(), 0);
  }
  [[nodiscard]] int cuts() const noexcept { return cuts_; }

 private:
  enum class Cut : std::uint8_t { reply, hold, before_death, death };
  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  static bool send_all(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  void arm(std::string text, Cut cut) {
    const std::scoped_lock lock(mutex_);
    armed_ = std::move(text);
    cut_ = cut;
  }
  void accept_all() {
    for (;;) {
      const int client = ::accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      threads_.push_back(
          start_thread("proxied", [this, client](const std::stop_token&) { serve(client); }));
    }
  }
  void serve(int client) {
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(server_port_);
    ::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    const bool keep_server = relay(client, server);
    ::close(client);
    if (!keep_server) ::close(server);
  }
  // True if the connection to the server is kept for what it has not been sent yet.
  bool relay(int client, int server) {
    std::array<char, 65536> buffer{};
    while (!ending_ && !dead_) {
      std::array<pollfd, 2> both = {{{client, POLLIN, 0}, {server, POLLIN, 0}}};
      if (::poll(both.data(), both.size(), 50) <= 0) continue;
      if (both[1].revents != 0) {
        const ssize_t count = ::recv(server, buffer.data(), buffer.size(), 0);
        if (count <= 0 || !send_all(client, {buffer.data(), static_cast<std::size_t>(count)})) {
          return false;
        }
      }
      if (both[0].revents == 0) continue;
      const ssize_t count = ::recv(client, buffer.data(), buffer.size(), 0);
      if (count <= 0) return false;
      const std::string_view bytes(buffer.data(), static_cast<std::size_t>(count));
      const std::scoped_lock lock(mutex_);
      if (dead_) return false;
      const bool cut = !armed_.empty() && bytes.find(armed_) != std::string_view::npos;
      if (!cut) {
        if (!send_all(server, bytes)) return false;
        continue;
      }
      armed_.clear();
      ++cuts_;
      dead_ = cut_ == Cut::before_death || cut_ == Cut::death;
      if (cut_ == Cut::before_death) return false;
      if (cut_ == Cut::hold) {
        held_ = bytes;
        held_server_ = server;
        return true;
      }
      if (send_all(server, bytes)) (void)::recv(server, buffer.data(), buffer.size(), 0);
      return false;
    }
    return false;
  }

  const int server_port_;
  int port_ = 0;
  int listener_ = -1;
  std::atomic<bool> ending_{false};
  std::atomic<bool> dead_{false};
  std::atomic<int> cuts_{0};
  std::mutex mutex_;
  std::string armed_;  // guarded by mutex_, like what follows
  Cut cut_ = Cut::reply;
  std::string held_;
  int held_server_ = -1;
  std::jthread acceptor_;
  std::vector<std::jthread> threads_;  // the acceptor's
};

}  // namespace alphaswarm::testing
