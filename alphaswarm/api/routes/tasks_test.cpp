#include "alphaswarm/api/routes/tasks.hpp"

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <string>

#include "alphaswarm/api/testing/service.hpp"

namespace alphaswarm::api {
namespace {

using testing::Service;

constexpr std::string_view kTask = "alphaswarm.tasks.test_tasks.by_name";

std::string start(Service& service, boost::json::object arguments) {
  Result<std::string> id =
      net::block_on(service.client_runtime(),
                    service.queue().apply_async(std::string(kTask), {}, std::move(arguments), {}));
  EXPECT_TRUE(id.has_value()) << id.error().message;
  return id.value_or("");
}

TEST(TaskRoutes, TellStateResultAndError) {
  Service service;
  net::AsyncEvent release;
  service.start_worker(kTask,
                       [&](tasks::TaskContext& context) -> net::task<Result<boost::json::value>> {
                         (void)co_await release.wait_for(std::chrono::seconds(20));
                         if (context.argument("fail", 0) != nullptr) {
                           co_return fail(ErrorCode::invalid_argument, "it was to fail");
                         }
                         co_return boost::json::array{1, "two"};
                       });
  const std::string good = start(service, {});
  const std::string bad = start(service, {{"fail", true}});
  const auto open = service.get_json("/tasks/" + good, "Task");
  EXPECT_TRUE(open.at("result").is_null());
  EXPECT_TRUE(open.at("finished_at").is_null());
  EXPECT_EQ(open.at("name").as_string(), kTask);
  release.set();
  (void)service.wait_for(good);
  (void)service.wait_for(bad);
  const auto done = service.get_json("/tasks/" + good, "Task");
  EXPECT_EQ(done.at("status"), "SUCCESS");
  EXPECT_EQ(done.at("result"), (boost::json::array{1, "two"}));
  EXPECT_TRUE(done.at("error").is_null());
  const auto failed = service.get_json("/tasks/" + bad, "Task");
  EXPECT_EQ(failed.at("status"), "FAILURE");
  EXPECT_EQ(failed.at("error"), "it was to fail");
  EXPECT_TRUE(failed.at("result").is_null());
  EXPECT_FALSE(failed.at("finished_at").is_null());
}

TEST(TaskRoutes, ATaskNobodyKnows) {
  Service service;
  EXPECT_EQ(service.refusal("GET", "/tasks/nobody", "", 404), "There is no task 'nobody'.");
}

}  // namespace
}  // namespace alphaswarm::api
