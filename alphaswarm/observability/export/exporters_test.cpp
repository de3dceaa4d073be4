#include <gtest/gtest.h>
#include <zlib.h>

#include <atomic>
#include <string>

#include "alphaswarm/observability/export/endpoint.hpp"
#include "alphaswarm/observability/export/otlp_grpc.hpp"
#include "alphaswarm/observability/export/otlp_http.hpp"
#include "alphaswarm/observability/export/otlp_response.hpp"
#include "alphaswarm/observability/export/test_server_test.hpp"
#include "alphaswarm/otlp/encode.hpp"

namespace alphaswarm::observability {
namespace {

using std::chrono::milliseconds;
using testing::GrpcReply;
using testing::GrpcServer;

std::string unzipped(const std::string& bytes) {
  z_stream stream{};
  ::inflateInit2(&stream, 16 + MAX_WBITS);
  std::string out(1U << 20U, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = ::inflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  ::inflateEnd(&stream);
  return result == Z_STREAM_END ? out : "not gzip";
}

std::string framed(std::string_view message) {
  std::string out(5, '\0');
  out[4] = static_cast<char>(message.size());
  return out + std::string(message);
}

std::string partial_success(std::uint64_t rejected, std::string_view why) {
  otlp::MessageWriter partial;
  partial.varint(1, rejected).bytes(2, why);
  return otlp::MessageWriter().bytes(1, partial.str()).str();
}

// google.rpc.Status with RetryInfo of the given milliseconds.
std::string retry_info(std::uint64_t ms) {
  otlp::MessageWriter duration;
  duration.varint(1, ms / 1'000).varint(2, ms % 1'000 * 1'000'000);
  otlp::MessageWriter any;
  any.bytes(1, "type.googleapis.com/google.rpc.RetryInfo");
  any.bytes(2, otlp::MessageWriter().bytes(1, duration.str()).str());
  return otlp::MessageWriter().varint(1, 8).bytes(2, "slow down").bytes(3, any.str()).str();
}

std::string base64(std::string_view bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t word = 0;
    const std::size_t size = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k) {
      word = word << 8U | (k < size ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < size + 1; ++k) out += kDigits[word >> (18 - 6 * k) & 63U];
  }
  return out;
}

GrpcSink grpc_sink(const std::string& endpoint, bool gzip = false) {
  return GrpcSink({*parse_endpoint(endpoint, 4317), {}, {{"X-Tenant", "7"}}, gzip});
}

constexpr milliseconds kTimeout{5'000};

TEST(GrpcSink, SendsUnaryCallsOverOneConnection) {
  GrpcServer server({GrpcReply{}, {.body = framed(partial_success(2, "too old"))}});
  GrpcSink sink = grpc_sink(server.endpoint());
  std::string large;  // more than the first flow-control window, and each part unlike the others
  while (large.size() < 300'000) large += std::to_string(large.size());
  EXPECT_EQ(sink.send({large, 10}, kTimeout).status, SinkResult::accepted);
  const SinkResult partly = sink.send({"second", 10}, kTimeout);
  EXPECT_EQ(partly.status, SinkResult::accepted);
  EXPECT_EQ(partly.rejected_spans, 2U);
  EXPECT_EQ(partly.message, "too old");
  const auto calls = server.calls();
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[0].body.substr(5), large);
  EXPECT_EQ(calls[1].body, framed("second"));
  EXPECT_EQ(calls[1].connection, 0);
  EXPECT_EQ(calls[0].headers.at(":path"),
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
  EXPECT_EQ(calls[0].headers.at("content-type"), "application/grpc");
  EXPECT_EQ(calls[0].headers.at("te"), "trailers");
  const std::string& timeout = calls[0].headers.at("grpc-timeout");  // what is left, in ms
  EXPECT_TRUE(timeout.ends_with('m')) << timeout;
  EXPECT_NEAR(std::stod(timeout), 5'000, 1'000) << timeout;
  EXPECT_EQ(calls[0].headers.at("x-tenant"), "7");
}

TEST(GrpcSink, SendsInAsSmallPiecesAsTheServerTakes) {
  GrpcServer server({}, 3);  // less than gRPC's prefix
  GrpcSink sink = grpc_sink(server.endpoint());
  EXPECT_EQ(sink.send({"first", 1}, kTimeout).status, SinkResult::accepted);
  EXPECT_EQ(sink.send({"some more", 1}, kTimeout).status, SinkResult::accepted);
  const auto calls = server.calls();
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[1].body, framed("some more"));
  EXPECT_EQ(calls[1].connection, 0);
}

// As the export thread gives them: of any size, also larger than a frame.
std::vector<std::string_view> in_pieces(std::string_view all) {
  std::vector<std::string_view> pieces;
  for (std::size_t size = 1; !all.empty(); size = size * 3 + 1) {
    pieces.push_back(all.substr(0, size));
    all.remove_prefix(pieces.back().size());
  }
  return pieces;
}

TEST(GrpcSink, SendsWhatLiesInPieces) {
  GrpcServer server({});
  std::string large;
  while (large.size() < 300'000) large += std::to_string(large.size());
  const auto pieces = in_pieces(large);
  ASSERT_GT(pieces.size(), 10U);
  for (const bool gzip : {false, true}) {
    GrpcSink sink = grpc_sink(server.endpoint(), gzip);
    EXPECT_EQ(sink.send({RequestBytes(pieces), 1}, kTimeout).status, SinkResult::accepted);
    EXPECT_EQ(sink.send({RequestBytes(pieces), 1}, kTimeout).status, SinkResult::accepted);
  }
  const auto calls = server.calls();
  ASSERT_EQ(calls.size(), 4U);
  EXPECT_TRUE(calls[0].body.substr(5) == large);
  EXPECT_TRUE(calls[1].body.substr(5) == large);
  EXPECT_TRUE(unzipped(calls[2].body.substr(5)) == large);
  EXPECT_TRUE(unzipped(calls[3].body.substr(5)) == large);
}

TEST(GrpcSink, CompressesWhereAsked) {
  GrpcServer server({GrpcReply{}});
  GrpcSink sink = grpc_sink(server.endpoint(), true);
  const std::string text(10'000, 'x');
  EXPECT_EQ(sink.send({text, 1}, kTimeout).status, SinkResult::accepted);
  const auto calls = server.calls();
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(calls[0].headers.at("grpc-encoding"), "gzip");
  EXPECT_EQ(calls[0].body[0], 1);
  EXPECT_EQ(unzipped(calls[0].body.substr(5)), text);
}

TEST(GrpcSink, RetriesOnlyWhatTheSpecificationAllows) {
  const std::pair<const char*, SinkResult::Status> table[] = {
      {"1", SinkResult::retry},     {"3", SinkResult::rejected}, {"4", SinkResult::retry},
      {"8", SinkResult::rejected},  {"10", SinkResult::retry},   {"12", SinkResult::rejected},
      {"13", SinkResult::rejected}, {"14", SinkResult::retry},   {"16", SinkResult::rejected},
  };
  std::deque<GrpcReply> script;
  for (const auto& [code, expected] : table) {
    script.push_back({.grpc_status = code, .message = "so%20be%20it"});
  }
  GrpcServer server(script);
  GrpcSink sink = grpc_sink(server.endpoint());
  for (const auto& [code, expected] : table) {
    const SinkResult result = sink.send({"x", 1}, kTimeout);
    EXPECT_EQ(result.status, expected) << code;
    EXPECT_NE(result.message.find("so be it"), std::string::npos) << result.message;
  }
}

TEST(GrpcSink, WaitsAsLongAsTheServerAsks) {
  GrpcServer server({{.grpc_status = "8", .details = base64(retry_info(2'500))}});
  GrpcSink sink = grpc_sink(server.endpoint());
  const SinkResult result = sink.send({"x", 1}, kTimeout);
  EXPECT_EQ(result.status, SinkResult::retry);
  EXPECT_EQ(result.retry_after, milliseconds(2'500));
}

TEST(GrpcSink, ReconnectsToAServerThatWentAway) {
  GrpcServer server({GrpcReply{}, GrpcReply{}});
  GrpcSink sink = grpc_sink(server.endpoint());
  EXPECT_EQ(sink.send({"x", 1}, kTimeout).status, SinkResult::accepted);
  server.drop_connection();
  EXPECT_EQ(sink.send({"y", 1}, kTimeout).status, SinkResult::accepted);
  EXPECT_EQ(server.calls().back().connection, 1);
}

TEST(GrpcSink, FaultsAreRetryable) {
  GrpcServer server({{.hang_up = true},
                     {.say_nothing = true},
                     {.http_status = "503", .grpc_status = ""},
                     {.http_status = "404", .grpc_status = ""}});
  GrpcSink sink = grpc_sink(server.endpoint());
  EXPECT_EQ(sink.send({"x", 1}, kTimeout).status, SinkResult::retry);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(sink.send({"x", 1}, milliseconds(200)).status, SinkResult::retry);
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(2'000));
  EXPECT_EQ(sink.send({"x", 1}, kTimeout).status, SinkResult::retry);
  EXPECT_EQ(sink.send({"x", 1}, kTimeout).status, SinkResult::rejected);
}

TEST(GrpcSink, SurvivesGarbageAndNobodyThere) {
  int port = 0;
  {
    const testing::Listener listener;
    port = listener.port();
    std::thread speaker([&] {
      const int connection = listener.accept();
      constexpr std::string_view kGarbage = "SSH-2.0-OpenSSH_9.2\r\n";
      static_cast<void>(::send(connection, kGarbage.data(), kGarbage.size(), MSG_NOSIGNAL));
      ::close(connection);
    });
    GrpcSink sink = grpc_sink("http://127.0.0.1:" + std::to_string(port));
    EXPECT_EQ(sink.send({"x", 1}, kTimeout).status, SinkResult::retry);
    speaker.join();
  }
  GrpcSink sink = grpc_sink("http://127.0.0.1:" + std::to_string(port));
  const SinkResult result = sink.send({"x", 1}, kTimeout);
  EXPECT_EQ(result.status, SinkResult::retry);
  EXPECT_NE(result.message.find(std::to_string(port)), std::string::npos) << result.message;
}

// Answers each request on each connection with the next text of a script.
class HttpServer {
 public:
  explicit HttpServer(std::vector<std::string> replies) {
    thread_ = std::thread([this, replies = std::move(replies)] {
      for (std::size_t next = 0; next < replies.size();) {
        const int connection = listener_.accept();
        if (connection < 0) return;
        ++connections_;
        while (next < replies.size() && read_request(connection)) {
          const std::string& reply = replies[next++];
          static_cast<void>(::send(connection, reply.data(), reply.size(), MSG_NOSIGNAL));
        }
        ::close(connection);
      }
    });
  }
  ~HttpServer() {
    listener_.interrupt();
    thread_.join();
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] std::string endpoint() const {
    return "http://127.0.0.1:" + std::to_string(listener_.port());
  }
  [[nodiscard]] std::vector<std::string> requests() {
    const std::scoped_lock lock(mutex_);
    return requests_;
  }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  bool read_request(int connection) {
    std::string request;
    char room[4'096];
    for (;;) {
      const std::size_t head = request.find("\r\n\r\n");
      if (head != std::string::npos) {
        const std::size_t at = request.find("Content-Length: ");
        const std::size_t size = std::stoul(request.substr(at + 16));
        if (request.size() >= head + 4 + size) break;
      }
      const ssize_t got = ::recv(connection, room, sizeof room, 0);
      if (got <= 0) return false;
      request.append(room, static_cast<std::size_t>(got));
    }
    const std::scoped_lock lock(mutex_);
    requests_.push_back(std::move(request));
    return true;
  }
  testing::Listener listener_;
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

std::string http_reply(std::string_view status, std::string_view body = "",
                       std::string_view header = "") {
  return "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(header) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::shared_ptr<HttpSink> http_sink(const std::string& endpoint) {
  return *HttpSink::create({*parse_endpoint(endpoint, 4318), {}, {{"X-Tenant", "7"}}, false});
}

TEST(HttpSink, PostsProtobufToTheTracesPath) {
  HttpServer server({http_reply("200 OK", partial_success(1, "bad")), http_reply("202 Accepted")});
  const auto sink = http_sink(server.endpoint() + "/base/");
  EXPECT_EQ(sink->send({"body", 1}, kTimeout).rejected_spans, 1U);
  EXPECT_EQ(sink->send({"body", 1}, kTimeout).status, SinkResult::accepted);
  EXPECT_EQ(server.connections(), 1) << "it is kept";
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_TRUE(requests[0].starts_with("POST /base/v1/traces HTTP/1.1\r\n")) << requests[0];
  EXPECT_NE(requests[0].find("Content-Type: application/x-protobuf\r\n"), std::string::npos);
  EXPECT_NE(requests[0].find("X-Tenant: 7\r\n"), std::string::npos);
  EXPECT_TRUE(requests[0].ends_with("\r\n\r\nbody"));
}

TEST(HttpSink, SendsWhatLiesInPieces) {
  HttpServer server({http_reply("200 OK"), http_reply("200 OK")});
  const std::string body(5'000, 'x');
  const auto pieces = in_pieces(body);
  EXPECT_EQ(http_sink(server.endpoint())->send({RequestBytes(pieces), 1}, kTimeout).status,
            SinkResult::accepted);
  ASSERT_EQ(server.requests().size(), 1U);
  EXPECT_TRUE(server.requests()[0].ends_with("\r\n\r\n" + body));
}

TEST(HttpSink, SpeaksJson) {
  HttpServer server(
      {http_reply("200 OK", R"({"partialSuccess":{"rejectedSpans":"2","errorMessage":"old"}})"),
       http_reply("200 OK", "{}")});
  HttpSinkConfig config{
      .endpoint = *parse_endpoint(server.endpoint(), 4318), .tls = {}, .headers = {}};
  config.json = true;
  const auto sink = *HttpSink::create(config);
  otlp::MessageWriter span;
  span.bytes(1, std::string(16, 'a')).bytes(2, std::string(8, 'b')).bytes(5, "name");
  const std::string scope = otlp::MessageWriter().bytes(2, span.str()).str();
  const std::string request =
      otlp::MessageWriter().bytes(1, otlp::MessageWriter().bytes(2, scope).str()).str();
  const SinkResult partly = sink->send({request, 3}, kTimeout);
  EXPECT_EQ(partly.rejected_spans, 2U);
  EXPECT_EQ(partly.message, "old");
  EXPECT_EQ(sink->send({request, 3}, kTimeout).rejected_spans, 0U);
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_NE(requests[0].find("Content-Type: application/json\r\n"), std::string::npos);
  EXPECT_NE(requests[0].find(R"("traceId":"61616161616161616161616161616161")"), std::string::npos);
  EXPECT_EQ(sink->send({"not protobuf", 1}, kTimeout).status, SinkResult::rejected);
}

TEST(HttpSink, WaitsNoLongerThanAnHourForAReceiver) {
  HttpServer server(
      {http_reply("429 Too Many Requests", "", "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\n"),
       http_reply("503 Service Unavailable", "", "Retry-After: 9000000000000000000\r\n"),
       http_reply("503 Service Unavailable", "", "Retry-After: -7\r\n")});
  const auto sink = http_sink(server.endpoint());
  EXPECT_EQ(sink->send({"x", 1}, kTimeout).retry_after, std::chrono::hours(1));
  const milliseconds far = sink->send({"x", 1}, kTimeout).retry_after;  // as libcurl reads it
  EXPECT_TRUE(far == std::chrono::hours(1) || far == milliseconds(0)) << far.count();
  EXPECT_EQ(sink->send({"x", 1}, kTimeout).retry_after, milliseconds(0));
}

TEST(HttpSink, AcceptsAnEndpointWithThePath) {
  HttpServer server({http_reply("200 OK")});
  const auto sink = http_sink(server.endpoint() + "/v1/traces");
  EXPECT_EQ(sink->send({"body", 1}, kTimeout).status, SinkResult::accepted);
  EXPECT_TRUE(server.requests().at(0).starts_with("POST /v1/traces HTTP/1.1\r\n"));
}

TEST(HttpSink, RetriesOnlyWhatTheSpecificationAllows) {
  HttpServer server({http_reply("429 Too Many Requests", "", "Retry-After: 3\r\n"),
                     http_reply("503 Service Unavailable"), http_reply("400 Bad Request"),
                     http_reply("500 Internal Server Error")});
  const auto sink = http_sink(server.endpoint());
  const SinkResult slow = sink->send({"x", 1}, kTimeout);
  EXPECT_EQ(slow.status, SinkResult::retry);
  EXPECT_EQ(slow.retry_after, milliseconds(3'000));
  EXPECT_EQ(sink->send({"x", 1}, kTimeout).status, SinkResult::retry);
  EXPECT_EQ(sink->send({"x", 1}, kTimeout).status, SinkResult::rejected);
  EXPECT_EQ(sink->send({"x", 1}, kTimeout).status, SinkResult::rejected);
}

TEST(Endpoint, ReadsTheFormsPeopleWrite) {
  const auto plain = parse_endpoint("collector:4317", 1);
  ASSERT_TRUE(plain.has_value());
  EXPECT_FALSE(plain->tls);
  EXPECT_EQ(plain->authority(), "collector:4317");
  const auto secure = parse_endpoint("https://c.example/base/", 4318);
  EXPECT_TRUE(secure->tls);
  EXPECT_EQ(secure->port, 4318);
  EXPECT_EQ(secure->path, "/base");
  EXPECT_EQ(parse_endpoint("http://[::1]:9", 1)->authority(), "[::1]:9");
  for (const char* bad : {"", "ftp://x", "http://", "x:0", "x:99999", "x:y", "http://u:p@x",
                          "http://x?y", "http://[::1", "http://[::1]x"}) {
    EXPECT_FALSE(parse_endpoint(bad, 1).has_value()) << bad;
  }
  EXPECT_EQ(parse_endpoint("ftp://user:secret@x", 1).error().message.find("secret"),
            std::string::npos);
}

}  // namespace
}  // namespace alphaswarm::observability
