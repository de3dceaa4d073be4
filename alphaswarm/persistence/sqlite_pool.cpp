#include "alphaswarm/persistence/sqlite_pool.hpp"

#include <fmt/format.h>

namespace alphaswarm::persistence::detail {
namespace {

constexpr std::string_view kMemory = ":memory:";
constexpr std::int64_t kPatienceNs = 20'000'000;  // strict turns cost a thread switch a write

// Without the folder, which is nobody's business in a trace.
std::string name_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

}  // namespace

SqlitePool::SqlitePool(std::string path, const DatabaseOptions& options)
    : path_(std::move(path)), name_(name_of(path_)), options_(options) {}

Result<std::unique_ptr<Pool>> SqlitePool::open(std::string path, const DatabaseOptions& options) {
  std::unique_ptr<SqlitePool> pool(new SqlitePool(std::move(path), options));
  auto writer = SqliteConnection::open(pool->connection_options(false));
  if (!writer) return std::unexpected(writer.error());
  pool->writer_ = std::move(*writer);
  return pool;
}

ConnectionOptions SqlitePool::connection_options(bool read_only) const {
  return {path_, name_, read_only, options_.busy_timeout, options_.observer};
}

std::unexpected<Error> SqlitePool::timed_out(std::string_view what) const {
  return fail(ErrorCode::unavailable,
              fmt::format("{} is busy: {} for {} ms; try again later (SQLSTATE 55P03)", name_, what,
                          options_.busy_timeout.count()));
}

bool SqlitePool::may_write(std::uint64_t ticket) const {
  if (writer_taken_) return false;
  const Waiting& oldest = waiting_writers_.front();
  return oldest.ticket == ticket || monotonic_ns() - oldest.since_ns < kPatienceNs;
}

Result<Connection*> SqlitePool::take_writer() {
  std::unique_lock lock(mutex_);
  const std::uint64_t ticket = next_ticket_++;
  waiting_writers_.push_back({ticket, monotonic_ns()});
  const bool taken =
      changed_.wait_for(lock, options_.busy_timeout, [&] { return may_write(ticket); });
  std::erase_if(waiting_writers_, [&](const Waiting& one) { return one.ticket == ticket; });
  if (!taken) {
    changed_.notify_all();  // the turn may have come to the one behind
    return timed_out("another transaction of this process has held the writer");
  }
  writer_taken_ = true;
  return writer_.get();
}

Result<Connection*> SqlitePool::take(Access access) {
  return access == Access::write || path_ == kMemory ? take_writer() : take_reader();
}

void SqlitePool::give(Connection* connection) noexcept {
  {
    const std::scoped_lock lock(mutex_);
    if (connection == writer_.get()) {
      writer_taken_ = false;
    } else {
      idle_readers_.push_back(connection);
    }
  }
  changed_.notify_all();
}

Result<Connection*> SqlitePool::take_reader() {
  std::unique_lock lock(mutex_);
  const auto may_go = [&] {
    return !idle_readers_.empty() || readers_.size() + opening_readers_ < options_.max_readers;
  };
  if (!changed_.wait_for(lock, options_.busy_timeout, may_go)) {
    return timed_out("all reading connections have been in use");
  }
  if (!idle_readers_.empty()) {
    Connection* reader = idle_readers_.back();
    idle_readers_.pop_back();
    return reader;
  }
  ++opening_readers_;
  lock.unlock();  // opening touches the disk and tells the observer
  auto opened = SqliteConnection::open(connection_options(true));
  lock.lock();
  --opening_readers_;
  if (!opened) {
    lock.unlock();
    changed_.notify_all();
    return std::unexpected(opened.error());
  }
  readers_.push_back(std::move(*opened));
  return readers_.back().get();
}

}  // namespace alphaswarm::persistence::detail
