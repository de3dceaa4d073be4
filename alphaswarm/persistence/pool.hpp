#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "alphaswarm/persistence/connection.hpp"

namespace alphaswarm::persistence::detail {

enum class Access : std::uint8_t { read, write };

// The connections of one database, each lent to one user at a time. Thread-safe.
class Pool {
 public:
  virtual ~Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Waits at most the busy timeout for one to be free, and opens one if it may.
  [[nodiscard]] virtual Result<Connection*> take(Access access) = 0;
  virtual void give(Connection* connection) noexcept = 0;

  [[nodiscard]] virtual const std::string& name() const noexcept = 0;
  [[nodiscard]] virtual std::string_view system() const noexcept = 0;
  [[nodiscard]] virtual std::chrono::milliseconds busy_timeout() const noexcept = 0;

 protected:
  Pool() = default;
};

// Gives a connection back at the end of a scope.
class Lease {
 public:
  Lease(Pool& pool, Connection* connection) : pool_(pool), connection_(connection) {}
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() { pool_.give(connection_); }

 private:
  Pool& pool_;
  Connection* connection_;
};

}  // namespace alphaswarm::persistence::detail
