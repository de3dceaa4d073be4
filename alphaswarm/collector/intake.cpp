#include "alphaswarm/collector/intake.hpp"

#include "alphaswarm/otlp/reencode.hpp"

namespace alphaswarm::collector {

Result<Taken> Intake::take(SharedBytes request) {
  if (!enter()) return fail(ErrorCode::unavailable, "the collector is stopping");
  auto taken = pass(std::move(request));
  leave();
  return taken;
}

Result<Taken> Intake::pass(SharedBytes request) {
  auto parsed = otlp::parse_trace_request(std::move(request));
  if (!parsed) return std::unexpected(parsed.error());
  Taken taken{.accepted = parsed->spans.size(), .rejected = parsed->rejected_spans, .message = {}};
  for (const auto& pipeline : pipelines_) {
    if (auto welcome = pipeline->admit(taken.accepted); !welcome) {
      counts_.refused(taken.accepted);
      return std::unexpected(welcome.error());
    }
  }
  if (taken.rejected != 0) {
    taken.message = "spans without a trace id or span id: " + std::to_string(taken.rejected);
    counts_.refused(taken.rejected);
    // Exporters pass on whole requests: what was rejected must not be among their bytes.
    parsed = otlp::parse_trace_request(SharedBytes(otlp::encode_spans(*parsed)));
    if (!parsed) return std::unexpected(parsed.error());
  }
  counts_.received(taken.accepted);
  if (taken.accepted != 0) {
    const auto batch = std::make_shared<const otlp::TraceBatch>(std::move(*parsed));
    for (const auto& pipeline : pipelines_) pipeline->consume({batch});
  }
  counts_.sent(taken.accepted);
  return taken;
}

bool Intake::enter() {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  ++inside_;
  return true;
}

void Intake::leave() {
  const std::lock_guard lock(mutex_);
  if (--inside_ == 0) idle_.notify_all();
}

void Intake::close() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  idle_.wait(lock, [this] { return inside_ == 0; });
}

}  // namespace alphaswarm::collector
