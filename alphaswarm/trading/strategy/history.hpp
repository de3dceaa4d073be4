#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace alphaswarm::trading {

// The last `window` closes of one symbol, oldest first and contiguous, and how many bars there
// ever were. Pushing is amortised constant time without allocation after the first.
class History {
 public:
  explicit History(std::size_t window) : window_(std::max<std::size_t>(window, 1)) {
    buffer_.resize(window_ * 2);
  }
  // To continue an earlier one: `closes` oldest first, of `bars_seen` bars in all.
  History(std::size_t window, std::span<const double> closes, std::int64_t bars_seen)
      : History(window) {
    for (const double close : closes) push(close);
    bars_seen_ = bars_seen;
  }

  void push(double close) noexcept {
    if (end_ == buffer_.size()) {
      std::copy(buffer_.end() - static_cast<std::ptrdiff_t>(window_ - 1), buffer_.end(),
                buffer_.begin());
      end_ = window_ - 1;
    }
    buffer_[end_++] = close;
    ++bars_seen_;
  }

  [[nodiscard]] std::span<const double> closes() const noexcept {
    const std::size_t count = std::min(window_, end_);
    return {buffer_.data() + (end_ - count), count};
  }
  [[nodiscard]] std::int64_t bars_seen() const noexcept { return bars_seen_; }

 private:
  std::size_t window_;
  std::size_t end_ = 0;
  std::int64_t bars_seen_ = 0;
  std::vector<double> buffer_;
};

}  // namespace alphaswarm::trading
