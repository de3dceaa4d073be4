#include "alphaswarm/net/detail/server_core.hpp"

#include <vector>

#include "alphaswarm/net/detail/server_connection.hpp"

namespace alphaswarm::net::detail {

bool ServerCore::enter(ServerConnection& connection) {
  const std::lock_guard lock(mutex_);
  if (draining() || open_.size() >= config.max_connections) return false;
  open_.insert(&connection);
  return true;
}

void ServerCore::leave(ServerConnection& connection) noexcept {
  const std::lock_guard lock(mutex_);
  open_.erase(&connection);
  if (open_.empty()) changed_.notify_all();
}

std::size_t ServerCore::connections() const {
  const std::lock_guard lock(mutex_);
  return open_.size();
}

void ServerCore::drain() {
  std::vector<std::stop_source> to_stop;
  {
    const std::lock_guard lock(mutex_);
    draining_.store(true);
    for (ServerConnection* connection : open_) {
      if (connection->is_websocket()) to_stop.push_back(connection->stop());
      connection->retire();
    }
  }
  // Outside the lock: a stop callback is someone else's code.
  for (std::stop_source& source : to_stop) source.request_stop();
}

void ServerCore::abort_all() {
  std::vector<std::stop_source> to_stop;
  {
    const std::lock_guard lock(mutex_);
    for (ServerConnection* connection : open_) {
      to_stop.push_back(connection->stop());
      connection->abort();
    }
  }
  for (std::stop_source& source : to_stop) source.request_stop();
}

bool ServerCore::wait_until_empty(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [this] { return open_.empty() && !listening_; });
}

void ServerCore::listener_started() {
  const std::lock_guard lock(mutex_);
  listening_ = true;
}

void ServerCore::listener_ended() noexcept {
  const std::lock_guard lock(mutex_);
  listening_ = false;
  changed_.notify_all();
}

}  // namespace alphaswarm::net::detail
