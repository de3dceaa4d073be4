#pragma once

// A PostgreSQL server of a test's own: made in a temporary folder, on a free port of 127.0.0.1,
// stopped by its process id. Needs Debian's package `postgresql`.

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "tests/support/process.hpp"

namespace alphaswarm::testing {

struct PostgresOptions {
  std::map<std::string, std::string> settings;  // over the defaults: "max_connections" → "5"
  bool tls = false;                             // with a certificate for 127.0.0.1
  bool durable = false;  // waits for the disk, as a server in service does; for benchmarks
};

// All members throw std::runtime_error with the server's own words when it does not do as told.
// Calls come from one thread at a time.
class Postgres {
 public:
  explicit Postgres(PostgresOptions options = {});  // makes a cluster and starts it
  ~Postgres();
  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;

  // "postgresql://tester:…@127.0.0.1:port/database"; `tester` is the superuser.
  [[nodiscard]] std::string url(std::string_view database = "postgres") const;
  // Makes an empty database of a new name and gives its URL.
  [[nodiscard]] std::string create_database();
  // What psql prints for `sql`, unaligned and without headings.

  std::string psql(std::string_view database, std::string_view sql) const;

  [[nodiscard]] int port() const noexcept { return port_; }
  [[nodiscard]] std::string password() const { return "pass-of-tester"; }
  [[nodiscard]] std::filesystem::path certificate() const;  // what TLS clients should trust
  [[nodiscard]] std::filesystem::path folder() const { return folder_.path(); }

  // Reads what the running server logs until it holds `text`; false if half a minute passes before.
  // A server whose log nobody reads stands still after 64 KiB of it.
  [[nodiscard]] bool wait_for_log(std::string_view text) { return server_->wait_for_output(text); }
  [[nodiscard]] const std::string& log() const { return server_->output(); }  // read so far

  void stop();            // as `-m fast`: sessions are ended, everything is written
  void stop_immediate();  // as `-m immediate`: recovery at the next start
  void kill();            // SIGKILL of the server; its children follow by themselves
  void start();           // after one of the above; returns when it answers
  // SIGSTOP of the server's processes, and SIGCONT: connections stay open and nothing answers.
  void freeze();
  void thaw();

 private:
  [[nodiscard]] std::filesystem::path data() const { return folder_.path() / "data"; }
  void signal_children(int number) const;
  void end(int number);

  TemporaryFolder folder_;
  PostgresOptions options_;
  int port_;
  int databases_ = 0;
  std::unique_ptr<Process> server_;  // null while stopped
};

}  // namespace alphaswarm::testing
