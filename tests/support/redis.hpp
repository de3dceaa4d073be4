#pragma once

// A real redis-server (Debian's package) of a test, on a free port of 127.0.0.1, in a temporary
// folder, without persistence: what it held is gone when it starts again.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/process.hpp"

namespace alphaswarm::testing {

struct RedisServerOptions {
  std::string password{};  // requirepass
  std::string
      acl{};  // lines of an ACL file, e.g. "user default off\nuser alice on >pw ~* &* +@all"
  std::string max_memory{};         // e.g. "2mb"; with the policy noeviction
  bool tls = false;                 // only TLS; the certificate is for 127.0.0.1
  std::vector<std::string> more{};  // further arguments, e.g. {"--appendonly", "yes"}
};

class RedisServer {
 public:
  using Options = RedisServerOptions;

  // Returns when it answers. Throws std::runtime_error if it does not start.
  explicit RedisServer(Options options = {});
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  [[nodiscard]] int port() const noexcept { return port_; }
  // redis://[:password@]127.0.0.1:<port>/<database>, or rediss:// with the file of its CA.
  [[nodiscard]] std::string url(int database = 0) const;
  [[nodiscard]] std::string ca_file() const;  // of a server with TLS

  void stop();      // SIGTERM: it says goodbye to its clients
  void kill();      // SIGKILL
  void start();     // again on the same port, empty
  void freeze();    // SIGSTOP: connections stay open, nobody answers
  void thaw();      // SIGCONT
  void restart() {  // killed, and back empty
    kill();
    start();
  }
  // Runs one command by redis-cli, as the default user with the password; its output. For what a
  // test must see or do from outside, e.g. {"CLIENT", "PAUSE", "500"}.
  std::string cli(std::vector<std::string> command);

 private:
  void make_certificate();
  Options options_;
  TemporaryFolder folder_;
  int port_;
  std::unique_ptr<Process> process_;
};

}  // namespace alphaswarm::testing
