#include "alphaswarm/observability/export/otlp_http.hpp"

#include <charconv>

#include "alphaswarm/observability/export/gzip.hpp"
#include "alphaswarm/observability/export/libcurl.hpp"
#include "alphaswarm/observability/export/otlp_json.hpp"
#include "alphaswarm/observability/export/otlp_response.hpp"

namespace alphaswarm::observability {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMaxReplyBytes = 65'536;

struct Reply {
  std::string body;
};

std::size_t on_body(char* bytes, std::size_t, std::size_t size, void* user) {
  std::string& body = static_cast<Reply*>(user)->body;
  if (body.size() + size <= kMaxReplyBytes) body.append(bytes, size);
  return size;
}

}  // namespace

struct HttpSink::Curl {
  const LibCurl& lib;
  CURL* handle = lib.easy_init();
  curl_slist* headers = nullptr;

  explicit Curl(const LibCurl& library) : lib(library) {}
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;
  ~Curl() {
    lib.slist_free_all(headers);
    lib.easy_cleanup(handle);
  }
  void header(const std::string& line) { headers = lib.slist_append(headers, line.c_str()); }
};

Result<std::shared_ptr<HttpSink>> HttpSink::create(HttpSinkConfig config) {
  const Result<const LibCurl*> library = LibCurl::load();
  if (!library) return std::unexpected(library.error());
  return std::shared_ptr<HttpSink>(
      new HttpSink(std::move(config), std::make_unique<Curl>(**library)));
}

HttpSink::HttpSink(HttpSinkConfig config, std::unique_ptr<Curl> curl)
    : config_(std::move(config)), curl_(std::move(curl)) {
  const std::string_view suffix = http_path(config_.signal);
  const std::string path = config_.endpoint.path.ends_with(suffix)
                               ? config_.endpoint.path
                               : config_.endpoint.path + std::string(suffix);
  url_ = (config_.endpoint.tls ? "https://" : "http://") + config_.endpoint.authority() + path;
  curl_->header(config_.json ? "Content-Type: application/json"
                             : "Content-Type: application/x-protobuf");
  curl_->header("Expect:");  // no pause for "100 Continue"
  if (config_.gzip) curl_->header("Content-Encoding: gzip");
  for (const auto& [name, value] : config_.headers) curl_->header(name + ": " + value);
}

HttpSink::~HttpSink() = default;

SinkResult HttpSink::send(const Batch& batch, milliseconds timeout) {
  SinkResult result{.status = SinkResult::retry};
  const LibCurl& lib = curl_->lib;
  CURL* const handle = curl_->handle;
  if (handle == nullptr) {
    result.message = "libcurl has no memory";
    return result;
  }
  std::string text;
  if (config_.json) {
    auto written = to_otlp_json(batch.request.view(joined_));
    if (!written) return {.status = SinkResult::rejected, .message = written.error().message};
    text = std::move(*written);
  }
  const RequestBytes given = config_.json ? RequestBytes(text) : batch.request;
  std::string packed;
  if (config_.gzip) packed = gzip(given);
  const std::string_view body = config_.gzip ? std::string_view(packed) : given.view(joined_);
  Reply reply;
  char error[CURL_ERROR_SIZE] = {};
  lib.easy_reset(handle);  // keeps the connection
  lib.easy_setopt(handle, CURLOPT_URL, url_.c_str());
  lib.easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  lib.easy_setopt(handle, CURLOPT_PROXY, "");  // the receiver is a neighbour, not the internet
  lib.easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  lib.easy_setopt(handle, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  lib.easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  lib.easy_setopt(handle, CURLOPT_HTTPHEADER, curl_->headers);
  lib.easy_setopt(handle, CURLOPT_POST, 1L);
  lib.easy_setopt(handle, CURLOPT_POSTFIELDS, body.data());
  lib.easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  lib.easy_setopt(handle, CURLOPT_USERAGENT, "alphaswarm-otlp-cpp/0.1");
  lib.easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
  lib.easy_setopt(handle, CURLOPT_WRITEDATA, &reply);
  lib.easy_setopt(handle, CURLOPT_ERRORBUFFER, error);
  const auto file = [&](CURLoption option, const std::string& path) {
    if (!path.empty()) lib.easy_setopt(handle, option, path.c_str());
  };
  file(CURLOPT_CAINFO, config_.tls.ca_file);
  file(CURLOPT_SSLCERT, config_.tls.client_cert_file);
  file(CURLOPT_SSLKEY, config_.tls.client_key_file);
  const CURLcode code = lib.easy_perform(handle);
  if (code != CURLE_OK) {
    result.message = url_ + ": " + (error[0] != '\0' ? error : lib.easy_strerror(code));
    return result;
  }
  long status = 0;
  lib.easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  if (status >= 200 && status < 300) {
    return config_.json ? read_json_export_response(reply.body) : read_export_response(reply.body);
  }
  result.message = url_ + " answered HTTP " + std::to_string(status);
  if (const std::string message = read_rpc_status(reply.body).message; !message.empty()) {
    result.message += ": " + message;
  }
  if (!is_retryable_http(status)) {
    result.status = SinkResult::rejected;
    return result;
  }
  curl_off_t seconds = 0;  // of Retry-After
  lib.easy_getinfo(handle, CURLINFO_RETRY_AFTER, &seconds);
  result.retry_after = bounded_delay(seconds);
  return result;
}

}  // namespace alphaswarm::observability
