#pragma once

// Batches kept on disk until their receiver is back, or the program starts again.
//
// One file a batch, written beside its place and renamed into it: a reader sees a whole file or
// none, whenever the writer dies. It is synchronised before the renaming and its folder after, so
// that what store() has accepted survives a loss of power too. A checksum covers all of it. Who
// sends or removes a file holds its flock(2), so that processes may share a folder.
//
//   <time, ns, 20 digits>-<random, 16 hex digits>-<spans>-<bytes>.spill
//
// Layout, little endian: "ASWSPIL1", u32 spans, u32 CRC-32 (of the rest, this field left out),
// u64 size of the request; then the ExportTraceServiceRequest itself.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/observability/export/batch_sink.hpp"

namespace alphaswarm::observability {

// For one thread; several may each have one on the same path.
class SpillFolder {
 public:
  // The folder takes at most about `max_bytes` of the disk, in whole blocks: each process that
  // shares it may exceed that by one batch. Makes it where there is none, readable by its owner
  // only, and removes what a writer that died left half written.
  [[nodiscard]] static Result<SpillFolder> open(std::string path, std::uint64_t max_bytes);

  // Removes the oldest batches where room is needed, and counts them in `account`. An error says
  // what is wrong, e.g. that the disk is full; nothing is left behind then.
  [[nodiscard]] Result<void> store(const Batch& batch, SpillAccount& account);

  // One that was kept. Nobody else sends it while this lives.
  class Kept {
   public:
    Kept(int file, std::string path, std::string bytes, std::uint32_t spans) noexcept
        : file_(file), path_(std::move(path)), bytes_(std::move(bytes)), spans_(spans) {}
    ~Kept();
    Kept(Kept&& other) noexcept
        : file_(std::exchange(other.file_, -1)),
          path_(std::move(other.path_)),
          bytes_(std::move(other.bytes_)),
          spans_(other.spans_) {}
    Kept& operator=(Kept&&) = delete;
    [[nodiscard]] Batch batch() const noexcept;
    void remove() const noexcept;

   private:
    int file_;
    std::string path_;
    std::string bytes_;  // the whole file
    std::uint32_t spans_;
  };
  // Names of all kept batches, the oldest first.
  [[nodiscard]] std::vector<std::string> names() const;
  // Nothing if it is gone, or another process has it. One that is torn or not ours is renamed to
  // <name>.bad and counted; such files go first when room is needed.
  [[nodiscard]] std::optional<Kept> take(const std::string& name, SpillAccount& account) const;

 private:
  SpillFolder(std::string path, std::uint64_t max_bytes) noexcept
      : path_(std::move(path)), max_bytes_(max_bytes) {}
  void remove_orphans() const;
  Result<void> make_room(std::uint64_t bytes, SpillAccount& account) const;

  std::string path_;  // ends with '/'
  std::uint64_t max_bytes_;
};

}  // namespace alphaswarm::observability
