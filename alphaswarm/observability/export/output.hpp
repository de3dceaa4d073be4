#pragma once

// What a connection is to write next: small pieces of its own between stretches of the caller's
// memory, in order. Nothing of the caller's is copied.

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace alphaswarm::observability {

class Output {
 public:
  void add(std::string_view bytes) {
    if (pieces_.empty() || pieces_.back().data != nullptr) pieces_.push_back({});
    own_ += bytes;
    pieces_.back().size += bytes.size();
    size_ += bytes.size();
  }
  // `bytes` MUST live until they are dropped.
  void refer(std::string_view bytes) {
    if (bytes.empty()) return;
    pieces_.push_back({bytes.data(), bytes.size()});
    size_ += bytes.size();
  }

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  // The first bytes to write; valid until something is added or dropped.
  [[nodiscard]] std::span<const iovec> front(std::span<iovec> room) const noexcept {
    std::size_t count = 0;
    std::size_t own = own_done_;
    std::size_t done = done_;  // of the first piece
    for (std::size_t i = first_; i < pieces_.size() && count < room.size(); ++i) {
      const Piece& piece = pieces_[i];
      const std::size_t size = piece.size - done;
      const char* data = piece.data != nullptr ? piece.data + done : own_.data() + own;
      if (piece.data == nullptr) own += size;
      room[count++] = {const_cast<char*>(data), size};
      done = 0;
    }
    return room.first(count);
  }

  // The first `size` bytes are written.
  void drop(std::size_t size) {
    size_ -= size;
    if (size_ == 0) return clear();
    while (size > 0) {
      const Piece& piece = pieces_[first_];
      const std::size_t step = std::min(size, piece.size - done_);
      if (piece.data == nullptr) own_done_ += step;
      done_ += step;
      size -= step;
      if (done_ == piece.size) {
        ++first_;
        done_ = 0;
      }
    }
  }

 private:
  struct Piece {
    const char* data = nullptr;  // null: the next of `own_`
    std::size_t size = 0;
  };
  void clear() {
    own_.clear();
    pieces_.clear();
    size_ = first_ = done_ = own_done_ = 0;
  }

  std::string own_;
  std::vector<Piece> pieces_;
  std::size_t size_ = 0;  // of all that is not written
  std::size_t first_ = 0;
  std::size_t done_ = 0;
  std::size_t own_done_ = 0;
};

}  // namespace alphaswarm::observability
