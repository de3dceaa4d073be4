#include "alphaswarm/api/testing/service.hpp"

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <utility>

#include "alphaswarm/api/testing/schema_check.hpp"
#include "alphaswarm/base/ids.hpp"

namespace alphaswarm::api::testing {
namespace {

std::shared_ptr<persistence::Database> open_database(const std::filesystem::path& folder,
                                                     std::string_view url) {
  std::filesystem::create_directories(folder);
  const std::string file = (folder / "test.db").string();
  auto database = persistence::Database::open(url.empty() ? std::string_view(file) : url);
  EXPECT_TRUE(database.has_value()) << database.error().message;
  const Result<void> migrated = persistence::migrate(**database);
  EXPECT_TRUE(migrated.has_value()) << migrated.error().message;
  return *database;
}

}  // namespace

Service::Service(const Adjust& adjust, Parts parts)
    : folder_(std::filesystem::temp_directory_path() / ("alphaswarm-api-" + random_uuid())),
      database_(open_database(folder_, parts.database_url)),
      broker_(tasks::make_memory_broker()),
      bus_(parts.bus ? std::move(parts.bus) : tasks::make_memory_bus()),
      progress_(std::make_shared<tasks::ProgressBus>(bus_, database_)),
      queue_(std::make_unique<tasks::TaskQueue>(broker_, bus_, database_)),
      results_(std::make_unique<tasks::ForeignResults>(broker_, database_, progress_)),
      kill_switch_(std::make_unique<trading::KillSwitch>(bus_, database_)),
      client_(std::make_unique<net::HttpClient>(client_runtime_)) {
  ApiDependencies dependencies{.runtime = runtime_,
                               .database = *database_,
                               .queue = *queue_,
                               .progress = *progress_,
                               .results = *results_,
                               .bus = *bus_,
                               .kill_switch = *kill_switch_,
                               .venues = {},
                               .version = "0.0.0-test",
                               .trace_ui_url = "http://127.0.0.1:16686",
                               .health_checks = {},
                               .more_metrics = {},
                               .pages = {}};
  if (adjust) adjust(dependencies);
  net::HttpServerConfig config;
  config.observer = parts.observer;
  auto server = net::HttpServer::start(runtime_, make_router(std::move(dependencies)), config);
  EXPECT_TRUE(server.has_value()) << server.error().message;
  server_ = std::move(*server);
}

Service::~Service() {
  server_->stop();
  if (worker_) worker_->stop(std::chrono::milliseconds(1000));
  worker_.reset();
  runtime_.stop();
  client_runtime_.stop();
  database_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Service::start_worker(const std::function<void(tasks::Worker&)>& register_tasks) {
  worker_ = std::make_unique<tasks::Worker>(runtime_, broker_, bus_, database_, progress_,
                                            tasks::WorkerConfig{});
  register_tasks(*worker_);
  worker_->start();
}

void Service::start_worker(std::string_view task_name, tasks::TaskFunction function) {
  start_worker([&](tasks::Worker& worker) {
    worker.register_task(std::string(task_name), std::move(function));
  });
}

tasks::TaskResult Service::wait_for(std::string task_id) {
  Result<tasks::TaskResult> result =
      net::block_on(client_runtime_, queue_->wait(std::move(task_id), std::chrono::seconds(30)));
  EXPECT_TRUE(result.has_value()) << result.error().message;
  return result ? std::move(*result) : tasks::TaskResult{};
}

net::HttpResponse Service::send(std::string method, std::string path, std::string body,
                                net::Headers headers) {
  net::ClientRequest request;
  request.headers = std::move(headers);
  request.method = std::move(method);
  request.url = "http://127.0.0.1:" + std::to_string(server_->port()) + path;
  if (!body.empty()) request.headers.set("content-type", "application/json");
  request.body = std::move(body);
  Result<net::HttpResponse> response =
      net::block_on(client_runtime_, client_->send(std::move(request)));
  EXPECT_TRUE(response.has_value()) << response.error().message;
  return response ? std::move(*response) : net::HttpResponse{.status = 0};
}

boost::json::value Service::get_json(std::string path, std::string_view type) {
  return call("GET", std::move(path), {}, 200, type);
}

boost::json::value Service::call(std::string method, std::string path, std::string body, int status,
                                 std::string_view type) {
  const std::string asked = method + " " + path;
  const net::HttpResponse response = send(std::move(method), std::move(path), std::move(body));
  EXPECT_EQ(response.status, status) << asked << ": " << response.body;
  EXPECT_EQ(response.headers.get("content-type").value_or("none"), "application/json") << asked;
  boost::json::value reply = boost::json::parse(response.body);
  EXPECT_EQ(mismatch(reply, type), "") << asked << ": " << response.body.substr(0, 2000);
  return reply;
}

std::string Service::refusal(std::string method, std::string path, std::string body, int status) {
  const boost::json::value reply =
      call(std::move(method), std::move(path), std::move(body), status, "ErrorDetail");
  return std::string(reply.at("detail").as_string());
}

std::string Service::websocket_url(std::string_view path) const {
  return "ws://127.0.0.1:" + std::to_string(server_->port()) + std::string(path);
}

}  // namespace alphaswarm::api::testing
