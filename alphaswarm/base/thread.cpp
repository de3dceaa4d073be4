#include "alphaswarm/base/thread.hpp"

#include <pthread.h>
#include <signal.h>

#include <utility>

namespace alphaswarm {

std::jthread start_thread(std::string name, std::function<void(std::stop_token)> body) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::jthread thread([name = std::move(name), body = std::move(body)](std::stop_token stop) {
    ::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str());
    body(std::move(stop));
  });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace alphaswarm
