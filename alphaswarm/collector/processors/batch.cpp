#include "alphaswarm/collector/processors/batch.hpp"

#include <algorithm>
#include <utility>

#include "alphaswarm/base/thread.hpp"
#include "alphaswarm/otlp/reencode.hpp"

namespace alphaswarm::collector {
namespace {

// Batches of at most `max` spans each.
std::vector<Batches> split(Batches batches, std::uint64_t max) {
  std::vector<Batches> groups(1);
  std::uint64_t filled = 0;
  const auto put = [&](Batch batch) {
    if (filled != 0 && filled + batch->spans.size() > max) {
      groups.emplace_back();
      filled = 0;
    }
    filled += batch->spans.size();
    groups.back().push_back(std::move(batch));
  };
  for (Batch& batch : batches) {
    if (batch->spans.size() <= max) {
      put(std::move(batch));
      continue;
    }
    for (std::size_t first = 0; first < batch->spans.size(); first += max) {
      auto part = otlp::parse_trace_request(SharedBytes(otlp::encode_spans(*batch, first, max)));
      put(std::make_shared<const otlp::TraceBatch>(std::move(part.value())));
    }
  }
  return groups;
}

}  // namespace

BatchProcessor::BatchProcessor(std::string id, BatchConfig config, std::shared_ptr<Consumer> next)
    : config_(config),
      counts_(std::move(id)),
      next_(std::move(next)),
      timer_(start_thread("batch", [this](const std::stop_token& stop) { run(stop); })) {}

void BatchProcessor::consume(Batches batches) {
  const std::uint64_t spans = span_count(batches);
  counts_.received(spans);
  Batches full;
  {
    const std::lock_guard lock(mutex_);
    if (held_.empty()) oldest_ = std::chrono::steady_clock::now();
    std::ranges::move(batches, std::back_inserter(held_));
    held_spans_ += spans;
    if (held_spans_ < config_.send_batch_size && config_.timeout.count() != 0) {
      if (held_spans_ == spans) changed_.notify_one();  // the first: the timer starts to count
      return;
    }
    full = std::exchange(held_, {});
    held_spans_ = 0;
  }
  pass_on(std::move(full));
}

void BatchProcessor::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    changed_.wait(lock, stop, [this] { return !held_.empty(); });
    if (held_.empty()) continue;
    const auto due = oldest_ + config_.timeout;
    if (std::chrono::steady_clock::now() < due) {
      changed_.wait_until(lock, stop, due, [] { return false; });
      continue;
    }
    Batches due_batches = std::exchange(held_, {});
    held_spans_ = 0;
    lock.unlock();
    pass_on(std::move(due_batches));
    lock.lock();
  }
}

void BatchProcessor::pass_on(Batches batches) {
  const std::uint64_t spans = span_count(batches);
  if (config_.send_batch_max_size == 0 || spans <= config_.send_batch_max_size) {
    next_->consume(std::move(batches));
  } else {
    for (Batches& group : split(std::move(batches), config_.send_batch_max_size)) {
      next_->consume(std::move(group));
    }
  }
  counts_.sent(spans);
}

void BatchProcessor::drain(Deadline) {
  timer_.request_stop();
  if (timer_.joinable()) timer_.join();
  Batches rest;
  {
    const std::lock_guard lock(mutex_);
    rest = std::exchange(held_, {});
    held_spans_ = 0;
  }
  if (!rest.empty()) pass_on(std::move(rest));
}

}  // namespace alphaswarm::collector
