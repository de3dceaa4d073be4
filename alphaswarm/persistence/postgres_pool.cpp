#include "alphaswarm/persistence/postgres_pool.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace alphaswarm::persistence::detail {

Result<std::unique_ptr<Pool>> PostgresPool::open(std::string_view url,
                                                 const DatabaseOptions& options) {
  auto target = parse_postgres_url(url);
  if (!target) return std::unexpected(target.error());
  std::unique_ptr<PostgresPool> pool(new PostgresPool(std::move(*target), options));
  const auto first = pool->take(Access::write);
  if (!first) return std::unexpected(first.error());
  pool->give(*first);
  return pool;
}

Result<Connection*> PostgresPool::take(Access /*access*/) {
  std::unique_lock lock(mutex_);
  const auto may_go = [&] {
    return !idle_.empty() || lent_.size() + opening_ < options_.max_connections;
  };
  const auto until = std::chrono::steady_clock::now() + options_.busy_timeout;
  std::vector<std::unique_ptr<PostgresConnection>> fallen;  // ended behind the lock
  for (;;) {
    if (!changed_.wait_until(lock, until, may_go)) {
      return fail(
          ErrorCode::unavailable,
          fmt::format("{} is busy: all {} connections have been in use for {} ms; try "
                      "again later (SQLSTATE 55P03)",
                      target_.database, options_.max_connections, options_.busy_timeout.count()));
    }
    if (idle_.empty()) break;
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    if (connection->stands()) {
      lent_.push_back(std::move(connection));
      return lent_.back().get();
    }
    fallen.push_back(std::move(connection));
  }
  ++opening_;
  lock.unlock();  // connecting takes its time and tells the observer
  auto opened = PostgresConnection::open(target_, options_);
  lock.lock();
  --opening_;
  if (!opened) {
    lock.unlock();
    changed_.notify_one();
    return std::unexpected(opened.error());
  }
  lent_.push_back(std::move(*opened));
  return lent_.back().get();
}

void PostgresPool::give(Connection* connection) noexcept {
  std::unique_ptr<PostgresConnection> given;
  {
    const std::scoped_lock lock(mutex_);
    const auto found =
        std::ranges::find(lent_, connection, &std::unique_ptr<PostgresConnection>::get);
    if (found == lent_.end()) return;
    given = std::move(*found);
    lent_.erase(found);
    if (given->stands()) idle_.push_back(std::move(given));
  }
  changed_.notify_one();
}

}  // namespace alphaswarm::persistence::detail
