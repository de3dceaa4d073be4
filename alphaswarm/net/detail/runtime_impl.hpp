#pragma once

// Private to net: the Asio side of Runtime. Include it in few .cpp files.

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "alphaswarm/net/runtime.hpp"

namespace alphaswarm::net::detail {

class RuntimeImpl {
 public:
  RuntimeImpl(Runtime& owner, std::string name, unsigned threads, unsigned blocking_threads);

  // A fork comes in; false if the runtime has ended.
  [[nodiscard]] bool enter() noexcept;
  void leave() noexcept;
  void stop(std::chrono::milliseconds limit);

  // Around a post from a thread that is not this runtime's: what was posted may run, and the
  // runtime end, before the post has returned. stop() waits for it.
  class Posting {
   public:
    explicit Posting(RuntimeImpl& impl) noexcept : impl_(impl) {
      impl_.posting_.fetch_add(1, std::memory_order_relaxed);  // a task of it is still alive
    }
    ~Posting() { impl_.posting_.fetch_sub(1, std::memory_order_release); }  // with stop()
    Posting(const Posting&) = delete;
    Posting& operator=(const Posting&) = delete;

   private:
    RuntimeImpl& impl_;
  };

  boost::asio::io_context io;
  boost::asio::io_context blocking;  // calls only; see net::blocking()
  const std::string name;
  std::stop_source stop_source;

  [[nodiscard]] bool has_blocking_threads() const noexcept { return has_blocking_threads_; }
  [[nodiscard]] std::size_t active() const noexcept {
    return active_.load(std::memory_order_relaxed) & ~kEnded;
  }

 private:
  static constexpr std::uint64_t kEnded = 1ULL << 63;

  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> blocking_work_;
  std::atomic<std::uint64_t> active_{0};  // forks inside; the top bit closes the door
  std::atomic<std::uint32_t> posting_{0};
  std::mutex mutex_;
  std::condition_variable idle_;
  std::once_flag stopped_;
  const bool has_blocking_threads_;
  std::vector<std::jthread> blocking_threads_;
  std::vector<std::jthread> threads_;
};

}  // namespace alphaswarm::net::detail
