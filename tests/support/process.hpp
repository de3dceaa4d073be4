#pragma once

// A child process of a test: started with pipes, waited for by what it prints, stopped by its id.

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alphaswarm::testing {

using std::chrono::milliseconds;

class Process {
 public:
  // Starts `arguments[0]` with the rest, in folder `cwd`, the given variables over a clean
  // environment (PATH and HOME only), standard output and error in one stream. It ends with the
  // thread that started it. Throws std::runtime_error if it cannot be started; a program that is
  // not there says so in the output and exits with 127.
  Process(std::vector<std::string> arguments, const std::filesystem::path& cwd,
          const std::map<std::string, std::string>& environment = {});
  ~Process();  // SIGKILL if it still runs
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Reads until the output holds `text`; false if it ends or `timeout` passes before.
  [[nodiscard]] bool wait_for_output(std::string_view text,
                                     milliseconds timeout = milliseconds(30'000));
  void signal(int number) const;
  // Reads to the end and waits; the exit code, 128 + signal, or nullopt on time-out.
  [[nodiscard]] std::optional<int> wait(milliseconds timeout = milliseconds(30'000));
  // SIGTERM and wait.
  [[nodiscard]] std::optional<int> stop(milliseconds timeout = milliseconds(30'000));
  [[nodiscard]] const std::string& output() const noexcept { return output_; }
  [[nodiscard]] pid_t id() const noexcept { return pid_; }

 private:
  bool read_some(milliseconds timeout);  // false at the end of the output
  pid_t pid_ = -1;
  int pipe_ = -1;
  std::string output_;
  std::optional<int> exit_code_;
};

// A folder under the system's temporary one, removed with everything in it at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

// An offset that leaves every port of `alphaswarm up` free at this moment.
[[nodiscard]] int free_port_offset();
// A port of 127.0.0.1 that was free a moment ago.
[[nodiscard]] int free_port();

}  // namespace alphaswarm::testing
