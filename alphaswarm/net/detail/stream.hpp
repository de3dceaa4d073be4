#pragma once

// Bytes both ways, plain or encrypted.

#include <cstddef>
#include <span>
#include <string_view>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/net/coroutine.hpp"

namespace alphaswarm::net::detail {

class Connection;

// One task may read while another writes. Errors: unavailable (the peer is gone),
// deadline_exceeded, cancelled. A write that fails half-way leaves the stream useless; a read that
// fails by deadline or stop loses nothing.
class Stream {
 public:
  virtual ~Stream() = default;
  // At least one byte, or 0 at the end of the stream.
  virtual task<Result<std::size_t>> read_some(std::span<char> into) = 0;
  virtual task<Result<void>> write(std::string_view bytes) = 0;
  // The socket below: its deadlines and addresses.
  virtual Connection& connection() noexcept = 0;
};

}  // namespace alphaswarm::net::detail
