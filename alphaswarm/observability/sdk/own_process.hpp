#pragma once

#include <cstdint>

namespace alphaswarm::observability::sdk {

// The process something was made in. In the child of a fork, threads and locks have stayed with the
// parent: what belongs to another process must not be waited for.
class OwnProcess {
 public:
  OwnProcess() noexcept;
  // Still in it: costs a load.
  [[nodiscard]] bool is_here() const noexcept;

 private:
  std::uint32_t forks_;
};

}  // namespace alphaswarm::observability::sdk
