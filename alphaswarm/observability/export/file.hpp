#pragma once

#include <cstdint>
#include <string>

#include "alphaswarm/observability/export/batch_sink.hpp"

namespace alphaswarm::observability {

// Appends each batch to a file as one line of OTLP/JSON, the form the OpenTelemetry Collector's
// file exporter and receiver share. A file that would grow beyond `max_bytes` is renamed to
// <path>.1 first, in place of an older one. A disk that is full is reported as "try again", and
// leaves no half line. For one thread; several providers may share a path.
class FileSink final : public BatchSink {
 public:
  FileSink(std::string path, std::uint64_t max_bytes);
  ~FileSink() override;
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;

  [[nodiscard]] SinkResult send(const Batch& batch, std::chrono::milliseconds timeout) override;

 private:
  // Empty, or what went wrong.
  std::string append(const std::string& line);
  std::string path_;
  std::uint64_t max_bytes_;
  std::string joined_;  // keeps its memory
  int file_ = -1;
};

}  // namespace alphaswarm::observability
