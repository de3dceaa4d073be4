#include "alphaswarm/base/log.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace alphaswarm {
namespace {

class Log : public ::testing::Test {
 protected:
  ~Log() override {
    set_log_listener(nullptr);
    set_log_suffix(nullptr);
    set_log_level(LogLevel::info);
  }
};

TEST_F(Log, LinesCarryTheSuffix) {
  set_log_suffix([] { return std::string(" trace_id=7"); });
  ::testing::internal::CaptureStderr();
  log_info("part", "hello");
  set_log_suffix(nullptr);
  log_info("part", "again");
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("part: hello trace_id=7\n"), std::string::npos) << text;
  EXPECT_NE(text.find("part: again\n"), std::string::npos) << text;
}

TEST_F(Log, TheListenerHearsWhatIsWritten) {
  std::vector<std::string> heard;
  set_log_listener([&](LogLevel level, std::string_view part, std::string_view message) {
    heard.push_back(std::to_string(static_cast<int>(level)) + std::string(part) + ":" +
                    std::string(message));
    log_info("inner", "not told");
  });
  log_debug("part", "below the level");
  log_warning("part", "one");
  set_log_level(LogLevel::debug);
  log_debug("part", "two");
  set_log_listener(nullptr);
  log_error("part", "three");
  EXPECT_EQ(heard, (std::vector<std::string>{"2part:one", "0part:two"}));
}

TEST_F(Log, AListenerMayGoWhileOthersLog) {
  set_log_level(LogLevel::error);  // fewer lines on the screen
  std::atomic<int> heard{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      for (int line = 0; line < 20; ++line) log_error("threads", "line");
    });
  }
  for (int i = 0; i < 20; ++i) {
    auto alive = std::make_unique<int>(1);
    set_log_listener([&heard, here = alive.get()](auto, auto, auto) { heard += *here; });
    set_log_listener(nullptr);  // nobody is in it any more: `alive` may go
  }
  threads.clear();
  EXPECT_GE(heard.load(), 0);
}

}  // namespace
}  // namespace alphaswarm
