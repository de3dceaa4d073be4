#include "alphaswarm/net/detail/addresses.hpp"

#include <arpa/inet.h>
#include <netdb.h>

#include <array>
#include <cstring>
#include <memory>

#include "alphaswarm/base/thread.hpp"
#include "alphaswarm/net/sync.hpp"

namespace alphaswarm::net::detail {

Endpoint SocketAddress::endpoint() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (storage.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&storage);
    ::inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
    return {text.data(), ntohs(v4->sin_port)};
  }
  if (storage.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&storage);
    ::inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
    return {text.data(), ntohs(v6->sin6_port)};
  }
  return {};
}

std::optional<SocketAddress> numeric_address(const std::string& text, std::uint16_t port) {
  SocketAddress out;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
  if (::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    out.size = sizeof(sockaddr_in);
    return out;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
  if (::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    out.size = sizeof(sockaddr_in6);
    return out;
  }
  return std::nullopt;
}

namespace {

struct LookUp {
  AsyncEvent done;
  Result<std::vector<SocketAddress>> result;  // written before done is set
};

Result<std::vector<SocketAddress>> look_up(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  const int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (code != 0) {
    return fail(ErrorCode::unavailable,
                "cannot look up host \"" + host + "\": " + ::gai_strerror(code));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  std::vector<SocketAddress> out;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    address.size = entry->ai_addrlen;
    out.push_back(address);
  }
  return out;
}

}  // namespace

task<Result<std::vector<SocketAddress>>> resolve(std::string host, std::uint16_t port,
                                                 Deadline deadline) {
  if (const auto numeric = numeric_address(host, port)) {
    co_return std::vector<SocketAddress>{*numeric};
  }
  // Shared: the look-up may end after the caller has given up.
  const auto shared = std::make_shared<LookUp>();
  auto body = [shared, host, port](std::stop_token) {
    shared->result = look_up(host, port);
    shared->done.set();
  };
  start_thread("dns", std::move(body)).detach();
  const auto left =
      deadline == kNoDeadline ? std::chrono::hours(1) : deadline - std::chrono::steady_clock::now();
  const Result<void> in_time = co_await shared->done.wait_for(left);
  if (!in_time) {
    if (in_time.error().code == ErrorCode::cancelled) co_return std::unexpected(in_time.error());
    co_return fail(ErrorCode::deadline_exceeded, "looking up host \"" + host + "\" took too long");
  }
  co_return std::move(shared->result);
}

}  // namespace alphaswarm::net::detail
