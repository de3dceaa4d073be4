#include "alphaswarm/collector/collector.hpp"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <atomic>
#include <numeric>
#include <thread>

#include "alphaswarm/base/thread.hpp"
#include "alphaswarm/collector/processors/batch.hpp"
#include "alphaswarm/collector/processors/memory_limiter.hpp"
#include "alphaswarm/collector/receivers/decompress.hpp"
#include "alphaswarm/collector/receivers/otlp_http.hpp"
#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/observability/export/batch_sink.hpp"
#include "alphaswarm/tracestore/memory_store.hpp"
#include "tests/support/otlp_builder.hpp"

namespace alphaswarm::collector {
namespace {

using namespace alphaswarm::testing;
using observability::SinkResult;

CollectorConfig free_ports() {
  CollectorConfig config = embedded_profile();
  config.receivers["otlp"] = OtlpReceiverConfig{
      .grpc = {},
      .http = OtlpHttpReceiverConfig{.endpoint = {.port = 0},
                                     .max_body_bytes = 100'000,
                                     .cors = {.allowed_origins = {"http://*.test"}}}};
  config.pipelines.resize(1);
  config.pipelines[0].exporters = {"store"};
  config.telemetry.reset();
  return config;
}

const StageStats& stage(const std::vector<StageStats>& all, std::string_view id) {
  for (const StageStats& one : all) {
    if (one.id.starts_with(id)) return one;
  }
  throw std::out_of_range(std::string(id));
}

SinkResult send(observability::BatchSink& sink, const std::vector<SpanSpec>& spans) {
  const std::string bytes = request("api", spans);
  return sink.send({.request = bytes, .span_count = 0}, std::chrono::seconds(1));
}

TEST(Collector, PassesSpansToTheStoreAndCountsEveryStage) {
  auto store = std::make_shared<tracestore::MemoryStore>();
  auto started = Collector::start(free_ports(), {.store = store});
  ASSERT_TRUE(started) << started.error().message;
  Collector& collector = **started;
  const auto sink = collector.in_process_sink();
  EXPECT_EQ(send(*sink, {{.id = span_id(1)}, {.id = span_id(2)}}).status, SinkResult::accepted);
  const SinkResult partial = send(*sink, {{.id = {}}, {.id = span_id(3)}});
  EXPECT_EQ(partial.status, SinkResult::accepted);
  EXPECT_EQ(partial.rejected_spans, 1U);
  EXPECT_EQ(sink->send({.request = "garbage", .span_count = 1}, {}).status, SinkResult::rejected);
  collector.stop();
  EXPECT_EQ(store->stats().spans, 3U);
  const auto stats = collector.stats();
  EXPECT_EQ(stage(stats, "receiver in_process").received, 3U);
  EXPECT_EQ(stage(stats, "receiver in_process").refused, 1U);
  EXPECT_EQ(stage(stats, "exporter store").sent, 3U);
  for (const StageStats& one : stats) {
    EXPECT_EQ(one.received, one.sent + one.dropped + one.held) << one.id;
    EXPECT_EQ(one.held, 0U) << one.id;
  }
  EXPECT_EQ(send(*sink, {{}}).status, SinkResult::retry);  // it may outlive the collector
  started->reset();
  EXPECT_EQ(send(*sink, {{}}).status, SinkResult::retry);
}

// Senders on several threads, stopped in the middle: what was accepted is in the store.
TEST(Collector, LosesNothingItAcceptedWhenItStops) {
  auto store = std::make_shared<tracestore::MemoryStore>();
  CollectorConfig config = free_ports();
  config.processors["batch"] = BatchConfig{.send_batch_size = 50, .timeout = std::chrono::hours(1)};
  auto collector = Collector::start(config, {.store = store});
  ASSERT_TRUE(collector);
  const auto sink = (*collector)->in_process_sink();
  std::atomic<std::uint64_t> accepted{0};
  std::vector<std::jthread> senders;
  for (std::uint32_t n = 0; n < 3; ++n) {
    senders.push_back(start_thread("sender", [&, n](std::stop_token) {
      for (std::uint32_t i = 0;; ++i) {
        const auto result = send(*sink, {{.trace = trace_id(n), .id = span_id(i + 1)}});
        if (result.status != SinkResult::accepted) return;
        accepted.fetch_add(1, std::memory_order_relaxed);
      }
    }));
  }
  while (accepted.load(std::memory_order_relaxed) < 1'000) std::this_thread::yield();
  (*collector)->stop();
  senders.clear();
  EXPECT_EQ(store->stats().added_spans, accepted.load(std::memory_order_relaxed));
}

TEST(Collector, BadPipelinesAreErrors) {
  const auto message = [](auto change) {
    CollectorConfig config = free_ports();
    change(config);
    const auto started =
        Collector::start(config, {.store = std::make_shared<tracestore::MemoryStore>()});
    return started ? std::string("started") : started.error().message;
  };
  EXPECT_EQ(message([](CollectorConfig& c) { c.pipelines[0].exporters = {"nowhere"}; }),
            "pipeline traces names exporter nowhere, which is not configured");
  EXPECT_EQ(message([](CollectorConfig& c) { c.pipelines[0].receivers = {"nowhere"}; }),
            "pipeline traces names receiver nowhere, which is not configured");
  EXPECT_EQ(message([](CollectorConfig& c) { c.pipelines[0].processors = {"nowhere"}; }),
            "pipeline traces names processor nowhere, which is not configured");
  EXPECT_EQ(message([](CollectorConfig& c) { c.pipelines[0].exporters.clear(); }),
            "pipeline traces has no exporters");
}

class Catcher final : public Consumer {
 public:
  Result<void> admit(std::uint64_t) override { return {}; }
  void consume(Batches batches) override {
    const std::lock_guard lock(mutex_);
    groups.push_back(span_count(batches));
    changed_.notify_all();
  }
  void drain(Deadline) override {}
  StageStats stats() const override { return {}; }
  std::vector<std::uint64_t> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(20), [&] { return groups.size() >= count; });
    return groups;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::uint64_t> groups;
};

Batch spans(std::uint32_t count) {
  std::vector<SpanSpec> specs(count);
  for (std::uint32_t i = 0; i < count; ++i) specs[i].id = span_id(i + 1);
  return std::make_shared<const otlp::TraceBatch>(batch("api", specs));
}

TEST(Batch, CollectsBySizeAndByTime) {
  auto next = std::make_shared<Catcher>();
  BatchProcessor by_size("b", {.send_batch_size = 10, .timeout = std::chrono::hours(1)}, next);
  by_size.consume({spans(4)});
  by_size.consume({spans(5)});
  by_size.consume({spans(3)});
  EXPECT_EQ(next->wait_for(1), (std::vector<std::uint64_t>{12}));
  by_size.consume({spans(2)});
  EXPECT_EQ(by_size.stats().held, 2U);
  by_size.drain({});
  EXPECT_EQ(next->wait_for(2), (std::vector<std::uint64_t>{12, 2}));
  EXPECT_EQ(by_size.stats().held, 0U);

  auto later = std::make_shared<Catcher>();
  BatchProcessor by_time("b", {.send_batch_size = 10, .timeout = std::chrono::milliseconds(5)},
                         later);
  by_time.consume({spans(3)});
  EXPECT_EQ(later->wait_for(1), (std::vector<std::uint64_t>{3}));
  by_time.drain({});
}

TEST(Batch, SplitsWhatIsTooLarge) {
  auto next = std::make_shared<Catcher>();
  BatchProcessor batch({"b"}, {.send_batch_size = 10, .send_batch_max_size = 10}, next);
  batch.consume({spans(4), spans(25), spans(3)});
  batch.drain({});
  const auto groups = next->wait_for(4);
  EXPECT_EQ(std::accumulate(groups.begin(), groups.end(), 0ULL), 32U);
  for (const std::uint64_t group : groups) EXPECT_LE(group, 10U);
}

TEST(MemoryLimiter, RefusesWhileMemoryIsShort) {
  std::size_t used = 0;
  auto next = std::make_shared<Catcher>();
  MemoryLimiter limiter(
      "memory_limiter",
      {.check_interval = std::chrono::milliseconds(0), .limit_bytes = 100, .spike_limit_bytes = 20},
      next, [&used] { return used; });
  EXPECT_TRUE(limiter.admit(1));
  used = 81;
  const auto refused = limiter.admit(5);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().retryable);
  EXPECT_EQ(limiter.stats().refused, 5U);
  used = 80;
  EXPECT_TRUE(limiter.admit(1));
}

std::string zipped(std::string_view text, int window_bits) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  std::string out(text.size() + 1'000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}
std::string zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

TEST(Decompress, AllEncodingsWithinABound) {
  const std::string text(50'000, 'x');
  EXPECT_EQ(decompress("gzip", zipped(text, 31), 50'000), text);
  EXPECT_EQ(decompress("deflate", zipped(text, 15), 50'000), text);
  EXPECT_EQ(decompress("deflate", zipped(text, -15), 50'000), text);
  EXPECT_EQ(decompress("zstd", zstd(text), 50'000), text);
  EXPECT_EQ(decompress("identity", text, 50'000), text);
  EXPECT_EQ(decompress("gzip", zipped(text, 31), 49'999).error().code,
            ErrorCode::resource_exhausted);
  EXPECT_EQ(decompress("zstd", zstd(text), 49'999).error().code, ErrorCode::resource_exhausted);
  for (const char* encoding : {"gzip", "deflate", "zstd"}) {
    EXPECT_FALSE(decompress(encoding, "not compressed", 50'000)) << encoding;
    EXPECT_FALSE(decompress(encoding, "", 50'000)) << encoding;
  }
  EXPECT_FALSE(decompress("gzip", zipped(text, 31).substr(0, 30), 50'000));
  EXPECT_EQ(decompress("br", text, 50'000).error().code, ErrorCode::unimplemented);
}

TEST(Wildcards, MatchWholeTexts) {
  EXPECT_TRUE(wildcard_match("*", "http://a"));
  EXPECT_TRUE(wildcard_match("http://*.test", "http://ui.test"));
  EXPECT_FALSE(wildcard_match("http://*.test", "http://ui.test.evil"));
  EXPECT_FALSE(wildcard_match("http://a", "http://ab"));
  EXPECT_TRUE(wildcard_match("a*b*c", "a-b-b-c"));
}

class OtlpHttp : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = Collector::start(free_ports(), {.store = store_});
    ASSERT_TRUE(started) << started.error().message;
    collector_ = std::move(*started);
  }
  net::HttpResponse post(std::string body, std::vector<net::Header> headers,
                         const std::string& path = "/v1/traces",
                         const std::string& method = "POST") {
    net::ClientRequest request;
    request.method = method;
    request.url = "http://127.0.0.1:" + std::to_string(collector_->http_port()) + path;
    for (net::Header& header : headers) request.headers.add(header.name, header.value);
    request.body = std::move(body);
    auto reply = net::block_on(runtime_, client_.send(std::move(request)));
    EXPECT_TRUE(reply) << reply.error().message;
    return reply ? *reply : net::HttpResponse{};
  }

  std::shared_ptr<tracestore::MemoryStore> store_ = std::make_shared<tracestore::MemoryStore>();
  std::unique_ptr<Collector> collector_;
  net::Runtime runtime_{"test", 1};
  net::HttpClient client_{runtime_};
};

const net::Header kProtobuf{"Content-Type", "application/x-protobuf"};
const net::Header kJson{"Content-Type", "application/json; charset=utf-8"};

TEST_F(OtlpHttp, TakesProtobufInEveryEncoding) {
  const std::string one = request("api", {{.id = span_id(1)}});
  const net::HttpResponse plain = post(one, {kProtobuf});
  EXPECT_EQ(plain.status, 200);
  EXPECT_EQ(plain.headers.get("content-type"), "application/x-protobuf");
  EXPECT_EQ(plain.body, "");
  EXPECT_EQ(post(zipped(one, 31), {kProtobuf, {"Content-Encoding", "gzip"}}).status, 200);
  EXPECT_EQ(post(zipped(one, 15), {kProtobuf, {"Content-Encoding", "deflate"}}).status, 200);
  EXPECT_EQ(post(zstd(one), {kProtobuf, {"Content-Encoding", "zstd"}}).status, 200);
  collector_->stop();
  EXPECT_EQ(store_->stats().added_spans, 4U);
}

TEST_F(OtlpHttp, TakesJson) {
  const net::HttpResponse reply = post(
      R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"web"}}]},
          "scopeSpans":[{"scope":{"name":"s"},"spans":[{"traceId":"0AF7651916CD43DD8448EB211C80319C",
          "spanId":"b7ad6b7169203331","name":"click","kind":3,"startTimeUnixNano":"1700000000000000001",
          "endTimeUnixNano":1700000000000000009,"flags":257,"unknown":{"a":[1]},
          "attributes":[{"key":"n","value":{"intValue":"42"}},{"key":"m","value":{"intValue":7}}],
          "events":[{"timeUnixNano":"5","name":"e"}],"status":{"code":2,"message":"no"}},
          {"traceId":"","spanId":"b7ad6b7169203331","name":"nameless"}]}]}]})",
      {kJson});
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.headers.get("content-type"), "application/json");
  EXPECT_EQ(
      reply.body,
      R"({"partialSuccess":{"rejectedSpans":"1","errorMessage":"spans without a trace id or span id: 1"}})");
  collector_->stop();
  const auto trace = store_->find(*TraceId::from_hex("0af7651916cd43dd8448eb211c80319c"));
  ASSERT_TRUE(trace);
  const auto& block = *trace->blocks[0];
  EXPECT_EQ(block.operations[0].service, "web");
  EXPECT_EQ(block.operations[0].kind, otlp::SpanKind::client);
  EXPECT_EQ(block.records[0].start_ns, 1'700'000'000'000'000'001U);
  EXPECT_EQ(block.records[0].duration_ns, 8U);
  EXPECT_TRUE(block.records[0].failed());
  const auto view = block.view(block.records[0]);
  EXPECT_EQ(view.flags, 257U);
  EXPECT_EQ(otlp::find_attribute(view.attributes(), "n").integer(), 42);
  EXPECT_EQ(otlp::find_attribute(view.attributes(), "m").integer(), 7);
}

TEST_F(OtlpHttp, ErrorsAreRpcStatusInTheRequestsEncoding) {
  const net::HttpResponse garbage = post("garbage", {kProtobuf});
  EXPECT_EQ(garbage.status, 400);
  EXPECT_EQ(garbage.headers.get("content-type"), "application/x-protobuf");
  EXPECT_TRUE(garbage.body.starts_with("\x08\x03\x12"));  // {code: 3, message: …}
  const net::HttpResponse bad_json = post(R"({"resourceSpans":7})", {kJson});
  EXPECT_EQ(bad_json.status, 400);
  EXPECT_EQ(
      bad_json.body,
      R"({"code":3,"message":"OTLP JSON: resourceSpans: an array is expected","details":[]})");
  EXPECT_EQ(post("{", {kJson}).status, 400);
  EXPECT_EQ(post("x", {{"Content-Type", "text/plain"}}).status, 415);
  EXPECT_EQ(post("", {}).status, 415);
  EXPECT_EQ(post("", {kProtobuf}, "/v1/traces", "GET").status, 405);
  EXPECT_EQ(post("", {kProtobuf}, "/v1/logs").status, 404);
  EXPECT_EQ(post("x", {kProtobuf, {"Content-Encoding", "br"}}).status, 400);
  EXPECT_EQ(post(std::string(200'000, 'x'), {kProtobuf}).status, 413);
  const std::string bomb = zipped(std::string(1'000'000, '\0'), 31);
  EXPECT_EQ(post(bomb, {kProtobuf, {"Content-Encoding", "gzip"}}).status, 413);
  EXPECT_EQ(store_->stats().added_spans, 0U);
}

TEST_F(OtlpHttp, AnswersBrowsersOfAllowedOrigins) {
  const net::HttpResponse asked =
      post("", {{"Origin", "http://ui.test"}, {"Access-Control-Request-Method", "POST"}},
           "/v1/traces", "OPTIONS");
  EXPECT_EQ(asked.status, 204);
  EXPECT_EQ(asked.headers.get("access-control-allow-origin"), "http://ui.test");
  const net::HttpResponse other = post("", {{"Origin", "http://evil"}}, "/v1/traces", "OPTIONS");
  EXPECT_FALSE(other.headers.contains("access-control-allow-origin"));
  const net::HttpResponse sent =
      post(request("web", {{}}), {kProtobuf, {"Origin", "http://ui.test"}});
  EXPECT_EQ(sent.headers.get("access-control-allow-origin"), "http://ui.test");
}

}  // namespace
}  // namespace alphaswarm::collector
