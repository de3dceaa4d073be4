#include "alphaswarm/cli/terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "alphaswarm/base/time.hpp"
#include "alphaswarm/cli/commands.hpp"
#include "alphaswarm/query/tree.hpp"

namespace alphaswarm::cli {
namespace {

constexpr std::int64_t kRedrawNs = 50'000'000;
constexpr std::size_t kBarWidth = 28;

std::string bar(std::uint64_t done, std::uint64_t total) {
  const std::size_t filled =
      total == 0 ? 0 : static_cast<std::size_t>(kBarWidth * (done < total ? done : total) / total);
  std::string text;
  for (std::size_t i = 0; i < kBarWidth; ++i) text += i < filled ? "█" : "░";
  return text;
}

}  // namespace

ProgressLine::ProgressLine(std::string title)
    : title_(std::move(title)), started_ns_(monotonic_ns()), terminal_(::isatty(1) == 1) {
  if (terminal_) {
    update(0, 0, "");
  } else {
    fmt::print("{} …\n", title_);
    std::fflush(stdout);
  }
}

void ProgressLine::update(std::uint64_t done, std::uint64_t total, std::string_view note) {
  const std::int64_t now = monotonic_ns();
  if (!terminal_ || now - drawn_ns_ < kRedrawNs) return;
  drawn_ns_ = now;
  const double seconds = static_cast<double>(now - started_ns_) * 1e-9;
  if (total == 0) {
    fmt::print("\r\033[K  {:<10} {:5.1f} s  {}", title_, seconds, note);
  } else {
    fmt::print("\r\033[K  {:<10} {} {:>7} / {:<7} {:5.1f} s  {}", title_, bar(done, total),
               query::grouped(done), query::grouped(total), seconds, note);
  }
  std::fflush(stdout);
}

void ProgressLine::finish(std::string_view result) {
  fmt::print("{}  {:<10} {}\n", terminal_ ? "\r\033[K" : "", title_, result);
  std::fflush(stdout);
}

int failed(std::string_view message) {
  std::fprintf(stderr, "error: %.*s\n", static_cast<int>(message.size()), message.data());
  return 1;
}

}  // namespace alphaswarm::cli
