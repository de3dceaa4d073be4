// The instrumentations together: a client calls a server that uses a database, each a service of
// its own with its own event loop, and all of it is one trace.

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "alphaswarm/instrumentation/http_client.hpp"
#include "alphaswarm/instrumentation/http_server.hpp"
#include "alphaswarm/instrumentation/spans_for_tests.hpp"
#include "alphaswarm/instrumentation/sql.hpp"
#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/net/http_server.hpp"
#include "alphaswarm/net/task.hpp"
#include "alphaswarm/persistence/database.hpp"
#include "tests/support/process.hpp"

namespace alphaswarm::instrumentation {
namespace {

namespace otel = alphaswarm::observability;

class TracedPath : public ::testing::Test {
 protected:
  TracedPath() {
    auto database =
        persistence::Database::open("sqlite:///" + (folder_.path() / "test.db").string(),
                                    persistence::DatabaseOptions{.observer = &sql_observer_});
    EXPECT_TRUE(database);
    database_ = *database;
    EXPECT_TRUE(database_->execute("CREATE TABLE orders (id TEXT PRIMARY KEY)"));

    net::Router router;
    const auto order = [this](const net::HttpRequest& request) -> net::task<net::HttpResponse> {
      const auto id = std::string(*request.path_param("id"));
      (void)co_await net::sleep_for(std::chrono::microseconds(100));
      const auto inserted = database_->execute("INSERT INTO orders (id) VALUES ($1)", {id});
      co_return net::HttpResponse::text(inserted ? 201 : 409, "");
    };
    router.add({"POST", "/orders/{id}", order});
    auto server =
        net::HttpServer::start(server_runtime_, std::move(router), {.observer = &server_observer_});
    EXPECT_TRUE(server);
    server_ = std::move(*server);
  }
  ~TracedPath() override {
    server_.reset();
    database_.reset();
  }
  net::task<int> submit(std::string id) {
    net::ClientRequest request;
    request.method = "POST";
    request.url = "http://127.0.0.1:" + std::to_string(server_->port()) + "/orders/" + id;
    const auto response = co_await client_.send(std::move(request));
    co_return response ? response->status : 0;
  }

  SpanKeeper client_spans_{"alphaswarm-paper-trader"};
  SpanKeeper server_spans_{"alphaswarm-exchange"};
  TracingHttpClientObserver client_observer_;
  TracingHttpServerObserver server_observer_{server_spans_.provider()};
  TracingSqlObserver sql_observer_;
  testing::TemporaryFolder folder_;
  net::Runtime client_runtime_{"client", 2};
  net::Runtime server_runtime_{"server", 2};
  std::shared_ptr<persistence::Database> database_;
  std::unique_ptr<net::HttpServer> server_;
  net::HttpClient client_{client_runtime_, {.observer = &client_observer_}};
};

TEST_F(TracedPath, OneRequestIsOneTraceOverTwoServices) {
  auto work = [&]() -> net::task<void> {
    otel::SpanOptions options;
    options.provider = client_spans_.provider();
    const otel::Span root = otel::span("broker.submit_order", options);
    EXPECT_EQ(co_await submit("a"), 201);
    EXPECT_EQ(co_await submit("a"), 409);
  };
  net::block_on(client_runtime_, work());
  server_->stop();  // the server's spans have ended
  const auto ours = client_spans_.spans();
  const auto theirs = server_spans_.spans();
  ASSERT_EQ(ours.size(), 3U);
  ASSERT_EQ(theirs.size(), 4U);
  std::map<SpanId, otel::FinishedSpan> by_id;
  for (const auto& span : ours) by_id[span.span_id] = span;
  for (const auto& span : theirs) by_id[span.span_id] = span;
  const auto parent_name = [&](const otel::FinishedSpan& span) {
    return span.parent_id.is_valid() ? by_id.at(span.parent_id).name : "";
  };
  for (const auto& [id, span] : by_id) {
    EXPECT_EQ(span.trace_id, ours.front().trace_id);
    if (span.name == "POST") EXPECT_EQ(parent_name(span), "broker.submit_order");
    if (span.name == "POST /orders/{id}") EXPECT_EQ(parent_name(span), "POST");
    if (span.name == "INSERT orders") EXPECT_EQ(parent_name(span), "POST /orders/{id}");
    if (span.name == "INSERT orders") EXPECT_EQ(span.service_name, "alphaswarm-exchange");
  }
}

TEST_F(TracedPath, ConcurrentRequestsKeepApart) {
  constexpr int kRequests = 200;
  auto one = [&](int number) -> net::task<int> {
    otel::SpanOptions options;
    options.provider = client_spans_.provider();
    options.root = true;
    const std::string name = "order " + std::to_string(number);
    const otel::Span root = otel::span(name, options);
    co_return co_await submit("n" + std::to_string(number));
  };
  auto everyone = [&]() -> net::task<void> {
    std::vector<net::task<int>> work;
    for (int i = 0; i < kRequests; ++i) work.push_back(one(i));
    for (const int status : co_await net::all(std::move(work))) EXPECT_EQ(status, 201);
  };
  net::block_on(client_runtime_, everyone());
  server_->stop();
  // Each trace: the root and its client span here; the server's and the database's there.
  std::map<TraceId, std::map<std::string, int>> traces;
  for (const auto& span : client_spans_.spans()) {
    ++traces[span.trace_id][span.parent_id.is_valid() ? span.name : "root"];
  }
  for (const auto& span : server_spans_.spans()) ++traces[span.trace_id][span.name];
  EXPECT_EQ(traces.size(), static_cast<std::size_t>(kRequests));
  const std::map<std::string, int> expected = {
      {"root", 1}, {"POST", 1}, {"POST /orders/{id}", 1}, {"INSERT orders", 1}};
  for (const auto& [id, names] : traces) EXPECT_EQ(names, expected);
}

}  // namespace
}  // namespace alphaswarm::instrumentation
