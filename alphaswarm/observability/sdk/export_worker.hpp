#pragma once

// The export thread of a provider: it empties the threads' buffers into requests and sends them.
// It polls, because waking it would cost a system call on the thread that ends a span.

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "alphaswarm/observability/export/batch_sink.hpp"
#include "alphaswarm/observability/sdk/delivery.hpp"
#include "alphaswarm/observability/sdk/provider_core.hpp"
#include "alphaswarm/observability/sdk/request_builder.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {

class ExportWorker {
 public:
  ExportWorker(ProviderCore& core, std::vector<std::shared_ptr<BatchSink>> sinks);
  ~ExportWorker() = delete;  // lives as long as its provider's core
  ExportWorker(const ExportWorker&) = delete;
  ExportWorker& operator=(const ExportWorker&) = delete;

  void start();
  // False if not everything ended before the call was offered to the sinks by then.
  bool flush(std::int64_t timeout_ms);
  // Flushes, closes the open spans, stops the thread. Only once.
  bool shutdown(std::int64_t timeout_ms);
  // Adds what this side counted.
  void add_to(Stats& stats);
  // The shutdown could not wait for its thread: what that has not settled counts as lost.
  [[nodiscard]] bool left_behind() const noexcept {
    return left_behind_.load(std::memory_order_relaxed);
  }

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  struct Piece {
    std::uint32_t bytes = 0;
    std::uint32_t spans = 0;
  };

  void run();
  void adopt_new_buffers();
  bool due();
  // Sends what is in the buffers now; the bytes that were.
  std::size_t round(TimePoint deadline);
  // Into the request, which refers to the chunks; true if there is more than fits.
  bool take(ThreadBuffer& buffer, std::size_t& bytes);
  Chunk* next_chunk(ThreadBuffer& buffer);
  static bool is_read(const Chunk& chunk) noexcept;
  // Now, or when the request that may refer to it is sent.
  void give_back(ThreadBuffer& buffer, Chunk& chunk);
  static void give_back_now(ThreadBuffer& buffer, Chunk& chunk) noexcept;
  Piece fitting_piece(Chunk& chunk, std::uint32_t end, std::uint32_t spans) const noexcept;
  void send(TimePoint deadline);
  void reclaim_idle() noexcept;
  void drop_left_buffers();
  void finish(TimePoint deadline);
  void leave(ThreadBuffer& buffer);
  void add_locked(Stats& stats);
  void publish();
  void publish_locked();

  ProviderCore& core_;
  Delivery delivery_;
  sdk::RequestBuilder request_;
  struct Spent {
    ThreadBuffer* buffer;
    Chunk* chunk;
  };
  std::vector<Spent> spent_;  // read to their end, and in the request

  std::mutex buffers_mutex_;  // guards the list against stats(); only the thread changes it
  std::vector<ThreadBuffer*> buffers_;
  ThreadCounts gone_;                          // of buffers that are no more
  std::atomic<std::uint64_t> closed_open_{0};  // open spans a shutdown took over

  std::mutex mutex_;  // guards the next five
  std::condition_variable wake_;
  std::condition_variable done_;
  std::uint64_t flush_asked_ = 0;
  std::uint64_t flush_done_ = 0;
  bool stop_ = false;
  bool finished_ = false;
  TimePoint stop_deadline_{};

  // The thread's own.
  TimePoint oldest_{};  // when something unsent was first seen
  TimePoint last_reclaim_{};
  Stats published_;
  std::atomic<bool> complete_{false};  // the shutdown was in time
  std::atomic<bool> left_behind_{false};
  std::jthread thread_;
};

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail
