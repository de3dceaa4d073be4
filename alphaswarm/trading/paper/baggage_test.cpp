// What a caller sends as baggage is there wherever its request leads: API, queue, session, and the
// exchange that the session talks to; and its trace, though it came in another form than ours.

#include <mutex>
#include <set>

#include "alphaswarm/net/http_server.hpp"
#include "alphaswarm/observability/api/propagators.hpp"
#include "alphaswarm/tasks/queue.hpp"
#include "alphaswarm/trading/paper/session_fixture.hpp"

namespace alphaswarm::trading::paper {
namespace {

namespace json = boost::json;

// Notes the baggage of each request.
class NotingObserver final : public net::HttpServerObserver {
 public:
  explicit NotingObserver(otel::TracerProvider* provider) : tracing_(provider) {}
  net::ObserverToken started(const net::HttpRequest& request,
                             std::shared_ptr<void>& notes) override {
    const net::ObserverToken token = tracing_.started(request, notes);
    const std::scoped_lock lock(mutex_);
    seen_.insert(otel::current_baggage().to_header());
    return token;
  }
  void responding(net::ObserverToken token, const net::HttpRequest& request,
                  const net::HttpResponse& response, std::string& fields) override {
    tracing_.responding(token, request, response, fields);
  }
  void finished(net::ObserverToken token, int status, const Error* error) override {
    tracing_.finished(token, status, error);
  }
  std::set<std::string> seen() {
    const std::scoped_lock lock(mutex_);
    return seen_;
  }

 private:
  instrumentation::TracingHttpServerObserver tracing_;
  std::mutex mutex_;
  std::set<std::string> seen_;  // guarded by mutex_
};

class BaggageTest : public SessionFixture {};

TEST_F(BaggageTest, TravelsFromTheApiOverTheQueueToTheExchange) {
  store_bars(30);
  NotingObserver at_exchange(exchange_provider_.get());
  exchange::ExchangeConfig listening;
  listening.observer = &at_exchange;
  auto exchange = exchange::Exchange::start(exchange_runtime_, listening);
  ASSERT_TRUE(exchange);
  services_.exchange_url = (*exchange)->base_url();

  const auto worker_provider = make_provider("alphaswarm-worker");
  const auto broker = tasks::make_memory_broker();
  tasks::WorkerConfig config;
  config.provider = worker_provider.get();
  tasks::Worker worker(runtime_, broker, services_.bus, services_.database, services_.progress,
                       config);
  register_paper_tasks(worker, services_);
  worker.start();
  tasks::TaskQueue queue(broker, services_.bus, services_.database);

  otel::Config api_config;
  api_config.service_name = "alphaswarm-api";
  api_config.sink = sink_;
  api_config.on_full_wait = true;
  api_config.propagators = {otel::Propagator::b3, otel::Propagator::trace_context,
                            otel::Propagator::baggage};
  const auto api_provider = std::move(*otel::TracerProvider::create(std::move(api_config)));
  instrumentation::TracingHttpServerObserver api_observer(api_provider.get());
  net::Router router;
  const auto start = [&](const net::HttpRequest&) -> net::task<net::HttpResponse> {
    tasks::ApplyOptions options;
    options.queue = "paper";
    json::array args{document(), "carried"};
    const auto id = co_await queue.apply_async(std::string(kRunPaperTask), std::move(args), {},
                                               std::move(options));
    co_return net::HttpResponse::text(id ? 202 : 500, id ? *id : id.error().message);
  };
  router.add({"POST", "/paper/start", start});
  auto api = net::HttpServer::start(runtime_, std::move(router), {.observer = &api_observer});
  ASSERT_TRUE(api);
  net::HttpClient caller(runtime_);
  net::ClientRequest request;
  request.method = "POST";
  request.url = "http://127.0.0.1:" + std::to_string((*api)->port()) + "/paper/start";
  request.headers = {{"b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"},
                     {"baggage", "desk=fx"}};
  const auto accepted = net::block_on(runtime_, caller.send(std::move(request)));
  ASSERT_TRUE(accepted);
  ASSERT_EQ(accepted->status, 202) << accepted->body;
  const auto result = net::block_on(runtime_, queue.wait(accepted->body, std::chrono::seconds(30)));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status, tasks::kSuccess) << result->error;
  EXPECT_TRUE(worker.stop(std::chrono::seconds(5)));
  (*api)->stop();
  (*exchange)->stop();

  EXPECT_EQ(at_exchange.seen(), std::set<std::string>{"desk=fx"});
  EXPECT_TRUE(api_provider->force_flush());
  EXPECT_TRUE(worker_provider->force_flush());
  std::set<std::string> services;
  for (const otel::FinishedSpan& span : spans()) {
    EXPECT_EQ(span.trace_id.to_hex(), "0af7651916cd43dd8448eb211c80319c") << span.name;
    services.insert(span.service_name);
  }
  EXPECT_EQ(services, (std::set<std::string>{"alphaswarm-api", "alphaswarm-worker",
                                             "alphaswarm-paper-trader", "alphaswarm-exchange"}));
}

}  // namespace
}  // namespace alphaswarm::trading::paper
