#pragma once

#include <string>
#include <string_view>

#include "alphaswarm/persistence/database.hpp"

namespace alphaswarm::persistence {

struct KillSwitchRow {
  bool engaged = false;
  std::string reason;
  UnixNanos since;  // of the last change; 0 if there was none

  friend bool operator==(const KillSwitchRow&, const KillSwitchRow&) = default;
};

// The switch as a database row, so that a cache that comes back empty releases nothing.
class KillSwitchRepository {
 public:
  explicit KillSwitchRepository(SqlExecutor& executor) noexcept : executor_(executor) {}

  [[nodiscard]] Result<KillSwitchRow> get();
  [[nodiscard]] Result<void> set(bool engaged, std::string_view reason, UnixNanos when);

 private:
  SqlExecutor& executor_;
};

}  // namespace alphaswarm::persistence
