#include "alphaswarm/observability/export/sink_thread.hpp"

#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>

#include "alphaswarm/base/thread.hpp"

namespace alphaswarm::observability {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct SinkThread::Call {
  explicit Call(std::shared_ptr<BatchSink> sink) : inner(std::move(sink)) {}

  const std::shared_ptr<BatchSink> inner;
  std::mutex mutex;  // guards the rest; the thread owns request and inner while it is `asked`
  std::condition_variable changed;
  enum : std::uint8_t { idle, asked, answered, left } state = idle;
  bool over = false;
  steady_clock::time_point deadline = steady_clock::time_point::max();
  std::string request;
  std::uint32_t span_count = 0;
  milliseconds timeout{0};
  SinkResult result;
};

SinkThread::SinkThread(std::shared_ptr<BatchSink> inner)
    : call_(std::make_shared<Call>(std::move(inner))),
      thread_(start_thread("otel-call", [call = call_](const std::stop_token&) { run(*call); })) {}

SinkThread::~SinkThread() {
  const std::scoped_lock lock(call_->mutex);
  call_->over = true;
  call_->changed.notify_all();
  if (call_->state == Call::left) thread_.detach();
}

void SinkThread::run(Call& call) {
  std::unique_lock lock(call.mutex);
  for (;;) {
    call.changed.wait(lock, [&] { return call.over || call.state == Call::asked; });
    if (call.over) return;
    lock.unlock();
    SinkResult result = call.inner->send({call.request, call.span_count}, call.timeout);
    lock.lock();
    if (call.state == Call::left) return;
    call.result = std::move(result);
    call.state = Call::answered;
    call.changed.notify_all();
  }
}

SinkResult SinkThread::send(const Batch& batch, milliseconds timeout) {
  Call& call = *call_;
  std::unique_lock lock(call.mutex);
  if (call.state == Call::left || steady_clock::now() >= call.deadline) {
    return {.status = SinkResult::retry, .message = "no time left to send", .asked = false};
  }
  call.request.clear();
  batch.request.append_to(call.request);
  call.span_count = batch.span_count;
  call.timeout = timeout;
  call.state = Call::asked;
  call.changed.notify_all();
  const auto answered = [&] { return call.state == Call::answered; };
  // Until it is answered; a shutdown meanwhile says until when.
  call.changed.wait(lock,
                    [&] { return answered() || call.deadline != steady_clock::time_point::max(); });
  if (call.changed.wait_until(lock, call.deadline, answered)) return std::move(call.result);
  call.state = Call::left;
  return {.status = SinkResult::retry, .message = "no answer before the shutdown"};
}

void SinkThread::stop_by(steady_clock::time_point deadline) {
  const std::scoped_lock lock(call_->mutex);
  call_->deadline = deadline;
  call_->changed.notify_all();
}

}  // namespace alphaswarm::observability
