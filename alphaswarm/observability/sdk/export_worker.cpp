#include "alphaswarm/observability/sdk/export_worker.hpp"

#if ALPHASWARM_OTEL

#include <algorithm>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/base/thread.hpp"
#include "alphaswarm/observability/sdk/at_exit.hpp"
#include "alphaswarm/observability/sdk/clock.hpp"
#include "alphaswarm/observability/sdk/open_spans.hpp"
#include "alphaswarm/observability/sdk/resource.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Short enough that the pool absorbs a burst of full speed in between.
constexpr milliseconds kTick{20};
constexpr milliseconds kBusyTick{2};
constexpr milliseconds kReclaimEvery{1'000};
// What a thread at 250,000 spans a second fills in a tick.
constexpr std::size_t kPopulateAhead = 512U << 10U;
constexpr std::size_t kLargestShare = 4;  // of the pool in one request: a quarter

thread_local constinit bool export_thread = false;

}  // namespace

bool is_export_thread() noexcept { return export_thread; }

ExportWorker::ExportWorker(ProviderCore& core, std::vector<std::shared_ptr<BatchSink>> sinks)
    : core_(core),
      // A recorder's only sink is its memory: that is no export.
      delivery_(core.config, std::move(sinks), core.is_recorder ? nullptr : &core.listeners()),
      // What a request refers to is not there for new spans until it is sent.
      request_(sdk::encode_resource(core.config), sdk::scopes().fields(0),
               std::min<std::size_t>(core.config.max_batch_bytes,
                                     sdk::chunk_pool().capacity() / kLargestShare),
               core.config.max_batch_spans) {}

void ExportWorker::start() {
  flush_at_exit();
  thread_ = start_thread("otel-export", [this](const std::stop_token&) { run(); });
}

void ExportWorker::run() {
  export_thread = true;
  refuse_spans_on_this_thread();
  const milliseconds calm = core_.config.simple ? kBusyTick : kTick;
  milliseconds tick = calm;
  for (;;) {
    std::uint64_t asked = 0;
    bool stop = false;
    TimePoint deadline;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, tick, [&] { return stop_ || flush_asked_ != flush_done_; });
      asked = flush_asked_;
      stop = stop_;
      deadline = stop ? stop_deadline_ : TimePoint::max();
    }
    sdk::chunk_pool().populate(kPopulateAhead);
    adopt_new_buffers();
    const bool flush = asked != flush_done_;  // only this thread writes it
    tick = calm;
    if (flush || stop || due()) {
      if (round(deadline) > core_.config.max_batch_bytes) tick = kBusyTick;
      oldest_ = {};
    }
    if (stop) finish(deadline);
    if (flush || stop) delivery_.flush(deadline);
    if (!flush && !stop) delivery_.idle();
    reclaim_idle();
    {
      const std::scoped_lock lock(mutex_);
      flush_done_ = asked;
      finished_ = stop;
    }
    done_.notify_all();
    if (stop) return;
  }
}

bool ExportWorker::flush(std::int64_t timeout_ms) {
  if (is_export_thread()) return false;
  std::unique_lock lock(mutex_);
  const std::uint64_t ticket = ++flush_asked_;
  wake_.notify_all();
  return done_.wait_for(lock, milliseconds(timeout_ms),
                        [&] { return flush_done_ >= ticket || finished_; });
}

bool ExportWorker::shutdown(std::int64_t timeout_ms) {
  std::unique_lock lock(mutex_);
  stop_ = true;
  stop_deadline_ = steady_clock::now() + milliseconds(timeout_ms);
  delivery_.stop_by(stop_deadline_);
  wake_.notify_all();
  // A little longer than the sinks were given, so that the thread can count what it gave up.
  const bool done =
      done_.wait_until(lock, stop_deadline_ + milliseconds(250), [&] { return finished_; });
  lock.unlock();
  if (done) {
    thread_.join();
    delivery_.release();
    publish();  // what the sinks have counted since
  } else {
    left_behind_.store(true, std::memory_order_relaxed);  // read by stats(): orders nothing
    thread_.detach();  // stuck in a sink; this object is never freed
  }
  return done && complete_;
}

void ExportWorker::adopt_new_buffers() {
  if (core_.new_buffers() == nullptr) return;
  const std::scoped_lock lock(buffers_mutex_);
  ThreadBuffer* buffer = core_.take_new_buffers();
  for (; buffer != nullptr; buffer = buffer->next) buffers_.push_back(buffer);
}

bool ExportWorker::due() {
  std::size_t bytes = 0;
  std::size_t spans = 0;
  for (ThreadBuffer* buffer : buffers_) {
    Chunk* chunk = buffer->head;
    if (chunk == nullptr) chunk = buffer->restart.load(std::memory_order_acquire);
    for (; chunk != nullptr; chunk = chunk->next.load(std::memory_order_acquire)) {
      const std::uint64_t committed = chunk->committed.load(std::memory_order_relaxed);
      bytes += static_cast<std::uint32_t>(committed) - chunk->read_bytes;
      spans += static_cast<std::uint32_t>(committed >> 32U) - chunk->read_spans;
    }
  }
  if (spans == 0) return false;
  const TimePoint now = steady_clock::now();
  if (oldest_ == TimePoint{}) oldest_ = now;
  const sdk::ChunkPool& pool = sdk::chunk_pool();
  return bytes >= core_.config.max_batch_bytes / 2 || spans >= core_.config.max_batch_spans / 2 ||
         now - oldest_ >= milliseconds(core_.config.schedule_delay_ms) ||
         pool.bytes_in_use() > pool.capacity() / 4;
}

std::size_t ExportWorker::round(TimePoint deadline) {
  std::size_t bytes = 0;
  for (ThreadBuffer* buffer : buffers_) {
    // A fast producer does not keep the others waiting: at most a pool of its spans at a time.
    const std::size_t most = bytes + sdk::chunk_pool().capacity();
    bool more = true;
    while (more && bytes < most) {
      more = take(*buffer, bytes);
      if (more) send(deadline);
    }
  }
  send(deadline);
  drop_left_buffers();
  return bytes;
}

bool ExportWorker::take(ThreadBuffer& buffer, std::size_t& bytes) {
  const std::size_t before = bytes;
  while (Chunk* chunk = next_chunk(buffer)) {
    const std::uint64_t committed = chunk->committed.load(std::memory_order_acquire);  // commit()
    const auto end = static_cast<std::uint32_t>(committed);
    const auto spans = static_cast<std::uint32_t>(committed >> 32U);
    if (end == chunk->read_bytes) return false;  // next_chunk() found nothing behind it either
    const Piece piece = fitting_piece(*chunk, end, spans);
    if (piece.spans == 0) return true;
    const std::string_view records(chunk->data() + chunk->read_bytes, piece.bytes);
    if (chunk->marked.load(std::memory_order_relaxed)) {  // ordered by `committed`
      request_.append_marked(records, piece.spans);
    } else {
      request_.refer(records, piece.spans);
    }
    chunk->read_bytes += piece.bytes;
    chunk->read_spans += piece.spans;
    bytes += piece.bytes;
    if (bytes - before > sdk::chunk_pool().capacity()) return true;
  }
  return false;
}

// The chunk to read on with, having given back those read to their end; null if none is leased.
Chunk* ExportWorker::next_chunk(ThreadBuffer& buffer) {
  if (buffer.head == nullptr) {
    buffer.head = buffer.restart.exchange(nullptr, std::memory_order_acquire);  // with grow()
  }
  while (Chunk* chunk = buffer.head) {
    Chunk* next = chunk->next.load(std::memory_order_acquire);  // with grow()
    if (next == nullptr) {
      // A restart says that the producer has left this chunk for good.
      if (buffer.restart.load(std::memory_order_acquire) == nullptr) return chunk;
      next = buffer.restart.exchange(nullptr, std::memory_order_acquire);
      if (!is_read(*chunk)) {  // what it holds comes first
        chunk->next.store(next, std::memory_order_relaxed);
        return chunk;
      }
    } else if (!is_read(*chunk)) {
      return chunk;
    }
    give_back(buffer, *chunk);
    buffer.head = next;
  }
  return nullptr;
}

bool ExportWorker::is_read(const Chunk& chunk) noexcept {
  return static_cast<std::uint32_t>(chunk.committed.load(std::memory_order_acquire)) ==
         chunk.read_bytes;
}

void ExportWorker::give_back(ThreadBuffer& buffer, Chunk& chunk) {
  if (request_.refers()) {
    spent_.push_back({&buffer, &chunk});
  } else {
    give_back_now(buffer, chunk);
  }
}

void ExportWorker::give_back_now(ThreadBuffer& buffer, Chunk& chunk) noexcept {
  if (chunk.embedded) {
    buffer.embedded_free.store(true, std::memory_order_release);  // with grow()
  } else {
    sdk::chunk_pool().give_block(&chunk);
  }
}

// As many whole spans as the request has room for; at least one if it is empty.
ExportWorker::Piece ExportWorker::fitting_piece(Chunk& chunk, std::uint32_t end,
                                                std::uint32_t spans) const noexcept {
  const std::uint32_t bytes = end - chunk.read_bytes;
  const std::uint32_t count = spans - chunk.read_spans;
  if (bytes <= request_.room_bytes() && count <= request_.room_spans()) return {bytes, count};
  Piece piece;
  const char* const start = chunk.data() + chunk.read_bytes;
  while (piece.spans < count && piece.spans < request_.room_spans()) {
    const auto size = static_cast<std::uint32_t>(sdk::record_size(start + piece.bytes));
    const bool first = piece.spans == 0 && request_.span_count() == 0;
    if (!first && piece.bytes + size > request_.room_bytes()) break;
    piece.bytes += size;
    ++piece.spans;
  }
  return piece;
}

void ExportWorker::send(TimePoint deadline) {
  if (request_.span_count() == 0) return;
  delivery_.deliver({request_.finish(), request_.span_count()}, deadline);
  request_.clear();
  for (const Spent& each : spent_) give_back_now(*each.buffer, *each.chunk);
  spent_.clear();
  sdk::calibration().recalibrate();
}

// Takes unused blocks from threads that have been quiet: a program with many idle threads would
// otherwise hold the whole pool.
void ExportWorker::reclaim_idle() noexcept {
  const TimePoint now = steady_clock::now();
  if (now - last_reclaim_ < kReclaimEvery) return;
  last_reclaim_ = now;
  sdk::calibration().recalibrate();
  publish();
  bool any = false;
  for (ThreadBuffer* buffer : buffers_) {
    Chunk* chunk = buffer->head;
    const bool idle = chunk != nullptr && !chunk->embedded && is_read(*chunk) &&
                      chunk->next.load(std::memory_order_relaxed) == nullptr;
    const std::uint64_t seen = idle ? chunk->committed.load(std::memory_order_relaxed) : 0;
    const bool quiet = idle && buffer->quiet_at == seen;
    buffer->quiet_at = idle ? seen : 0;
    buffer->leaving = nullptr;
    Chunk* expected = chunk;
    if (quiet && (buffer->tail.compare_exchange_strong(expected, nullptr,
                                                       std::memory_order_seq_cst) ||
                  expected == nullptr)) {  // taken before, but it was busy
      buffer->leaving = chunk;
      any = true;
    }
  }
  if (!any) return;
  sdk::barrier_on_all_threads();
  for (ThreadBuffer* buffer : buffers_) {
    if (buffer->leaving == nullptr) continue;
    Chunk* chunk = std::exchange(buffer->leaving, nullptr);
    // Busy: it may be writing there. The chunk then stays until a restart shows it is left.
    if (buffer->busy.load(std::memory_order_acquire) || !is_read(*chunk) ||
        chunk->next.load(std::memory_order_acquire) != nullptr) {
      continue;
    }
    give_back(*buffer, *chunk);
    buffer->head = nullptr;
  }
}

// Buffers of threads that have ended and whose spans are all taken.
void ExportWorker::drop_left_buffers() {
  const std::scoped_lock lock(buffers_mutex_);
  std::erase_if(buffers_, [&](ThreadBuffer* buffer) {
    // Acquires the thread's last spans and counts.
    if (buffer->owners.load(std::memory_order_acquire) != ThreadBuffer::thread_left) return false;
    Chunk* chunk = next_chunk(*buffer);
    if (chunk != nullptr && !is_read(*chunk)) return false;
    if (chunk != nullptr) give_back(*buffer, *chunk);
    gone_.add(buffer->counts);
    leave_buffer(*buffer, ThreadBuffer::reader_left);
    return true;
  });
}

// The last act: open spans, then whatever could not be sent is counted.
void ExportWorker::finish(TimePoint deadline) {
  core_.closing.store(true, std::memory_order_relaxed);
  for (const std::string& field : close_open_spans(core_)) {
    if (request_.room_bytes() < field.size() || request_.room_spans() == 0) send(deadline);
    request_.append_marked(field, 1);
    closed_open_.fetch_add(1, std::memory_order_relaxed);
  }
  adopt_new_buffers();
  round(deadline);
  core_.closed.store(true, std::memory_order_seq_cst);
  sdk::barrier_on_all_threads();
  const std::scoped_lock lock(buffers_mutex_);
  for (ThreadBuffer* buffer : buffers_) leave(*buffer);
  buffers_.clear();
  complete_ = steady_clock::now() < deadline;
  publish_locked();
}

// Leaves a buffer whose thread will write no more to it.
void ExportWorker::leave(ThreadBuffer& buffer) {
  for (int i = 0; i < 10'000 && buffer.busy.load(std::memory_order_acquire); ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds(20));
  }
  while (Chunk* chunk = next_chunk(buffer)) {
    const std::uint64_t committed = chunk->committed.load(std::memory_order_acquire);
    core_.shared.provider_gone.fetch_add(
        static_cast<std::uint32_t>(committed >> 32U) - chunk->read_spans,
        std::memory_order_relaxed);
    chunk->read_bytes = static_cast<std::uint32_t>(committed);
    chunk->read_spans = static_cast<std::uint32_t>(committed >> 32U);
    if (chunk->next.load(std::memory_order_acquire) == nullptr) {
      give_back(buffer, *chunk);
      buffer.head = nullptr;
      break;
    }
  }
  gone_.add(buffer.counts);
  leave_buffer(buffer, ThreadBuffer::reader_left);
}

void ExportWorker::add_to(Stats& stats) {
  const std::scoped_lock lock(buffers_mutex_);
  add_locked(stats);
}

void ExportWorker::add_locked(Stats& stats) {
  const auto add = [&](const ThreadCounts& counts) {
    stats.started += counts.started.value();
    stats.ended += counts.ended.value();
    stats.dropped.no_slot += counts.no_slot.value();
    stats.dropped.no_chunk += counts.no_chunk.value();
    stats.not_sampled += counts.not_sampled.value();
  };
  add(gone_);
  for (const ThreadBuffer* buffer : buffers_) add(buffer->counts);
  for (const ThreadBuffer* buffer = core_.new_buffers(); buffer != nullptr; buffer = buffer->next) {
    add(buffer->counts);
  }
  stats.ended += closed_open_.load(std::memory_order_relaxed);
  delivery_.add_to(stats);
}

void ExportWorker::publish() {
  const std::scoped_lock lock(buffers_mutex_);
  publish_locked();
}

void ExportWorker::publish_locked() {
  Stats now;
  add_locked(now);
  core_.add_shared(now);
  core_.add_recorder_spill(now);
  core_.publish(now, std::exchange(published_, now));
}

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail

#endif
