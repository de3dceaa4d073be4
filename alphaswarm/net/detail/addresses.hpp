#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/net/coroutine.hpp"
#include "alphaswarm/net/detail/socket.hpp"
#include "alphaswarm/net/detail/wait.hpp"

namespace alphaswarm::net::detail {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] const sockaddr* get() const noexcept {
    return reinterpret_cast<const sockaddr*>(&storage);
  }
  [[nodiscard]] sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] Endpoint endpoint() const;
};

// nullopt unless `text` is an IPv4 or IPv6 address.
[[nodiscard]] std::optional<SocketAddress> numeric_address(const std::string& text,
                                                           std::uint16_t port);
// All addresses of a host, in the order the system prefers. The system's look-up cannot be
// interrupted: it runs on a thread of its own, which outlives an impatient caller.
task<Result<std::vector<SocketAddress>>> resolve(std::string host, std::uint16_t port,
                                                 Deadline deadline);

}  // namespace alphaswarm::net::detail
