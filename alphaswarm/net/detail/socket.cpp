#include "alphaswarm/net/detail/socket.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "alphaswarm/net/detail/addresses.hpp"
#include "alphaswarm/net/detail/runtime_impl.hpp"

namespace alphaswarm::net::detail {

// The event loop's handlers are the only ones to resume a waiting task; a stop request or a
// deadline notes its outcome and cancels the wait.
struct Socket::State : std::enable_shared_from_this<State> {
  enum class Phase : unsigned char { over, before, waiting };
  struct Side {
    Phase phase = Phase::over;
    WaitOutcome outcome = WaitOutcome::woken;
    Deadline deadline = kNoDeadline;
    TaskState* task = nullptr;
    std::coroutine_handle<> handle;
  };

  State(Runtime& owner, int fd)
      : runtime(owner), descriptor(owner.impl().io, fd), timer(owner.impl().io) {}

  // All below: under the mutex.
  Side& side(Direction direction) noexcept { return sides[static_cast<std::size_t>(direction)]; }
  void wait(Direction direction);
  void interrupt(Side& which, WaitOutcome outcome) noexcept;
  void arm_timer(Deadline deadline);
  void on_timer();

  Runtime& runtime;
  std::mutex mutex;
  boost::asio::posix::stream_descriptor descriptor;
  boost::asio::steady_timer timer;
  Deadline timer_at = kNoDeadline;  // when the timer will fire; kNoDeadline: not armed
  std::array<Side, 2> sides;
};

void Socket::State::wait(Direction direction) {
  using Descriptor = boost::asio::posix::descriptor_base;
  const auto type = direction == Direction::read ? Descriptor::wait_read : Descriptor::wait_write;
  // A plain pointer: the task that waits keeps the socket.
  descriptor.async_wait(type, [this, direction](const boost::system::error_code& error) {
    Side& which = side(direction);
    {
      const std::lock_guard lock(mutex);
      // A cancel meant for the other direction hits both.
      if (error == boost::asio::error::operation_aborted && which.outcome == WaitOutcome::woken) {
        wait(direction);
        return;
      }
      which.phase = Phase::over;
    }
    TaskState& task = *which.task;
    if (in_runtime(*task.runtime)) {
      run(task, which.handle);
    } else {
      schedule(task, which.handle);
    }
  });
}

void Socket::State::interrupt(Side& which, WaitOutcome outcome) noexcept {
  if (which.phase == Phase::over || which.outcome != WaitOutcome::woken) return;
  which.outcome = outcome;
  if (which.phase != Phase::waiting) return;
  boost::system::error_code ignored;
  descriptor.cancel(ignored);
}

void Socket::State::arm_timer(Deadline deadline) {
  timer_at = deadline;
  timer.expires_at(deadline);
  timer.async_wait([state = shared_from_this()](const boost::system::error_code& error) {
    if (error) return;
    const std::lock_guard lock(state->mutex);
    state->on_timer();
  });
}

void Socket::State::on_timer() {
  const Deadline now = std::chrono::steady_clock::now();
  if (timer_at > now) return;  // moved while this call was on its way
  timer_at = kNoDeadline;
  Deadline next = kNoDeadline;
  for (Side& which : sides) {
    if (which.phase != Phase::waiting || which.deadline == kNoDeadline) continue;
    if (which.deadline <= now) {
      interrupt(which, WaitOutcome::timed_out);
    } else {
      next = std::min(next, which.deadline);
    }
  }
  if (next != kNoDeadline) arm_timer(next);
}

Socket::Socket(Runtime& runtime, int descriptor)
    : state_(std::make_shared<State>(runtime, descriptor)) {}

Socket::~Socket() {
  const std::lock_guard lock(state_->mutex);
  boost::system::error_code ignored;
  state_->descriptor.close(ignored);
  state_->timer.cancel();
}

int Socket::descriptor() const noexcept { return state_->descriptor.native_handle(); }

void Socket::set_deadline(Direction direction, Deadline deadline) noexcept {
  const std::lock_guard lock(state_->mutex);
  state_->side(direction).deadline = deadline;
}

void Socket::shut_down() noexcept { ::shutdown(descriptor(), SHUT_RDWR); }

Socket::ReadyAwaiter Socket::ready(Direction direction) noexcept {
  return {*state_, direction, ignores_stop_};
}

bool Socket::ReadyAwaiter::await_suspend(std::coroutine_handle<> handle) {
  TaskState* const task = current_task();
  State::Side& side = state_.side(direction_);
  {
    const std::lock_guard lock(state_.mutex);
    side.phase = State::Phase::before;
    side.outcome = WaitOutcome::woken;
    side.task = task;
    side.handle = handle;
  }
  if (!ignore_stop_ && task->stop.stop_possible()) on_stop_.emplace(task->stop, OnStop{this});
  const std::lock_guard lock(state_.mutex);
  if (side.deadline != kNoDeadline && side.deadline <= std::chrono::steady_clock::now()) {
    state_.interrupt(side, WaitOutcome::timed_out);
  }
  if (side.outcome != WaitOutcome::woken) {
    side.phase = State::Phase::over;
    return false;
  }
  side.phase = State::Phase::waiting;
  if (side.deadline < state_.timer_at) state_.arm_timer(side.deadline);
  state_.wait(direction_);
  return true;  // the lock is released after this: the handler takes it before it resumes us
}

WaitOutcome Socket::ReadyAwaiter::await_resume() noexcept {
  on_stop_.reset();  // waits for a call that is running
  return state_.side(direction_).outcome;
}

void Socket::ReadyAwaiter::OnStop::operator()() const noexcept {
  const std::lock_guard lock(self->state_.mutex);
  self->state_.interrupt(self->state_.side(self->direction_), WaitOutcome::cancelled);
}

namespace {

std::unexpected<Error> wait_failed(WaitOutcome outcome) {
  if (outcome == WaitOutcome::cancelled) {
    return fail(ErrorCode::cancelled, "the task was asked to stop");
  }
  return fail(ErrorCode::deadline_exceeded, "the peer took too long");
}

std::unexpected<Error> system_failed(const char* what, int code) {
  return fail(ErrorCode::unavailable, std::string(what) + ": " + std::strerror(code));
}

bool would_block(int code) noexcept { return code == EAGAIN || code == EWOULDBLOCK; }

void send_at_once(int descriptor) noexcept {
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Endpoint local_endpoint(int descriptor) {
  SocketAddress address;
  address.size = sizeof address.storage;
  if (::getsockname(descriptor, address.get(), &address.size) != 0) return {};
  return address.endpoint();
}

// The event loop may refuse to watch one more descriptor; it throws then.
template <class Owner, class... Args>
Result<std::unique_ptr<Owner>> watched(Runtime& runtime, int descriptor, Args... args) {
  try {
    return std::make_unique<Owner>(runtime, descriptor, std::move(args)...);
  } catch (const boost::system::system_error& error) {
    ::close(descriptor);
    return fail(ErrorCode::resource_exhausted, std::string("epoll: ") + error.what());
  }
}

}  // namespace

Connection::Connection(Runtime& runtime, int descriptor, Endpoint peer)
    : socket_(runtime, descriptor), peer_(std::move(peer)) {}

task<Result<std::size_t>> Connection::read_some(std::span<char> into) {
  for (;;) {
    const ssize_t count = ::recv(socket_.descriptor(), into.data(), into.size(), MSG_DONTWAIT);
    if (count >= 0) co_return static_cast<std::size_t>(count);
    if (errno == EINTR) continue;
    if (!would_block(errno)) co_return system_failed("read", errno);
    const WaitOutcome outcome = co_await socket_.ready(Direction::read);
    if (outcome != WaitOutcome::woken) co_return wait_failed(outcome);
  }
}

task<Result<void>> Connection::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        ::send(socket_.descriptor(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) {
      bytes_sent_ += static_cast<std::uint64_t>(count);
      bytes.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    if (errno == EINTR) continue;
    if (!would_block(errno)) co_return system_failed("write", errno);
    const WaitOutcome outcome = co_await socket_.ready(Direction::write);
    if (outcome != WaitOutcome::woken) co_return wait_failed(outcome);
  }
  co_return Result<void>();
}

Endpoint Connection::local() const { return local_endpoint(socket_.descriptor()); }

bool Connection::is_quiet() const noexcept {
  char byte = 0;
  const ssize_t count = ::recv(socket_.descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count < 0 && would_block(errno);
}

Result<std::unique_ptr<Listener>> Listener::open(Runtime& runtime, const std::string& address,
                                                 std::uint16_t port) {
  const auto where = numeric_address(address, port);
  if (!where) {
    return fail(ErrorCode::invalid_argument,
                "\"" + address + "\" is not an IP address to listen on");
  }
  const std::string name = address + ":" + std::to_string(port);
  const int descriptor =
      ::socket(where->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return system_failed("socket", errno);
  auto listener = watched<Listener>(runtime, descriptor);
  if (!listener) return listener;
  const int on = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(descriptor, where->get(), where->size) != 0 || ::listen(descriptor, 1024) != 0) {
    const int code = errno;
    std::string why = "cannot listen on " + name + ": " + std::strerror(code);
    if (code == EADDRINUSE) why += "; another program has this port";
    return fail(ErrorCode::unavailable, std::move(why));
  }
  return listener;
}

Endpoint Listener::local() const { return local_endpoint(socket_.descriptor()); }

task<Result<std::unique_ptr<Connection>>> Listener::accept() {
  for (;;) {
    SocketAddress peer;
    peer.size = sizeof peer.storage;
    const int descriptor =
        ::accept4(socket_.descriptor(), peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) {
      send_at_once(descriptor);
      co_return watched<Connection>(runtime_, descriptor, peer.endpoint());
    }
    if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) continue;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      co_return fail(ErrorCode::resource_exhausted, std::string("accept: ") + std::strerror(errno));
    }
    if (!would_block(errno)) co_return system_failed("accept", errno);
    const WaitOutcome outcome = co_await socket_.ready(Direction::read);
    if (outcome != WaitOutcome::woken) co_return wait_failed(outcome);
  }
}

namespace {

task<Result<std::unique_ptr<Connection>>> connect_one(Runtime& runtime, SocketAddress address,
                                                      Deadline deadline) {
  const int descriptor =
      ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) co_return system_failed("socket", errno);
  send_at_once(descriptor);
  // Connecting before the event loop watches it: a socket without a peer reports a hang-up.
  const int code = ::connect(descriptor, address.get(), address.size) == 0 ? 0 : errno;
  auto made = watched<Connection>(runtime, descriptor, address.endpoint());
  if (!made) co_return std::unexpected(std::move(made.error()));
  std::unique_ptr<Connection> connection = std::move(*made);
  connection->socket().set_deadlines(deadline);
  if (code == 0) co_return connection;
  if (code != EINPROGRESS) co_return system_failed("connect", code);
  const WaitOutcome outcome = co_await connection->socket().ready(Direction::write);
  if (outcome != WaitOutcome::woken) co_return wait_failed(outcome);
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) co_return system_failed("connect", error);
  co_return connection;
}

}  // namespace

task<Result<std::unique_ptr<Connection>>> connect_tcp(Runtime& runtime, std::string host,
                                                      std::uint16_t port, Deadline deadline) {
  const auto addresses = co_await resolve(host, port, deadline);
  if (!addresses) co_return std::unexpected(addresses.error());
  Error last{ErrorCode::unavailable, "it has no address", true};
  for (const SocketAddress& address : *addresses) {
    auto connection = co_await connect_one(runtime, address, deadline);
    if (connection) co_return connection;
    last = std::move(connection.error());
    if (last.code == ErrorCode::cancelled) break;
  }
  last.message = "cannot connect to " + host + ":" + std::to_string(port) + ": " + last.message;
  co_return std::unexpected(std::move(last));
}

}  // namespace alphaswarm::net::detail
