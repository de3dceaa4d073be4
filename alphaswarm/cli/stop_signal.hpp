#pragma once

namespace alphaswarm::cli {

// SIGINT and SIGTERM as something to wait for. Make one first thing in main(), before any thread:
// it blocks both signals, and threads inherit that.
class StopSignal {
 public:
  StopSignal();
  // Waits until one arrives, at most `timeout_ms` (negative: for ever). True if one did. A second
  // one, after the first was seen, ends the process at once: the user is in a hurry.
  [[nodiscard]] bool wait(int timeout_ms = -1);
  [[nodiscard]] bool arrived() const noexcept { return arrived_; }

 private:
  int descriptor_ = -1;
  bool arrived_ = false;
};

}  // namespace alphaswarm::cli
