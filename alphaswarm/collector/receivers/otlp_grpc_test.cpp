#include "alphaswarm/collector/receivers/otlp_grpc.hpp"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <future>
#include <map>

#include "alphaswarm/collector/collector.hpp"
#include "alphaswarm/collector/processors/memory_limiter.hpp"
#include "alphaswarm/tracestore/memory_store.hpp"
#include "tests/support/otlp_builder.hpp"

namespace alphaswarm::collector {
namespace {

using namespace alphaswarm::testing;

struct Reply {
  grpc::Status status;
  std::string body;
  std::map<std::string, std::string> trailers;
};

class Client {
 public:
  explicit Client(std::uint16_t port, grpc_compression_algorithm compression = GRPC_COMPRESS_NONE)
      : compression_(compression),
        stub_(grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                                  grpc::InsecureChannelCredentials())) {}

  Reply call(
      const std::string& request,
      const std::string& method = "/opentelemetry.proto.collector.trace.v1.TraceService/Export") {
    grpc::ClientContext context;
    context.set_compression_algorithm(compression_);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    const grpc::Slice slice(request);
    const grpc::ByteBuffer sent(&slice, 1);
    grpc::ByteBuffer received;
    std::promise<grpc::Status> done;
    stub_.UnaryCall(&context, method, {}, &sent, &received,
                    [&done](grpc::Status status) { done.set_value(std::move(status)); });
    Reply reply{.status = done.get_future().get(), .body = {}, .trailers = {}};
    std::vector<grpc::Slice> slices;
    if (received.Valid() && received.Dump(&slices).ok()) {
      for (const auto& s : slices) {
        reply.body.append(reinterpret_cast<const char*>(s.begin()), s.size());
      }
    }
    for (const auto& [key, value] : context.GetServerTrailingMetadata()) {
      reply.trailers[{key.data(), key.size()}] = {value.data(), value.size()};
    }
    return reply;
  }

 private:
  grpc_compression_algorithm compression_;
  grpc::GenericStub stub_;
};

CollectorConfig grpc_only() {
  CollectorConfig config = embedded_profile();
  config.telemetry.reset();
  config.receivers["otlp"] = OtlpReceiverConfig{
      .grpc = OtlpGrpcReceiverConfig{.endpoint = {.port = 0}, .max_message_bytes = 100'000},
      .http = {}};
  config.pipelines.resize(1);
  config.pipelines[0].exporters = {"store"};
  return config;
}

TEST(OtlpGrpc, TakesPlainAndCompressedRequests) {
  auto store = std::make_shared<tracestore::MemoryStore>();
  auto collector = Collector::start(grpc_only(), {.store = store});
  ASSERT_TRUE(collector) << collector.error().message;
  const std::uint16_t port = (*collector)->grpc_port();
  const Reply plain = Client(port).call(request("api", {{.id = span_id(1)}}));
  EXPECT_TRUE(plain.status.ok()) << plain.status.error_message();
  EXPECT_EQ(plain.body, "");
  Client zipped(port, GRPC_COMPRESS_GZIP);
  EXPECT_TRUE(zipped.call(request("api", {{.id = span_id(2)}, {.id = span_id(3)}})).status.ok());
  const Reply partial = Client(port).call(request("api", {{.id = {}}, {.id = span_id(4)}}));
  EXPECT_TRUE(partial.status.ok());
  EXPECT_NE(partial.body.find("spans without a trace id or span id: 1"), std::string::npos);
  (*collector)->stop();
  EXPECT_EQ(store->stats().spans, 4U);
}

TEST(OtlpGrpc, RefusesWhatItCannotRead) {
  auto store = std::make_shared<tracestore::MemoryStore>();
  auto collector = Collector::start(grpc_only(), {.store = store});
  ASSERT_TRUE(collector);
  Client client((*collector)->grpc_port());
  const Reply garbage = client.call("garbage");
  EXPECT_EQ(garbage.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_FALSE(garbage.trailers.contains("google.rpc.retryinfo-bin"));
  EXPECT_EQ(client.call(std::string(200'000, 'x')).status.error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(client.call("", "/opentelemetry.proto.collector.logs.v1.LogsService/Export")
                .status.error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(store->stats().spans, 0U);
}

TEST(OtlpGrpc, ALimitIsRetryableAndSaysWhen) {
  CollectorConfig config = grpc_only();
  config.processors["memory_limiter"] = MemoryLimiterConfig{.limit_bytes = 1};
  auto collector = Collector::start(config, {.store = std::make_shared<tracestore::MemoryStore>()});
  ASSERT_TRUE(collector);
  if (heap_in_use() == 0) GTEST_SKIP() << "this allocator does not tell";
  const Reply reply = Client((*collector)->grpc_port()).call(request("api", {{}}));
  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  // RetryInfo{retry_delay: {seconds: 1}}
  EXPECT_EQ(reply.trailers.at("google.rpc.retryinfo-bin"), std::string("\x0a\x02\x08\x01"));
  EXPECT_NE(reply.status.error_details().find("type.googleapis.com/google.rpc.RetryInfo"),
            std::string::npos);
  EXPECT_TRUE(reply.trailers.contains("grpc-status-details-bin"));
}

TEST(OtlpGrpc, ABusyPortIsNamed) {
  auto first =
      Collector::start(grpc_only(), {.store = std::make_shared<tracestore::MemoryStore>()});
  ASSERT_TRUE(first);
  CollectorConfig config = grpc_only();
  std::get<OtlpReceiverConfig>(config.receivers["otlp"]).grpc->endpoint.port =
      (*first)->grpc_port();
  const auto second =
      Collector::start(config, {.store = std::make_shared<tracestore::MemoryStore>()});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::unavailable);
  EXPECT_NE(second.error().message.find(std::to_string((*first)->grpc_port())), std::string::npos);
}

}  // namespace
}  // namespace alphaswarm::collector
