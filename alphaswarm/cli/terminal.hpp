#pragma once

// What a person sees while something long runs.

#include <cstdint>
#include <string>
#include <string_view>

namespace alphaswarm::cli {

// One line that is redrawn on a terminal; elsewhere a line at the start and one at the end.
class ProgressLine {
 public:
  explicit ProgressLine(std::string title);
  // done of total (total 0: unknown); `note` is what happens now.
  void update(std::uint64_t done, std::uint64_t total, std::string_view note);
  // Replaces the line for good.
  void finish(std::string_view result);

 private:
  std::string title_;
  std::int64_t started_ns_;
  std::int64_t drawn_ns_ = 0;
  bool terminal_;
};

}  // namespace alphaswarm::cli
