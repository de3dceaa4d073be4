#pragma once

// The whole system, each part a process of its own: PostgreSQL, Redis, collector, exchange, API,
// two workers, and a paper trader, which is a worker that takes only the queue `paper`.

#include <array>
#include <memory>
#include <string>

#include "tests/integration/system.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/redis.hpp"

namespace alphaswarm::testing {

// What has to run before the first of our services does.
struct Servers {
  explicit Servers(PostgresOptions options = {});
  [[nodiscard]] Variables environment() const;
  // What `text` gives on the system's database, a row a line, columns divided by '|'.
  [[nodiscard]] std::string sql(const std::string& text) const;

  Postgres postgres;
  RedisServer redis;
  CollectorProcess collector;
  ExchangeProcess exchange;
  std::string database_url;
};

// The account at the exchange that is Alpaca to our services.
inline constexpr const char* kLiveKey = "live-account";

class Apart : private Servers, public TradingApi {
 public:
  Apart();
  ~Apart();

  using Servers::collector;
  using Servers::exchange;
  using Servers::postgres;
  using Servers::redis;
  using Servers::sql;

  // The worker that runs the sessions.
  [[nodiscard]] Process& paper_worker() noexcept { return *paper_worker_; }
  // After it was killed.
  void start_paper_worker();

 private:
  [[nodiscard]] std::unique_ptr<Process> start(const std::string& name,
                                               std::vector<std::string> arguments) const;
  explicit Apart(int port);

  std::unique_ptr<Process> api_process_;
  std::unique_ptr<Process> workers_[2];
  std::unique_ptr<Process> paper_worker_;
};

}  // namespace alphaswarm::testing
