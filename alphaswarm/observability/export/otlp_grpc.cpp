#include "alphaswarm/observability/export/otlp_grpc.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <span>

#include "alphaswarm/observability/export/gzip.hpp"
#include "alphaswarm/observability/export/otlp_response.hpp"
#include "alphaswarm/observability/export/output.hpp"

namespace alphaswarm::observability {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kMaxReplyBytes = 65'536;  // of a reply's body and of each header
constexpr int kNoStatus = -1;

int to_number(std::string_view text, int otherwise) {
  int value = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  return out;
}

}  // namespace

class GrpcSink::Session {
 public:
  using TimePoint = Connection::TimePoint;

  Session(std::unique_ptr<Connection> connection, const GrpcSinkConfig& config)
      : connection_(std::move(connection)), config_(config) {
    nghttp2_session_callbacks* callbacks = nullptr;
    ::nghttp2_session_callbacks_new(&callbacks);
    ::nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    ::nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    ::nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    ::nghttp2_session_callbacks_set_send_data_callback(callbacks, write_body);
    ::nghttp2_session_client_new(&session_, callbacks, this);
    ::nghttp2_session_callbacks_del(callbacks);
    ::nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
  }
  ~Session() { ::nghttp2_session_del(session_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  struct Reply {
    enum Outcome : unsigned char { answered, broken, late } outcome = broken;
    bool processed = true;  // false: the server says it never looked at the request
    int http_status = 0;
    int grpc_status = kNoStatus;
    std::string grpc_message;
    std::string status_details;
    std::string body;
  };

  // One call. The session is unusable after anything but `answered`.
  Reply call(const RequestBytes& body, bool compressed, TimePoint deadline) {
    reply_ = {};
    left_ = body.pieces();
    left_of_first_ = left_.empty() ? std::string_view() : left_.front();
    size_ = kPrefix + body.size();
    sent_ = 0;
    open_ = true;
    prefix_[0] = compressed ? 1 : 0;  // gRPC: compressed flag, then the size, big endian
    for (unsigned i = 0; i < 4; ++i) {
      prefix_[1 + i] = static_cast<char>(body.size() >> (24U - 8U * i) & 0xffU);
    }
    if (!submit(compressed, deadline)) return std::move(reply_);
    while (open_) {
      if (!flush_output() || !take_input()) {
        if (open_) return std::move(reply_);
        break;
      }
      if (!open_) break;
      const bool writing = !output_.empty() || ::nghttp2_session_want_write(session_) != 0;
      if (!connection_->wait(writing, deadline)) {
        reply_.outcome = Reply::late;
        return std::move(reply_);
      }
    }
    return std::move(reply_);
  }
  [[nodiscard]] bool reusable() const {
    // What is left of a request that was answered early refers to memory that is gone.
    return output_.empty() && ::nghttp2_session_check_request_allowed(session_) != 0;
  }

 private:
  bool submit(bool compressed, TimePoint deadline) {
    const auto left =
        std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now()).count();
    const std::string timeout = std::to_string(std::clamp<std::int64_t>(left, 1, 99'999'999)) + "m";
    const std::string authority = config_.endpoint.authority();
    const std::string path = config_.endpoint.path + std::string(grpc_path(config_.signal));
    std::vector<std::pair<std::string, std::string>> fields = {
        {":method", "POST"},
        {":scheme", config_.endpoint.tls ? "https" : "http"},
        {":path", path},
        {":authority", authority},
        {"te", "trailers"},
        {"content-type", "application/grpc"},
        {"user-agent", "alphaswarm-otlp-cpp/0.1"},
        {"grpc-timeout", timeout},
    };
    if (compressed) fields.emplace_back("grpc-encoding", "gzip");
    for (const auto& [name, value] : config_.headers) fields.emplace_back(lower(name), value);
    std::vector<nghttp2_nv> pairs;
    for (auto& [name, value] : fields) {
      pairs.push_back({reinterpret_cast<std::uint8_t*>(name.data()),
                       reinterpret_cast<std::uint8_t*>(value.data()), name.size(), value.size(),
                       NGHTTP2_NV_FLAG_NONE});
    }
    nghttp2_data_provider provider{};
    provider.source.ptr = this;
    provider.read_callback = read_body;
    stream_ =
        ::nghttp2_submit_request(session_, nullptr, pairs.data(), pairs.size(), &provider, nullptr);
    return stream_ >= 0;
  }

  // Writes what the session has to say, as far as the socket takes it; false if it is broken.
  bool flush_output() {
    for (;;) {
      while (!output_.empty()) {
        iovec room[64];
        const auto [status, size] = connection_->write(output_.front(room));
        if (status == Connection::Status::closed) return false;
        if (status == Connection::Status::would_block) return true;
        output_.drop(size);
      }
      for (;;) {
        const std::uint8_t* bytes = nullptr;
        const ssize_t size = ::nghttp2_session_mem_send(session_, &bytes);
        if (size < 0) return false;
        if (size == 0) break;
        output_.add({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)});
      }
      if (output_.empty()) return true;
    }
  }

  bool take_input() {
    char room[16'384];
    for (;;) {
      const auto [status, size] = connection_->read(room, sizeof room);
      if (status == Connection::Status::closed) return false;
      if (status == Connection::Status::would_block) return true;
      if (::nghttp2_session_mem_recv(session_, reinterpret_cast<std::uint8_t*>(room), size) < 0) {
        return false;
      }
    }
  }

  // How much of prefix and body goes into the next frame; write_body() then writes it.
  static ssize_t read_body(nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t room,
                           std::uint32_t* flags, nghttp2_data_source* source, void*) {
    const auto& self = *static_cast<Session*>(source->ptr);
    const std::size_t left = self.size_ - self.sent_;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (left <= room) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(std::min(room, left));
  }

  // A frame, which is never padded.
  static int write_body(nghttp2_session*, nghttp2_frame*, const std::uint8_t* head,
                        std::size_t size, nghttp2_data_source*, void* user) {
    constexpr std::size_t kHead = 9;
    constexpr std::size_t kGather = 128 * 1024;  // so that a request takes few system calls
    auto& self = *static_cast<Session*>(user);
    self.output_.add({reinterpret_cast<const char*>(head), kHead});
    if (self.sent_ < kPrefix) {
      const std::size_t part = std::min(size, kPrefix - self.sent_);
      self.output_.add({self.prefix_ + self.sent_, part});
      self.sent_ += part;
      size -= part;
    }
    self.sent_ += size;
    while (size > 0) {
      const std::string_view part = self.next_part(size);
      size -= part.size();
      // TLS reads the bytes when it encrypts them, from one place.
      if (self.connection_->is_tls()) {
        self.output_.add(part);
      } else {
        self.output_.refer(part);
      }
    }
    return self.output_.size() < kGather ? 0 : static_cast<int>(NGHTTP2_ERR_PAUSE);
  }

  // What comes next of the body, in one place: `most` bytes, which are there, or fewer.
  std::string_view next_part(std::size_t most) {
    while (left_of_first_.empty()) {
      left_ = left_.subspan(1);
      left_of_first_ = left_.front();
    }
    const std::string_view part = left_of_first_.substr(0, most);
    left_of_first_.remove_prefix(part.size());
    return part;
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t, void* user) {
    auto& self = *static_cast<Session*>(user);
    if (frame->hd.stream_id != self.stream_ || value_size > kMaxReplyBytes) return 0;
    const std::string_view key(reinterpret_cast<const char*>(name), name_size);
    const std::string_view text(reinterpret_cast<const char*>(value), value_size);
    if (key == ":status") self.reply_.http_status = to_number(text, 0);
    if (key == "grpc-status") self.reply_.grpc_status = to_number(text, 2);
    if (key == "grpc-message") self.reply_.grpc_message = percent_decode(text);
    if (key == "grpc-status-details-bin") {
      self.reply_.status_details = decode_base64(text).value_or("");
    }
    return 0;
  }

  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t stream, const std::uint8_t* bytes,
                     std::size_t size, void* user) {
    auto& self = *static_cast<Session*>(user);
    if (stream == self.stream_ && self.reply_.body.size() + size <= kMaxReplyBytes) {
      self.reply_.body.append(reinterpret_cast<const char*>(bytes), size);
    }
    return 0;
  }

  static int on_close(nghttp2_session*, std::int32_t stream, std::uint32_t error, void* user) {
    auto& self = *static_cast<Session*>(user);
    if (stream != self.stream_) return 0;
    self.open_ = false;
    // A reply may end with the reset NO_ERROR, for its request was not read to the end.
    if (self.reply_.http_status != 0) self.reply_.outcome = Reply::answered;
    self.reply_.processed = error != NGHTTP2_REFUSED_STREAM;
    return 0;
  }

  static constexpr std::size_t kPrefix = 5;

  std::unique_ptr<Connection> connection_;
  const GrpcSinkConfig& config_;
  nghttp2_session* session_ = nullptr;
  std::int32_t stream_ = 0;
  bool open_ = false;
  char prefix_[kPrefix] = {};
  std::span<const std::string_view> left_;  // of the body: what is not in `output_` yet
  std::string_view left_of_first_;
  std::size_t size_ = 0;  // of prefix and body
  std::size_t sent_ = 0;  // of them, into `output_`
  Output output_;         // frames the socket has not taken yet
  Reply reply_;
};

namespace {

// The message in front of which the five bytes of gRPC stand; a compressed one is not asked for.
std::string_view message_in(std::string_view body) {
  return body.size() >= 5 && body[0] == 0 ? body.substr(5) : std::string_view();
}

}  // namespace

GrpcSink::GrpcSink(GrpcSinkConfig config) : config_(std::move(config)) {}
GrpcSink::~GrpcSink() = default;

SinkResult GrpcSink::send(const Batch& batch, milliseconds timeout) {
  const Connection::TimePoint deadline = steady_clock::now() + timeout;
  const auto retry = [](std::string message) {
    return SinkResult{.status = SinkResult::retry, .message = std::move(message)};
  };
  std::string packed;
  if (config_.gzip) packed = gzip(batch.request);
  const RequestBytes body = packed.empty() ? batch.request : RequestBytes(packed);
  const bool kept = session_ != nullptr && session_->reusable();
  if (!kept) session_.reset();
  Session::Reply reply;
  // A connection kept since the last call may have been closed meanwhile: once more on a new one.
  for (int attempt = kept ? 0 : 1; attempt < 2; ++attempt) {
    if (session_ == nullptr) {
      auto connection = Connection::open(config_.endpoint, config_.tls, deadline);
      if (!connection) return retry(connection.error().message);
      session_ = std::make_unique<Session>(std::move(*connection), config_);
    }
    reply = session_->call(body, !packed.empty(), deadline);
    if (reply.outcome == Session::Reply::answered) break;
    session_.reset();
    if (reply.outcome == Session::Reply::late) {
      return retry(config_.endpoint.authority() + " did not answer in time");
    }
  }
  const std::string where = config_.endpoint.authority();
  if (reply.outcome != Session::Reply::answered) return retry(where + " closed the connection");
  if (reply.grpc_status == 0) return read_export_response(message_in(reply.body));
  if (reply.grpc_status == kNoStatus) {  // not a gRPC server, or a proxy in between
    SinkResult result{.status = SinkResult::rejected,
                      .message = where + " answered HTTP " + std::to_string(reply.http_status)};
    if (is_retryable_http(reply.http_status)) result.status = SinkResult::retry;
    return result;
  }
  const RpcStatus status = read_rpc_status(reply.status_details);
  SinkResult result{.status = SinkResult::rejected,
                    .message = where + " answered gRPC status " +
                               std::to_string(reply.grpc_status) + ": " + reply.grpc_message};
  if (is_retryable_grpc(reply.grpc_status, status.retry_delay.has_value())) {
    result.status = SinkResult::retry;
    result.retry_after = status.retry_delay.value_or(milliseconds(0));
  }
  return result;
}

}  // namespace alphaswarm::observability
