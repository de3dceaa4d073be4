// What tests/support/process.hpp promises.

#include "tests/support/process.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <thread>

namespace alphaswarm::testing {
namespace {

// A test that is killed leaves no server behind: the system tells them of a thread's end as of a
// process's.
TEST(Process, EndsWithTheThreadThatHasStartedIt) {
  const TemporaryFolder folder;
  std::unique_ptr<Process> process;
  std::jthread([&] {
    process = std::make_unique<Process>(std::vector<std::string>{"sh", "-c", "echo up; sleep 60"},
                                        folder.path());
    EXPECT_TRUE(process->wait_for_output("up")) << process->output();
  }).join();
  EXPECT_EQ(process->wait(milliseconds(20'000)), 128 + SIGKILL);
}

}  // namespace
}  // namespace alphaswarm::testing
