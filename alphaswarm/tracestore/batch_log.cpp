#include "alphaswarm/tracestore/batch_log.hpp"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/uio.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>

#include "alphaswarm/base/log.hpp"

namespace alphaswarm::tracestore {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "ASWBLOG1";
constexpr std::string_view kPrefix = "batches-";
constexpr std::string_view kSuffix = ".log";

struct Header {
  std::uint32_t size;
  std::uint32_t size_check;
  std::uint64_t checksum;
};
static_assert(sizeof(Header) == 16);

std::optional<std::uint64_t> number_of(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(kSuffix.size());
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), number, 16);
  if (code != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

// Calls see(payload) for the intact records; returns how many bytes of the file they fill.
std::uint64_t read_segment(const std::string& path, std::uint64_t file_size,
                           const std::function<void(std::string)>& see) {
  std::ifstream file(path, std::ios::binary);
  char magic[8];
  if (!file.read(magic, sizeof magic) || std::string_view(magic, sizeof magic) != kMagic) return 0;
  std::uint64_t good = sizeof magic;
  for (Header header{}; file.read(reinterpret_cast<char*>(&header), sizeof header);) {
    if (header.size != ~header.size_check || header.size > file_size - good - sizeof header) break;
    std::string payload(header.size, '\0');
    if (!file.read(payload.data(), header.size)) break;
    if (XXH3_64bits(payload.data(), payload.size()) != header.checksum) break;
    good += sizeof header + header.size;
    see(std::move(payload));
  }
  return good;
}

}  // namespace

Result<std::unique_ptr<BatchLog>> BatchLog::open(
    BatchLogConfig config, const std::function<void(std::string payload)>& see) {
  if (config.segment_bytes == 0) {
    constexpr std::size_t kMiB = std::size_t{1} << 20;
    config.segment_bytes = std::clamp(config.max_bytes / 16, kMiB, 64 * kMiB);
  }
  std::unique_ptr<BatchLog> log(new BatchLog(std::move(config)));
  if (auto locked = log->lock_directory(); !locked) return std::unexpected(locked.error());
  if (auto replayed = log->replay(see); !replayed) return std::unexpected(replayed.error());
  return log;
}

BatchLog::~BatchLog() {
  close_segment();
  if (lock_file_ >= 0) ::close(lock_file_);
}

Result<void> BatchLog::lock_directory() {
  std::error_code wrong;
  fs::create_directories(config_.directory, wrong);
  const std::string path = config_.directory + "/lock";
  lock_file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_file_ < 0) {
    return fail(ErrorCode::permission_denied, "cannot write to the trace log's folder " +
                                                  config_.directory + ": " +
                                                  ::strerrordesc_np(errno));
  }
  if (::flock(lock_file_, LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorCode::conflict,
                "the trace log in " + config_.directory + " is in use by another process");
  }
  return {};
}

Result<void> BatchLog::replay(const std::function<void(std::string payload)>& see) {
  std::error_code wrong;
  for (const auto& entry : fs::directory_iterator(config_.directory, wrong)) {
    const auto number = number_of(entry.path().filename().string());
    if (number) segments_[*number] = entry.file_size(wrong);
  }
  if (wrong) {
    return fail(ErrorCode::permission_denied,
                "cannot read the trace log's folder " + config_.directory + ": " + wrong.message());
  }
  for (auto segment = segments_.begin(); segment != segments_.end();) {
    const std::string path = path_of(segment->first);
    const std::uint64_t good = read_segment(path, segment->second, [&](std::string payload) {
      ++stats_.replayed_records;
      see(std::move(payload));
    });
    stats_.damaged_bytes += segment->second - good;
    stats_.bytes += segment->second;
    if (good <= kMagic.size()) {  // nothing in it
      stats_.bytes -= segment->second;
      fs::remove(path, wrong);
      segment = segments_.erase(segment);
    } else {
      ++segment;
    }
  }
  if (stats_.damaged_bytes != 0) {
    log_warning("trace log", std::to_string(stats_.damaged_bytes) +
                                 " bytes at the end of segments were incomplete and are skipped");
  }
  return {};
}

std::string BatchLog::path_of(std::uint64_t number) const {
  char digits[17];
  ::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(number));
  return config_.directory + "/" + std::string(kPrefix) + digits + std::string(kSuffix);
}

bool BatchLog::append(std::string_view request) {
  const std::lock_guard lock(mutex_);
  const auto size = static_cast<std::uint32_t>(request.size());
  const Header header{size, ~size, XXH3_64bits(request.data(), request.size())};
  const bool full = file_ >= 0 && segments_.rbegin()->second >= config_.segment_bytes;
  if (full) close_segment();
  const bool ready = file_ >= 0 || roll();
  ssize_t written = -1;
  const auto wanted = static_cast<ssize_t>(sizeof header + request.size());
  if (ready) {
    const ::iovec parts[] = {{const_cast<Header*>(&header), sizeof header},
                             {const_cast<char*>(request.data()), request.size()}};
    written = ::writev(file_, parts, 2);
  }
  if (written != wanted) {
    ++stats_.failed_records;
    if (!warned_) log_error("trace log", "cannot write: new traces are in memory only");
    warned_ = true;
    // What was written of the record must not stand before the next one.
    if (ready && ::ftruncate(file_, static_cast<off_t>(segments_.rbegin()->second)) != 0) {
      close_segment();
    }
    return false;
  }
  warned_ = false;
  ++stats_.records;
  segments_.rbegin()->second += static_cast<std::uint64_t>(wanted);
  stats_.bytes += static_cast<std::uint64_t>(wanted);
  trim();
  return true;
}

bool BatchLog::roll() {
  const std::uint64_t number = segments_.empty() ? 1 : segments_.rbegin()->first + 1;
  file_ = ::open(path_of(number).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
  if (file_ < 0) return false;
  if (::write(file_, kMagic.data(), kMagic.size()) != static_cast<ssize_t>(kMagic.size())) {
    ::close(file_);
    file_ = -1;
    ::unlink(path_of(number).c_str());
    return false;
  }
  segments_[number] = kMagic.size();
  stats_.bytes += kMagic.size();
  return true;
}

void BatchLog::close_segment() {
  if (file_ < 0) return;
  ::fdatasync(file_);
  ::close(file_);
  file_ = -1;
}

void BatchLog::trim() {
  while (stats_.bytes > config_.max_bytes && segments_.size() > 1) {
    const auto oldest = segments_.begin();
    ::unlink(path_of(oldest->first).c_str());
    stats_.bytes -= oldest->second;
    segments_.erase(oldest);
  }
}

BatchLogStats BatchLog::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

}  // namespace alphaswarm::tracestore
