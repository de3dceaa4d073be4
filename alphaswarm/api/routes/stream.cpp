#include "alphaswarm/api/routes/stream.hpp"

#include <string>
#include <utility>

#include "alphaswarm/tasks/foreign_results.hpp"
#include "alphaswarm/tasks/progress.hpp"

namespace alphaswarm::api {
namespace {

// Close codes: 1000, 1001 and 1011 are RFC 6455's; 4000–4999 are for applications.
constexpr std::uint16_t kDone = 1000;
constexpr std::uint16_t kGoingAway = 1001;
constexpr std::uint16_t kFailure = 1011;
constexpr std::uint16_t kUnknownTask = 4404;

struct Ending {
  std::uint16_t code = kDone;
  std::string reason;
};

// Every frame up to the terminal one. Ends early when the client is gone.
net::task<Ending> relay(tasks::ProgressStream& frames, net::WebSocket& socket) {
  while (std::optional<std::string> frame = co_await frames.next()) {
    const Result<void> sent = co_await socket.send_text(std::move(*frame));
    if (!sent) co_return Ending{kGoingAway, "the client is gone"};
  }
  co_return Ending{};
}

// What the client sends is of no interest, but that it leaves is; pings are answered meanwhile.
net::task<Ending> until_client_leaves(net::WebSocket& socket) {
  while (true) {
    const Result<std::optional<std::string>> message = co_await socket.receive();
    if (!message || !message->has_value()) co_return Ending{};
  }
}

net::task<Ending> serve(const ApiDependencies& service, std::string task_id,
                        net::WebSocket& socket) {
  // Not at the table alone: it may have ended unseen.
  const Result<std::optional<persistence::TaskRow>> task = co_await service.results.look(task_id);
  if (!task) co_return Ending{kFailure, "the tasks table does not answer"};
  if (!task->has_value()) co_return Ending{kUnknownTask, "there is no such task"};
  Result<tasks::ProgressStream> frames = co_await service.progress.subscribe(task_id);
  if (!frames) co_return Ending{kFailure, "the progress bus does not answer"};
  std::variant<Ending, Ending> first =
      co_await net::race(relay(*frames, socket), until_client_leaves(socket));
  if (net::this_task_stop_token().stop_requested()) {
    co_return Ending{kGoingAway, "the service stops"};  // which ended both
  }
  co_return first.index() == 0 ? std::get<0>(std::move(first)) : std::get<1>(std::move(first));
}

net::task<void> stream(const ApiDependencies& service, const net::HttpRequest& request,
                       net::WebSocket& socket) {
  const Ending ending =
      co_await serve(service, std::string(path_param(request, "task_id")), socket);
  co_await socket.close(ending.code, ending.reason);
}

}  // namespace

void add_stream_routes(RouteTable& table, const Context& context) {
  table.add_websocket({.method = "GET",
                       .path = "/chat/stream/{task_id}",
                       .tag = "tasks",
                       .summary = "Progress of a task, frame by frame",
                       .response = "ProgressFrame"},
                      [context](const net::HttpRequest& request, net::WebSocket& socket) {
                        return stream(*context, request, socket);
                      });
}

}  // namespace alphaswarm::api
