#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace alphaswarm::observability {

// The bytes of a message, in order, where they lie: mostly in several places, as spans are sent
// from where the threads that made them have written them. A view: owns nothing.
class RequestBytes {
 public:
  RequestBytes() noexcept = default;
  RequestBytes(std::string_view whole) noexcept : whole_(whole), size_(whole.size()) {}
  RequestBytes(const std::string& whole) noexcept : RequestBytes(std::string_view(whole)) {}
  RequestBytes(const char* whole) noexcept : RequestBytes(std::string_view(whole)) {}
  // `pieces` MUST outlive it.
  explicit RequestBytes(std::span<const std::string_view> pieces) noexcept
      : pieces_(pieces.data()), count_(pieces.size()) {
    for (const std::string_view piece : pieces) size_ += piece.size();
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  // Valid as long as this is.
  [[nodiscard]] std::span<const std::string_view> pieces() const noexcept {
    return pieces_ != nullptr ? std::span(pieces_, count_) : std::span(&whole_, 1);
  }

  void append_to(std::string& out) const {
    out.reserve(out.size() + size_);
    for (const std::string_view piece : pieces()) out += piece;
  }
  [[nodiscard]] std::string joined() const {
    std::string all;
    append_to(all);
    return all;
  }
  // In one place: where it lies if that is one, else put together in `room`.
  [[nodiscard]] std::string_view view(std::string& room) const {
    if (const auto all = pieces(); all.size() == 1) return all.front();
    room.clear();
    append_to(room);
    return room;
  }

 private:
  std::string_view whole_;
  const std::string_view* pieces_ = nullptr;  // null: `whole_` is all
  std::size_t count_ = 0;
  std::size_t size_ = 0;
};

}  // namespace alphaswarm::observability
