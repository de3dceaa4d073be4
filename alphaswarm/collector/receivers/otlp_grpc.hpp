#pragma once

#include <memory>

#include "alphaswarm/collector/intake.hpp"

namespace alphaswarm::collector {

// opentelemetry.proto.collector.trace.v1.TraceService over gRPC. The only user of grpc++.
class OtlpGrpcReceiver {
 public:
  // unavailable if the port is taken. `intake` MUST outlive the receiver.
  [[nodiscard]] static Result<std::unique_ptr<OtlpGrpcReceiver>> start(
      OtlpGrpcReceiverConfig config, Intake& intake);
  ~OtlpGrpcReceiver();
  [[nodiscard]] std::uint16_t port() const noexcept;
  // Takes no new calls; those in progress may end until `deadline`.
  void stop(Deadline deadline);

 private:
  class Impl;
  explicit OtlpGrpcReceiver(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace alphaswarm::collector
