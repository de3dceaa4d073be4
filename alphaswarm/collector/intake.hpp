#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "alphaswarm/base/bytes.hpp"
#include "alphaswarm/collector/pipeline.hpp"

namespace alphaswarm::collector {

struct Taken {
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;  // spans that OTLP's partial success reports
  std::string message;         // why, if any were
};

// Where every receiver hands over: validates a request, asks the pipelines, counts. Thread-safe.
class Intake {
 public:
  explicit Intake(std::string id) : counts_(std::move(id)) {}

  // Before the first take().
  void connect(std::shared_ptr<Consumer> pipeline) { pipelines_.push_back(std::move(pipeline)); }

  // invalid_argument: not a trace request; resource_exhausted: a limiter refuses for now;
  // unavailable: the collector stops. After an error nothing was taken.
  [[nodiscard]] Result<Taken> take(SharedBytes request);

  // Refuses from now on, and waits for those inside.
  void close();

  [[nodiscard]] StageStats stats() const { return counts_.read(); }

 private:
  [[nodiscard]] bool enter();
  void leave();
  [[nodiscard]] Result<Taken> pass(SharedBytes request);

  StageCounts counts_;
  std::vector<std::shared_ptr<Consumer>> pipelines_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t inside_ = 0;
  bool closed_ = false;
};

}  // namespace alphaswarm::collector
