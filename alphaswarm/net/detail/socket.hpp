#pragma once

// Non-blocking TCP sockets that tasks wait on. System calls are tried first; only a call that would
// block suspends. Deadlines cost nothing while they are met: one timer a socket stays armed and
// looks, when it fires, whether the deadline has moved on.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/net/coroutine.hpp"
#include "alphaswarm/net/detail/stream.hpp"
#include "alphaswarm/net/detail/wait.hpp"

struct sockaddr_storage;

namespace alphaswarm::net::detail {

enum class Direction : unsigned char { read, write };

// One open file descriptor. One task may wait for each direction.
class Socket {
 public:
  // Takes over `descriptor`, which MUST be non-blocking. The event loop of `runtime` watches it.
  Socket(Runtime& runtime, int descriptor);
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  [[nodiscard]] int descriptor() const noexcept;
  // For waits that begin after this call; kNoDeadline for none.
  void set_deadline(Direction direction, Deadline deadline) noexcept;
  void set_deadlines(Deadline deadline) noexcept {
    set_deadline(Direction::read, deadline);
    set_deadline(Direction::write, deadline);
  }
  // For the last words of a task that was asked to stop.
  void ignore_stop(bool ignore) noexcept { ignores_stop_ = ignore; }
  // Ends both directions; whoever waits is woken. From any thread.
  void shut_down() noexcept;

  class ReadyAwaiter;
  // Until the descriptor is ready, or fails, or `cancelled`, or `timed_out`.
  [[nodiscard]] ReadyAwaiter ready(Direction direction) noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the timer's handler
  bool ignores_stop_ = false;
};

class Socket::ReadyAwaiter {
 public:
  ReadyAwaiter(State& state, Direction direction, bool ignore_stop) noexcept
      : state_(state), direction_(direction), ignore_stop_(ignore_stop) {}
  ReadyAwaiter(const ReadyAwaiter&) = delete;
  ReadyAwaiter& operator=(const ReadyAwaiter&) = delete;

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> handle);
  WaitOutcome await_resume() noexcept;

 private:
  struct OnStop {
    void operator()() const noexcept;
    ReadyAwaiter* self;
  };
  State& state_;
  Direction direction_;
  bool ignore_stop_;
  std::optional<std::stop_callback<OnStop>> on_stop_;
};

struct Endpoint {
  std::string address;  // numeric
  std::uint16_t port = 0;
};

class Connection final : public Stream {
 public:
  Connection(Runtime& runtime, int descriptor, Endpoint peer);

  task<Result<std::size_t>> read_some(std::span<char> into) override;
  task<Result<void>> write(std::string_view bytes) override;
  Connection& connection() noexcept override { return *this; }

  [[nodiscard]] Socket& socket() noexcept { return socket_; }
  [[nodiscard]] const Endpoint& peer() const noexcept { return peer_; }
  [[nodiscard]] Endpoint local() const;
  [[nodiscard]] std::uint64_t bytes_sent() const noexcept { return bytes_sent_; }
  // Open, and nothing to read: fit to carry another request.
  [[nodiscard]] bool is_quiet() const noexcept;

 private:
  Socket socket_;
  Endpoint peer_;
  std::uint64_t bytes_sent_ = 0;
};

class Listener {
 public:
  // A numeric address. SO_REUSEADDR; port 0 takes any free one.
  [[nodiscard]] static Result<std::unique_ptr<Listener>> open(Runtime& runtime,
                                                              const std::string& address,
                                                              std::uint16_t port);
  Listener(Runtime& runtime, int descriptor) : runtime_(runtime), socket_(runtime, descriptor) {}

  // With TCP_NODELAY set. resource_exhausted when the process is out of descriptors: wait a little;
  // cancelled; unavailable when shut down.
  task<Result<std::unique_ptr<Connection>>> accept();
  void shut_down() noexcept { socket_.shut_down(); }
  [[nodiscard]] Endpoint local() const;

 private:
  Runtime& runtime_;
  Socket socket_;
};

// Looks `host` up (numeric addresses without delay) and connects to the first address that answers.
// TCP_NODELAY is set; both deadlines of the result are `deadline`.
task<Result<std::unique_ptr<Connection>>> connect_tcp(Runtime& runtime, std::string host,
                                                      std::uint16_t port, Deadline deadline);

}  // namespace alphaswarm::net::detail
