#include "tests/support/process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

#include "alphaswarm/base/random.hpp"

namespace alphaswarm::testing {
namespace {

using Clock = std::chrono::steady_clock;

milliseconds left(Clock::time_point deadline) {
  return std::max(milliseconds(0),
                  std::chrono::duration_cast<milliseconds>(deadline - Clock::now()));
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

bool can_listen(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool free = ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return free;
}

}  // namespace

Process::Process(std::vector<std::string> arguments, const std::filesystem::path& cwd,
                 const std::map<std::string, std::string>& environment) {
  // A test that is killed, as ctest does at its time-out, takes its servers with it.
  arguments.insert(arguments.begin(), {"setpriv", "--pdeathsig=KILL", "--"});
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addchdir_np(&actions, cwd.c_str());
  std::vector<std::string> variables;
  for (const char* name : {"PATH", "HOME", "ASAN_OPTIONS", "TSAN_OPTIONS"}) {
    if (const char* value = ::getenv(name)) variables.push_back(std::string(name) + "=" + value);
  }
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  const int error = ::posix_spawnp(&pid_, arguments[0].c_str(), &actions, &attributes,
                                   pointers(arguments).data(), pointers(variables).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  ::close(ends[1]);
  pipe_ = ends[0];
  if (error != 0) {
    ::close(pipe_);
    throw std::runtime_error("cannot start " + arguments[0] + " for " + arguments[3]);
  }
}

Process::~Process() {
  if (!exit_code_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (pipe_ >= 0) ::close(pipe_);
}

bool Process::read_some(milliseconds timeout) {
  pollfd wanted{.fd = pipe_, .events = POLLIN, .revents = 0};
  if (::poll(&wanted, 1, static_cast<int>(timeout.count())) <= 0) return true;
  char buffer[65536];
  const ssize_t size = ::read(pipe_, buffer, sizeof buffer);
  if (size > 0) output_.append(buffer, static_cast<std::size_t>(size));
  return size > 0;
}

bool Process::wait_for_output(std::string_view text, milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  while (output_.find(text) == std::string::npos) {
    if (left(deadline).count() == 0 || !read_some(left(deadline))) {
      return output_.find(text) != std::string::npos;
    }
  }
  return true;
}

void Process::signal(int number) const { ::kill(pid_, number); }

std::optional<int> Process::wait(milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  bool more = true;
  while (!exit_code_) {
    if (more) more = read_some(std::min(left(deadline), milliseconds(20)));
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      while (more) {
        const std::size_t before = output_.size();
        more = read_some(milliseconds(0)) && output_.size() > before;
      }
      break;
    }
    if (left(deadline).count() == 0) return std::nullopt;
    if (!more) ::poll(nullptr, 0, 2);  // its output has ended, it has not: look again shortly
  }
  return exit_code_;
}

std::optional<int> Process::stop(milliseconds timeout) {
  if (!exit_code_) signal(SIGTERM);
  return wait(timeout);
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "alphaswarm-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

int free_port_offset() {
  for (int attempt = 0; attempt < 200; ++attempt) {
    const int offset = 2000 + static_cast<int>(thread_random().below(13'000));
    bool free = true;
    for (const int port : {8000, 8100, 4317, 4318, 8888, 8889, 16686}) {
      free = free && can_listen(port + offset);
    }
    if (free) return offset;
  }
  throw std::runtime_error("no free range of ports");
}

int free_port() {
  for (int attempt = 0; attempt < 200; ++attempt) {
    const int port = 20'000 + static_cast<int>(thread_random().below(12'000));
    if (can_listen(port)) return port;
  }
  throw std::runtime_error("no free port");
}

}  // namespace alphaswarm::testing
