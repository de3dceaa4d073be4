#include "alphaswarm/cli/stop_signal.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace alphaswarm::cli {

StopSignal::StopSignal() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGINT);
  ::sigaddset(&set, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);  // a peer that hangs up is an error of the write, not of the process
  descriptor_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

bool StopSignal::wait(int timeout_ms) {
  if (arrived_) return true;
  pollfd wanted{.fd = descriptor_, .events = POLLIN, .revents = 0};
  if (::poll(&wanted, 1, timeout_ms) <= 0) return false;
  signalfd_siginfo info{};
  if (::read(descriptor_, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return false;
  arrived_ = true;
  // From here on the signals do what they do by default, as soon as a thread lets them in.
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGINT);
  ::sigaddset(&set, SIGTERM);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  return true;
}

}  // namespace alphaswarm::cli
