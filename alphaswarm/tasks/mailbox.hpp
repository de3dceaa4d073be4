#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "alphaswarm/net/task.hpp"

namespace alphaswarm::tasks::detail {

// Where a bus puts what a subscriber has not read yet.
struct Mailbox {
  explicit Mailbox(std::size_t capacity) : payloads(capacity) {}

  void deliver(std::string payload) {
    const auto lost = payloads.push_dropping_oldest(std::move(payload));
    if (lost) dropped.fetch_add(*lost, std::memory_order_relaxed);  // a statistic: orders nothing
  }

  net::Channel<std::string> payloads;
  std::atomic<std::uint64_t> dropped{0};
};

}  // namespace alphaswarm::tasks::detail
