#include "alphaswarm/api/routes/stream.hpp"

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "alphaswarm/api/testing/service.hpp"

namespace alphaswarm::api {
namespace {

using testing::Service;

constexpr std::string_view kTask = "alphaswarm.tasks.test_tasks.slow";

struct Seen {
  std::vector<std::string> stages;
  std::vector<std::string> bars;  // messages of the frames of stage "bar"
  std::uint16_t close_code = 0;
};

// Everything until the service closes; sets `on_frame` at the first frame.
net::task<Seen> watch(std::string url, net::AsyncEvent* on_frame, net::Headers headers = {}) {
  Seen seen;
  Result<net::WebSocket> socket =
      co_await net::connect_websocket(std::move(url), std::move(headers));
  if (!socket) {
    seen.stages.push_back("no connection: " + socket.error().message);
    co_return seen;
  }
  while (true) {
    const Result<std::optional<std::string>> message = co_await socket->receive();
    if (!message) {
      seen.stages.push_back("lost: " + message.error().message);
      break;
    }
    if (!message->has_value()) break;
    if (on_frame != nullptr) on_frame->set();
    const boost::json::value frame = boost::json::parse(**message);
    seen.stages.emplace_back(frame.at("stage").as_string());
    if (seen.stages.back() == "bar") seen.bars.emplace_back(frame.at("message").as_string());
    for (const char* field : {"task_id", "timestamp", "tags", "traceparent"}) {
      EXPECT_TRUE(frame.as_object().contains(field)) << field;
    }
  }
  seen.close_code = socket->close_code();
  co_return seen;
}

std::string start_task(Service& service) {
  Result<std::string> id = net::block_on(service.client_runtime(),
                                         service.queue().apply_async(std::string(kTask), {}, {}));
  EXPECT_TRUE(id.has_value()) << id.error().message;
  return id.value_or("");
}

TEST(StreamRoutes, RelaysEveryFrameAndClosesAfterDone) {
  net::AsyncEvent watched;
  Service service;
  service.start_worker(kTask,
                       [&](tasks::TaskContext& context) -> net::task<Result<boost::json::value>> {
                         // Frames until one arrives: only then is it sure that somebody listens.
                         while (!watched.is_set()) {
                           co_await context.progress.emit(context.id, "waiting", "for a reader");
                           (void)co_await watched.wait_for(std::chrono::milliseconds(5));
                         }
                         for (int i = 0; i < 200; ++i) {
                           co_await context.progress.emit(context.id, "bar", std::to_string(i));
                         }
                         co_return boost::json::value(42);
                       });
  const std::string id = start_task(service);
  const Seen seen = net::block_on(service.client_runtime(),
                                  watch(service.websocket_url("/chat/stream/" + id), &watched));
  ASSERT_FALSE(seen.stages.empty());
  EXPECT_EQ(seen.stages.back(), "done");
  EXPECT_EQ(seen.close_code, 1000);
  ASSERT_EQ(seen.bars.size(), 200U);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(seen.bars[i], std::to_string(i));
}

TEST(StreamRoutes, AStoppingServiceSaysSo) {
  net::AsyncEvent watched;
  Service service;
  service.start_worker(kTask,
                       [&](tasks::TaskContext& context) -> net::task<Result<boost::json::value>> {
                         while (!watched.is_set()) {
                           co_await context.progress.emit(context.id, "waiting", "for a reader");
                           (void)co_await watched.wait_for(std::chrono::milliseconds(5));
                         }
                         (void)co_await net::sleep_for(std::chrono::minutes(10));  // until stopped
                         co_return fail(ErrorCode::cancelled, "stopped");
                       });
  const std::string id = start_task(service);
  std::optional<Seen> seen;
  net::AsyncEvent finished;
  net::spawn(service.client_runtime(), [&]() -> net::task<void> {
    seen = co_await watch(service.websocket_url("/chat/stream/" + id), &watched);
    finished.set();
  });
  const auto reached = [](net::AsyncEvent& event) -> net::task<Result<void>> {
    co_return co_await event.wait_for(std::chrono::seconds(10));
  };
  ASSERT_TRUE(net::block_on(service.client_runtime(), reached(watched)).has_value());
  service.stop_server();
  ASSERT_TRUE(net::block_on(service.client_runtime(), reached(finished)).has_value());
  EXPECT_EQ(seen->close_code, 1001);
}

TEST(StreamRoutes, ALateClientGetsTheLastFrame) {
  Service service;
  service.start_worker(kTask, [](tasks::TaskContext&) -> net::task<Result<boost::json::value>> {
    co_return fail(ErrorCode::invalid_argument, "it could not be done");
  });
  const std::string id = start_task(service);
  const auto result =
      net::block_on(service.client_runtime(), service.queue().wait(id, std::chrono::seconds(10)));
  ASSERT_TRUE(result.has_value()) << result.error().message;
  const Seen seen = net::block_on(service.client_runtime(),
                                  watch(service.websocket_url("/chat/stream/" + id), nullptr));
  EXPECT_EQ(seen.stages, std::vector<std::string>{"error"});
  EXPECT_EQ(seen.close_code, 1000);
}

TEST(StreamRoutes, AnUnknownTaskIsClosedWithItsOwnCode) {
  Service service;
  const Seen seen = net::block_on(service.client_runtime(),
                                  watch(service.websocket_url("/chat/stream/nobody"), nullptr));
  EXPECT_TRUE(seen.stages.empty());
  EXPECT_EQ(seen.close_code, 4404);
}

TEST(StreamRoutes, APageOfAnotherSiteSeesNothing) {
  Service service;
  net::Headers headers{{"origin", "https://evil.example"}};
  const Seen seen = net::block_on(
      service.client_runtime(),
      watch(service.websocket_url("/chat/stream/nobody"), nullptr, std::move(headers)));
  EXPECT_TRUE(seen.stages.empty());
  EXPECT_EQ(seen.close_code, 4403);
}

}  // namespace
}  // namespace alphaswarm::api
