#include "tests/support/redis.hpp"

#include <signal.h>

#include <fstream>
#include <stdexcept>

namespace alphaswarm::testing {
namespace {

std::string run(std::vector<std::string> arguments, const std::filesystem::path& folder) {
  const std::string name = arguments[0];
  Process process(std::move(arguments), folder);
  const auto code = process.wait();
  if (!code || *code != 0) throw std::runtime_error(name + " failed: " + process.output());
  return process.output();
}

}  // namespace

RedisServer::RedisServer(Options options) : options_(std::move(options)), port_(free_port()) {
  if (options_.tls) make_certificate();
  if (!options_.acl.empty()) std::ofstream(folder_.path() / "users.acl") << options_.acl << "\n";
  start();
}

RedisServer::~RedisServer() { kill(); }

void RedisServer::make_certificate() {
  run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
       "-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=redis", "-addext",
       "subjectAltName=IP:127.0.0.1"},
      folder_.path());
}

std::string RedisServer::ca_file() const { return (folder_.path() / "cert.pem").string(); }

std::string RedisServer::url(int database) const {
  std::string text = options_.tls ? "rediss://" : "redis://";
  if (!options_.password.empty()) text += ":" + options_.password + "@";
  text += "127.0.0.1:" + std::to_string(port_) + "/" + std::to_string(database);
  if (options_.tls) text += "?ssl_ca_certs=" + ca_file();
  return text;
}

void RedisServer::start() {
  std::vector<std::string> arguments = {"redis-server",
                                        "--bind",
                                        "127.0.0.1",
                                        options_.tls ? "--tls-port" : "--port",
                                        std::to_string(port_),
                                        "--save",
                                        "",
                                        "--enable-debug-command",
                                        "yes",
                                        "--dir",
                                        folder_.path().string()};
  const auto add = [&](std::initializer_list<std::string> more) {
    arguments.insert(arguments.end(), more);
  };
  if (options_.tls) {
    add({"--port", "0", "--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem",
         "--tls-ca-cert-file", "cert.pem", "--tls-auth-clients", "no"});
  }
  if (!options_.password.empty()) add({"--requirepass", options_.password});
  if (!options_.acl.empty()) add({"--aclfile", (folder_.path() / "users.acl").string()});
  if (!options_.max_memory.empty()) {
    add({"--maxmemory", options_.max_memory, "--maxmemory-policy", "noeviction"});
  }
  arguments.insert(arguments.end(), options_.more.begin(), options_.more.end());
  process_ = std::make_unique<Process>(std::move(arguments), folder_.path());
  if (!process_->wait_for_output("Ready to accept connections")) {
    throw std::runtime_error("redis-server did not start: " + process_->output());
  }
}

void RedisServer::stop() {
  if (process_) std::ignore = process_->stop();
  process_.reset();
}

void RedisServer::kill() { process_.reset(); }

void RedisServer::freeze() { process_->signal(SIGSTOP); }

void RedisServer::thaw() { process_->signal(SIGCONT); }

std::string RedisServer::cli(std::vector<std::string> command) {
  std::vector<std::string> arguments = {"redis-cli", "-h", "127.0.0.1", "-p",
                                        std::to_string(port_)};
  if (options_.tls) arguments.insert(arguments.end(), {"--tls", "--cacert", ca_file()});
  if (!options_.password.empty()) {
    arguments.insert(arguments.end(), {"--no-auth-warning", "-a", options_.password});
  }
  arguments.insert(arguments.end(), command.begin(), command.end());
  return run(std::move(arguments), folder_.path());
}

}  // namespace alphaswarm::testing
