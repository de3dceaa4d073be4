#pragma once

// Accepted requests on disk, so that traces outlive a restart: segments of checksummed records,
// bounded in bytes by deleting the oldest segments.
//
// A segment `batches-<number, 16 hex digits>.log` starts with the 8 bytes "ASWBLOG1". A record is
//   u32 size | u32 ~size | u64 xxHash3 of the payload | payload
// in little endian; the payload is one ExportTraceServiceRequest.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "alphaswarm/base/error.hpp"

namespace alphaswarm::tracestore {

struct BatchLogConfig {
  std::string directory;  // made if missing; one process at a time
  std::size_t max_bytes = std::size_t{256} << 20;
  // A segment is closed when it is this long. 0: a sixteenth of max_bytes, 1 to 64 MiB.
  std::size_t segment_bytes = 0;
};

struct BatchLogStats {
  std::uint64_t records = 0;         // appended
  std::uint64_t failed_records = 0;  // not written (disk full): only in memory
  std::uint64_t bytes = 0;           // on disk now
  std::uint64_t replayed_records = 0;
  std::uint64_t damaged_bytes = 0;  // at the end of segments, not replayed
};

// Thread-safe.
class BatchLog {
 public:
  // Opens the log and gives every intact record to `see`, oldest first. A torn or damaged record
  // ends its segment. `conflict` when another process uses the directory.
  [[nodiscard]] static Result<std::unique_ptr<BatchLog>> open(
      BatchLogConfig config, const std::function<void(std::string payload)>& see);
  ~BatchLog();
  BatchLog(const BatchLog&) = delete;
  BatchLog& operator=(const BatchLog&) = delete;

  // Hands the record to the operating system: it survives the process from then on. The disk is
  // told to write when a segment is closed. False (and counted) when it could not be written whole;
  // the log goes on behind the last whole record.
  bool append(std::string_view request);

  [[nodiscard]] BatchLogStats stats() const;

 private:
  explicit BatchLog(BatchLogConfig config) : config_(std::move(config)) {}
  Result<void> lock_directory();
  Result<void> replay(const std::function<void(std::string payload)>& see);
  [[nodiscard]] bool roll();
  void close_segment();
  void trim();
  [[nodiscard]] std::string path_of(std::uint64_t number) const;

  BatchLogConfig config_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::uint64_t> segments_;  // number → bytes; the last one is open
  int lock_file_ = -1;
  int file_ = -1;
  bool warned_ = false;
  BatchLogStats stats_;
};

}  // namespace alphaswarm::tracestore
