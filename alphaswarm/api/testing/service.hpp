#pragma once

// A whole service for tests: HTTP server on a free port, SQLite in a folder of its own, the
// in-memory broker and bus. What a test needs more (worker, exchange) it adds.

#include <boost/json/value.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "alphaswarm/api/api.hpp"
#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/net/http_server.hpp"
#include "alphaswarm/net/websocket_client.hpp"
#include "alphaswarm/persistence/database.hpp"
#include "alphaswarm/tasks/broker.hpp"
#include "alphaswarm/tasks/bus.hpp"
#include "alphaswarm/tasks/foreign_results.hpp"
#include "alphaswarm/tasks/progress.hpp"
#include "alphaswarm/tasks/queue.hpp"
#include "alphaswarm/tasks/worker.hpp"
#include "alphaswarm/trading/kill_switch/kill_switch.hpp"

namespace alphaswarm::api::testing {

// What a test changes in the dependencies before the server starts.
using Adjust = std::function<void(ApiDependencies&)>;

class Service {
 public:
  // What a test brings of its own.
  struct Parts {
    std::string database_url = {};                // of an empty database; empty: an SQLite file
    std::shared_ptr<tasks::Bus> bus = nullptr;    // null: one in memory
    net::HttpServerObserver* observer = nullptr;  // MUST outlive the service
  };
  explicit Service(const Adjust& adjust = {}) : Service(adjust, Parts()) {}
  Service(const Adjust& adjust, Parts parts);
  ~Service();

  // A worker in this process with those tasks; it runs until the service ends.
  void start_worker(const std::function<void(tasks::Worker&)>& register_tasks);
  void start_worker(std::string_view task_name, tasks::TaskFunction function);
  // The task's end; fails the test if it has none within half a minute.
  tasks::TaskResult wait_for(std::string task_id);

  [[nodiscard]] net::HttpResponse send(std::string method, std::string path, std::string body = {},
                                       net::Headers headers = {});
  [[nodiscard]] net::HttpResponse get(std::string path) { return send("GET", std::move(path)); }
  // The reply of a GET as JSON; fails the test unless it is 200 and of that type (schemas.cpp).
  [[nodiscard]] boost::json::value get_json(std::string path, std::string_view type);
  // The same for any request and status.
  [[nodiscard]] boost::json::value call(std::string method, std::string path, std::string body,
                                        int status, std::string_view type);
  // {"detail": "…"} of a request that must fail with that status.
  [[nodiscard]] std::string refusal(std::string method, std::string path, std::string body,
                                    int status);
  [[nodiscard]] std::string websocket_url(std::string_view path) const;

  [[nodiscard]] persistence::Database& database() { return *database_; }
  [[nodiscard]] const std::shared_ptr<persistence::Database>& shared_database() {
    return database_;
  }
  [[nodiscard]] const std::shared_ptr<tasks::Bus>& bus() { return bus_; }
  [[nodiscard]] const std::shared_ptr<tasks::ProgressBus>& progress() { return progress_; }
  [[nodiscard]] tasks::TaskQueue& queue() { return *queue_; }
  [[nodiscard]] net::Runtime& client_runtime() { return client_runtime_; }
  void stop_server() { server_->stop(); }

 private:
  std::filesystem::path folder_;
  std::shared_ptr<persistence::Database> database_;
  std::shared_ptr<tasks::Broker> broker_;
  std::shared_ptr<tasks::Bus> bus_;
  std::shared_ptr<tasks::ProgressBus> progress_;
  std::unique_ptr<tasks::TaskQueue> queue_;
  std::unique_ptr<tasks::ForeignResults> results_;
  std::unique_ptr<trading::KillSwitch> kill_switch_;
  net::Runtime runtime_{"api", 2, 4};  // as the service's own: some for calls that wait
  net::Runtime client_runtime_{"client", 1};
  std::unique_ptr<net::HttpClient> client_;
  std::unique_ptr<tasks::Worker> worker_;
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace alphaswarm::api::testing
