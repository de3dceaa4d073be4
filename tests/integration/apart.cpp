#include "tests/integration/apart.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>

namespace alphaswarm::testing {
Servers::Servers(PostgresOptions options)
    : postgres(std::move(options)),
      exchange({{"ALPHASWARM_OTEL_ENDPOINT", collector.url(4317)}}),
      database_url(postgres.create_database()) {}

Variables Servers::environment() const {
  return {{"ALPHASWARM_OTEL_ENDPOINT", collector.url(4317)},
          {"ALPHASWARM_EXCHANGE_URL", exchange.url()},
          {"ALPHASWARM_ALPACA_BASE_URL", exchange.url()},
          {"ALPHASWARM_ALPACA_DATA_URL", exchange.url()},
          {"ALPHASWARM_ALPACA_STREAM_URL", "ws" + exchange.url().substr(4)},
          {"ALPHASWARM_ALPACA_KEY_ID", kLiveKey},
          {"ALPHASWARM_ALPACA_SECRET_KEY", "secret"},
          {"ALPHASWARM_DATABASE_URL", database_url},
          {"ALPHASWARM_REDIS_URL", redis.url()},
          {"ALPHASWARM_REDIS_PUBSUB_URL", redis.url()},
          // How long a killed worker keeps its session from the next one.
          {"ALPHASWARM_TASK_VISIBILITY_SECONDS", "5"}};
}

std::string Servers::sql(const std::string& text) const {
  return postgres.psql(database_url.substr(database_url.rfind('/') + 1), text);
}

Apart::Apart() : Apart(free_port()) {}

Apart::Apart(int port)
    : TradingApi("http://127.0.0.1:" + std::to_string(port)),
      api_process_(start("api", {"api", "--port", std::to_string(port)})),
      workers_{start("worker", {"worker", "--queues", "default", "backtest", "ingestion"}),
               start("worker-2", {"worker", "--queues", "default", "backtest", "ingestion"})} {
  start_paper_worker();
}

Apart::~Apart() = default;

void Apart::start_paper_worker() {
  paper_worker_ = start("paper", {"worker", "--queues", "paper"});
}

std::unique_ptr<Process> Apart::start(const std::string& name,
                                      std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), ALPHASWARM_BINARY);
  const std::filesystem::path folder = collector.folder() / name;
  std::filesystem::create_directories(folder);
  auto process = std::make_unique<Process>(std::move(arguments), folder, environment());
  if (!process->wait_for_output("ready")) {
    throw std::runtime_error(name + " did not get ready:\n" + process->output());
  }
  return process;
}

}  // namespace alphaswarm::testing
