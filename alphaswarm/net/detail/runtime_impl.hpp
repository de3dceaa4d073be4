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
  RuntimeImpl(Runtime& owner, std::string name, unsigned threads);

  // A fork comes in; false if the runtime has ended.
  [[nodiscard]] bool enter() noexcept;
  void leave() noexcept;
  void stop(std::chrono::milliseconds limit);

  boost::asio::io_context io;
  const std::string name;
  std::stop_source stop_source;

  [[nodiscard]] std::size_t active() const noexcept {
    return active_.load(std::memory_order_relaxed) & ~kEnded;
  }

 private:
  static constexpr std::uint64_t kEnded = 1ULL << 63;

  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::atomic<std::uint64_t> active_{0};  // forks inside; the top bit closes the door
  std::mutex mutex_;
  std::condition_variable idle_;
  std::once_flag stopped_;
  std::vector<std::jthread> threads_;
};

}  // namespace alphaswarm::net::detail
