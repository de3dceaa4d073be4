#include "tests/support/postgres.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <vector>

namespace alphaswarm::testing {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// Debian keeps the server's programs out of PATH, one folder a version; the newest.
fs::path program(const std::string& name) {
  fs::path found;
  std::error_code ignored;
  for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    const fs::path candidate = version.path() / "bin" / name;
    if (fs::exists(candidate) && candidate > found) found = candidate;
  }
  return found.empty() ? fs::path(name) : found;
}

// The server refuses to run as root: become somebody without rights.
const char* unprivileged_user() {
  return ::getpwnam("postgres") != nullptr ? "postgres" : "nobody";
}

std::vector<std::string> without_root(std::vector<std::string> arguments) {
  if (::geteuid() != 0) return arguments;
  const passwd* user = ::getpwnam(unprivileged_user());
  if (user == nullptr) throw std::runtime_error("no user to run PostgreSQL as");
  std::vector<std::string> all{"setpriv", "--reuid=" + std::to_string(user->pw_uid),
                               "--regid=" + std::to_string(user->pw_gid), "--clear-groups",
                               "--pdeathsig=KILL"};  // who becomes another loses it
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

void give_to_server(const fs::path& path) {
  if (::geteuid() != 0) return;
  const passwd* user = ::getpwnam(unprivileged_user());
  if (user == nullptr || ::chown(path.c_str(), user->pw_uid, user->pw_gid) != 0) {
    throw std::runtime_error("cannot give " + path.string() + " to the server");
  }
}

std::string run(std::vector<std::string> arguments, const fs::path& cwd,
                const std::map<std::string, std::string>& environment = {}) {
  const std::string name = arguments[0];
  Process process(std::move(arguments), cwd, environment);
  if (process.wait(milliseconds(120'000)) != 0) {
    throw std::runtime_error(name + " failed: " + process.output());
  }
  return process.output();
}

}  // namespace

Postgres::Postgres(PostgresOptions options) : options_(std::move(options)), port_(free_port()) {
  give_to_server(folder_.path());
  fs::permissions(folder_.path(), fs::perms::owner_all | fs::perms::group_exec |
                                      fs::perms::others_exec | fs::perms::others_read);
  const fs::path password_file = folder_.path() / "password";
  std::ofstream(password_file) << password() << '\n';
  give_to_server(password_file);
  run(without_root({program("initdb"), "--pgdata=" + data().string(), "--username=tester",
                    "--pwfile=" + password_file.string(), "--auth=scram-sha-256", "--no-sync",
                    "--no-locale", "--encoding=UTF8", "--no-instructions"}),
      folder_.path(), {{"TZ", "UTC"}});
  if (options_.tls) {
    const fs::path key = folder_.path() / "server.key";
    run({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", key,
         "-out", certificate()},
        folder_.path());
    fs::permissions(key, fs::perms::owner_read | fs::perms::owner_write);
    give_to_server(key);
    give_to_server(certificate());
  }
  start();
}

Postgres::~Postgres() {
  try {
    if (server_) end(SIGQUIT);
  } catch (const std::exception&) {  // the process is killed below by its own destructor
    server_.reset();
  }
}

std::string Postgres::url(std::string_view database) const {
  return "postgresql://tester:" + password() + "@127.0.0.1:" + std::to_string(port_) + "/" +
         std::string(database);
}

fs::path Postgres::certificate() const { return folder_.path() / "server.crt"; }

std::string Postgres::create_database() {
  const std::string name = "test_" + std::to_string(++databases_);
  psql("postgres", "CREATE DATABASE " + name);
  return url(name);
}

std::string Postgres::psql(std::string_view database, std::string_view sql) const {
  return run({program("psql"), url(database), "--no-psqlrc", "--quiet", "--tuples-only",
              "--no-align", "--set=ON_ERROR_STOP=1", "--command=" + std::string(sql)},
             folder_.path());
}

void Postgres::start() {
  const Clock::time_point deadline = Clock::now() + std::chrono::seconds(60);
  std::vector<std::string> arguments{program("postgres"),         "-D", data(),         "-p",
                                     std::to_string(port_),       "-k", folder_.path(), "-c",
                                     "listen_addresses=127.0.0.1"};
  std::map<std::string, std::string> settings = options_.settings;
  if (!options_.durable) settings.insert({{"fsync", "off"}, {"full_page_writes", "off"}});
  if (options_.tls) {
    settings.insert({{"ssl", "on"},
                     {"ssl_cert_file", certificate()},
                     {"ssl_key_file", folder_.path() / "server.key"}});
  }
  for (const auto& [name, value] : settings) {
    arguments.insert(arguments.end(), {"-c", name + "=" + value});
  }
  // Children of a killed server may still hold its shared memory for a moment: try again then.
  for (;;) {
    server_ = std::make_unique<Process>(without_root(arguments), folder_.path());
    if (server_->wait_for_output("database system is ready to accept connections",
                                 milliseconds(30'000))) {
      return;
    }
    const std::string words = server_->output();
    server_.reset();
    if (Clock::now() > deadline) throw std::runtime_error("PostgreSQL does not start: " + words);
    ::poll(nullptr, 0, 50);
  }
}

void Postgres::end(int number) {
  if (!server_) return;
  server_->signal(SIGCONT);
  server_->signal(number);
  const bool ended = server_->wait(milliseconds(30'000)).has_value();
  const std::string words = server_->output();
  server_.reset();
  if (!ended) throw std::runtime_error("PostgreSQL does not end: " + words);
}

void Postgres::stop() { end(SIGINT); }
void Postgres::stop_immediate() { end(SIGQUIT); }
void Postgres::kill() { end(SIGKILL); }

void Postgres::signal_children(int number) const {
  if (!server_) throw std::runtime_error("PostgreSQL is not running");
  const std::string id = std::to_string(server_->id());
  std::ifstream list("/proc/" + id + "/task/" + id + "/children");
  for (pid_t child = 0; list >> child;) ::kill(child, number);
}

void Postgres::freeze() {
  server_->signal(SIGSTOP);
  signal_children(SIGSTOP);
}

void Postgres::thaw() {
  signal_children(SIGCONT);
  server_->signal(SIGCONT);
}

}  // namespace alphaswarm::testing
