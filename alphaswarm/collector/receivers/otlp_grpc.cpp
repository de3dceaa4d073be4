#include "alphaswarm/collector/receivers/otlp_grpc.hpp"

#include <grpc/support/log.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/collector/receivers/rpc_status.hpp"

namespace alphaswarm::collector {
namespace {

constexpr std::string_view kExport = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

std::string join(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

grpc::ByteBuffer buffer_of(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

// One unary call, seen as a stream of one message each way. Deletes itself when done.
class ExportCall final : public grpc::ServerGenericBidiReactor {
 public:
  ExportCall(grpc::GenericCallbackServerContext& context, Intake& intake)
      : context_(context), intake_(intake) {
    StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      Finish({grpc::StatusCode::INVALID_ARGUMENT, "a request message is expected"});
      return;
    }
    const auto taken = intake_.take(SharedBytes(join(request_)));
    request_.Clear();
    if (!taken) {
      if (taken.error().retryable) {
        context_.AddTrailingMetadata("google.rpc.retryinfo-bin", encode_retry_info(kRetryDelay));
      }
      Finish({static_cast<grpc::StatusCode>(rpc_code(taken.error())), taken.error().message,
              encode_rpc_status(taken.error())});
      return;
    }
    response_ = buffer_of(encode_response(*taken));
    StartWriteAndFinish(&response_, {}, grpc::Status::OK);
  }
  void OnDone() override { delete this; }

 private:
  grpc::GenericCallbackServerContext& context_;
  Intake& intake_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
};

class UnknownCall final : public grpc::ServerGenericBidiReactor {
 public:
  explicit UnknownCall(const std::string& method) {
    Finish({grpc::StatusCode::UNIMPLEMENTED, "unknown method " + method});
  }
  void OnDone() override { delete this; }
};

class Service final : public grpc::CallbackGenericService {
 public:
  explicit Service(Intake& intake) : intake_(intake) {}
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    if (context->method() != kExport) return new UnknownCall(context->method());
    return new ExportCall(*context, intake_);
  }

 private:
  Intake& intake_;
};

}  // namespace

class OtlpGrpcReceiver::Impl {
 public:
  explicit Impl(Intake& intake) : service_(intake) {}

  Result<void> start(const OtlpGrpcReceiverConfig& config) {
    const Endpoint& endpoint = config.endpoint;
    const bool is_v6 = endpoint.host.find(':') != std::string::npos;
    const std::string address =
        (is_v6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
    // What the library prints by itself is for its developers: our errors say what went wrong.
    gpr_set_log_function([](gpr_log_func_args* line) { log_debug("grpc", line->message); });
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // else a busy port goes unnoticed
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
    builder.SetMaxReceiveMessageSize(static_cast<int>(config.max_message_bytes));
    builder.RegisterCallbackGenericService(&service_);
    server_ = builder.BuildAndStart();
    if (!server_ || port == 0) {
      return fail(ErrorCode::unavailable, "cannot listen on " + address + " for OTLP over gRPC");
    }
    port_ = static_cast<std::uint16_t>(port);
    return {};
  }

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

  void stop(Deadline deadline) {
    if (!server_) return;
    const auto left = deadline - std::chrono::steady_clock::now();
    server_->Shutdown(std::chrono::system_clock::now() +
                      std::chrono::duration_cast<std::chrono::system_clock::duration>(left));
    server_.reset();
  }

 private:
  Service service_;
  std::unique_ptr<grpc::Server> server_;
  std::uint16_t port_ = 0;
};

Result<std::unique_ptr<OtlpGrpcReceiver>> OtlpGrpcReceiver::start(OtlpGrpcReceiverConfig config,
                                                                  Intake& intake) {
  auto impl = std::make_unique<Impl>(intake);
  if (auto started = impl->start(config); !started) return std::unexpected(started.error());
  return std::unique_ptr<OtlpGrpcReceiver>(new OtlpGrpcReceiver(std::move(impl)));
}

OtlpGrpcReceiver::OtlpGrpcReceiver(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OtlpGrpcReceiver::~OtlpGrpcReceiver() { stop(std::chrono::steady_clock::now()); }
std::uint16_t OtlpGrpcReceiver::port() const noexcept { return impl_->port(); }
void OtlpGrpcReceiver::stop(Deadline deadline) { impl_->stop(deadline); }

}  // namespace alphaswarm::collector
