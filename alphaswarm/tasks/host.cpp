#include "alphaswarm/tasks/host.hpp"

#include <unistd.h>

#include <array>

namespace alphaswarm::tasks {

const std::string& host_name() {
  static const std::string kName = [] {
    std::array<char, 256> buffer{};
    if (::gethostname(buffer.data(), buffer.size() - 1) != 0) return std::string("localhost");
    return std::string(buffer.data());
  }();
  return kName;
}

}  // namespace alphaswarm::tasks
