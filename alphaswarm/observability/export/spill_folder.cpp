#include "alphaswarm/observability/export/spill_folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/base/random.hpp"
#include "alphaswarm/base/time.hpp"

namespace alphaswarm::observability {
namespace {

constexpr std::string_view kMagic = "ASWSPIL1";
constexpr std::size_t kHeaderBytes = 24;
constexpr std::string_view kKept = ".spill";
constexpr std::string_view kWriting = ".tmp";
constexpr std::string_view kBad = ".bad";
constexpr std::uint64_t kMaxFileBytes = 268'435'456;  // more is no batch
constexpr std::uint64_t kBlockBytes = 4'096;          // of ext4, xfs, btrfs and tmpfs
// A file being written that is older than this has no writer any more.
constexpr std::int64_t kOrphanSeconds = 60;

std::string reason() { return std::generic_category().message(errno); }

std::uint32_t checksum(std::string_view file) {
  const auto* bytes = reinterpret_cast<const Bytef*>(file.data());
  uLong crc = ::crc32(0, bytes, 12);
  crc = ::crc32(crc, bytes + 16, static_cast<uInt>(file.size() - 16));
  return static_cast<std::uint32_t>(crc);
}

std::string encode(const Batch& batch) {
  std::string file(kHeaderBytes, '\0');
  file.reserve(kHeaderBytes + batch.request.size());
  const std::uint64_t size = batch.request.size();
  std::memcpy(file.data(), kMagic.data(), kMagic.size());
  std::memcpy(file.data() + 8, &batch.span_count, 4);
  std::memcpy(file.data() + 16, &size, 8);
  batch.request.append_to(file);
  const std::uint32_t crc = checksum(file);
  std::memcpy(file.data() + 12, &crc, 4);
  return file;
}

// The number of spans, or nothing if a byte is not as it was written.
std::optional<std::uint32_t> check(std::string_view file) {
  if (file.size() < kHeaderBytes || !file.starts_with(kMagic)) return std::nullopt;
  std::uint32_t spans = 0;
  std::uint32_t crc = 0;
  std::uint64_t size = 0;
  std::memcpy(&spans, file.data() + 8, 4);
  std::memcpy(&crc, file.data() + 12, 4);
  std::memcpy(&size, file.data() + 16, 8);
  if (size != file.size() - kHeaderBytes || crc != checksum(file)) return std::nullopt;
  return spans;
}

std::uint64_t on_disk(std::uint64_t bytes) {
  return (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
}

// What the list of names takes: it grows with them, and seldom shrinks.
std::uint64_t list_bytes(const std::string& folder) {
  struct stat found{};
  return ::stat(folder.c_str(), &found) == 0 ? static_cast<std::uint64_t>(found.st_blocks) * 512
                                             : 0;
}

struct Name {
  std::uint64_t spans = 0;
  std::uint64_t bytes = 0;
};

// Of a kept batch; nothing for names that are not ours.
std::optional<Name> parse_name(std::string_view name) {
  if (!name.ends_with(kKept)) return std::nullopt;
  name.remove_suffix(kKept.size());
  constexpr std::size_t kFront = 20 + 1 + 16 + 1;
  if (name.size() < kFront || name[20] != '-' || name[37] != '-') return std::nullopt;
  name.remove_prefix(kFront);
  Name parsed;
  const char* const end = name.data() + name.size();
  const auto spans = std::from_chars(name.data(), end, parsed.spans);
  if (spans.ec != std::errc() || spans.ptr == end || *spans.ptr != '-') return std::nullopt;
  const auto bytes = std::from_chars(spans.ptr + 1, end, parsed.bytes);
  if (bytes.ec != std::errc() || bytes.ptr != end) return std::nullopt;
  return parsed;
}

template <class See>
void for_each_name(const std::string& path, See see) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
  if (folder == nullptr) return;
  while (const dirent* entry = ::readdir(folder.get())) see(std::string_view(entry->d_name));
}

// Closing alone would leave the lock with a child forked meanwhile, which has the file open too.
void unlock_and_close(int file) noexcept {
  if (file < 0) return;
  ::flock(file, LOCK_UN);
  ::close(file);
}

class File {
 public:
  File(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() { unlock_and_close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  // False if somebody else has it.
  [[nodiscard]] bool lock() const noexcept { return ::flock(fd_, LOCK_EX | LOCK_NB) == 0; }

 private:
  int fd_;
};

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool read_all(int file, std::string& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::read(file, bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += static_cast<std::size_t>(got);
  }
  return true;
}

// Removed unless another process is at it.
bool remove_unlocked(const std::string& path) {
  const File file(path, O_RDONLY);
  return file.fd() >= 0 && file.lock() && ::unlink(path.c_str()) == 0;
}

}  // namespace

Result<SpillFolder> SpillFolder::open(std::string path, std::uint64_t max_bytes) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  std::error_code error;
  const bool made = std::filesystem::create_directories(path, error);
  if (!error && made) {  // spans may tell of users
    std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
  }
  if (error || ::access(path.c_str(), W_OK | X_OK) != 0) {
    return fail(ErrorCode::permission_denied, "the spill folder " + path + " cannot be used: " +
                                                  (error ? error.message() : reason()));
  }
  SpillFolder folder(path + "/", max_bytes);
  folder.remove_orphans();
  return folder;
}

void SpillFolder::remove_orphans() const {
  std::vector<std::string> found;
  for_each_name(path_, [&](std::string_view name) {
    if (name.ends_with(kWriting)) found.emplace_back(name);
  });
  for (const std::string& name : found) {
    struct stat file{};
    if (::stat((path_ + name).c_str(), &file) == 0 &&
        file.st_mtim.tv_sec + kOrphanSeconds < now_unix().value / 1'000'000'000) {
      remove_unlocked(path_ + name);
    }
  }
}

std::vector<std::string> SpillFolder::names() const {
  std::vector<std::string> found;
  for_each_name(path_, [&](std::string_view name) {
    if (parse_name(name)) found.emplace_back(name);
  });
  std::ranges::sort(found);
  return found;
}

Result<void> SpillFolder::make_room(std::uint64_t bytes, SpillAccount& account) const {
  std::uint64_t used = list_bytes(path_) + on_disk(bytes);  // with the new one
  if (used > max_bytes_) {
    return fail(ErrorCode::resource_exhausted, "the batch is larger than the spill folder may be");
  }
  std::vector<std::pair<std::string, Name>> kept;
  std::vector<std::pair<std::string, Name>> bad;
  for_each_name(path_, [&](std::string_view name) {
    std::string_view stem = name;
    if (stem.ends_with(kBad)) stem.remove_suffix(kBad.size());
    const auto parsed = parse_name(stem);
    if (!parsed) return;
    used += on_disk(parsed->bytes);
    (stem.size() == name.size() ? kept : bad).emplace_back(name, *parsed);
  });
  std::ranges::sort(kept, {}, &std::pair<std::string, Name>::first);
  for (const auto& [name, what] : bad) {
    if (used <= max_bytes_) return {};
    if (::unlink((path_ + name).c_str()) == 0) used -= on_disk(what.bytes);
  }
  for (const auto& [name, what] : kept) {
    if (used <= max_bytes_) return {};
    if (!remove_unlocked(path_ + name)) continue;
    used -= on_disk(what.bytes);
    account.overwritten.fetch_add(what.spans, std::memory_order_relaxed);
  }
  if (used <= max_bytes_) return {};
  return fail(ErrorCode::resource_exhausted, "the spill folder is full of batches being sent");
}

Result<void> SpillFolder::store(const Batch& batch, SpillAccount& account) {
  const std::string bytes = encode(batch);
  if (auto room = make_room(bytes.size(), account); !room) return room;
  char front[40];
  std::snprintf(front, sizeof front, "%020lld-%016llx", static_cast<long long>(now_unix().value),
                static_cast<unsigned long long>(thread_random().next()));
  const std::string place = path_ + front + "-" + std::to_string(batch.span_count) + "-" +
                            std::to_string(bytes.size()) + std::string(kKept);
  const std::string writing = place + std::string(kWriting);
  const auto failed = [&](std::string_view what) {
    std::string why = std::string(what) + " " + path_ + ": " + reason();
    ::unlink(writing.c_str());
    return fail(ErrorCode::unavailable, std::move(why));
  };
  {
    const File file(writing, O_WRONLY | O_CREAT | O_EXCL);
    if (file.fd() < 0) return failed("cannot write to");
    static_cast<void>(file.lock());
    if (!write_all(file.fd(), bytes) || ::fdatasync(file.fd()) != 0) {
      return failed("cannot write to");
    }
    if (std::rename(writing.c_str(), place.c_str()) != 0) return failed("cannot rename in");
  }
  const File folder(path_, O_RDONLY | O_DIRECTORY);
  if (folder.fd() >= 0) static_cast<void>(::fsync(folder.fd()));
  return {};
}

std::optional<SpillFolder::Kept> SpillFolder::take(const std::string& name,
                                                   SpillAccount& account) const {
  const std::string path = path_ + name;
  File file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  struct stat now{};
  // Without a name: another process has sent it between our look and our lock.
  if (file.fd() < 0 || !file.lock() || ::fstat(file.fd(), &now) != 0 || now.st_nlink == 0) {
    return std::nullopt;
  }
  std::optional<std::uint32_t> spans;
  std::string bytes;
  // Its own name says how large it is: the bound of the folder may have been lowered since.
  const auto named = parse_name(name);
  if (S_ISREG(now.st_mode) && named && static_cast<std::uint64_t>(now.st_size) == named->bytes &&
      named->bytes <= kMaxFileBytes) {
    bytes.resize(static_cast<std::size_t>(now.st_size));
    if (read_all(file.fd(), bytes)) spans = check(bytes);
  }
  if (!spans) {
    account.set_aside.fetch_add(1, std::memory_order_relaxed);
    log_warning("tracing", "a spilled batch is damaged and set aside: " + path + std::string(kBad));
    if (std::rename(path.c_str(), (path + std::string(kBad)).c_str()) != 0) {
      ::unlink(path.c_str());
    }
    return std::nullopt;
  }
  return std::optional<Kept>(std::in_place, file.release(), path, std::move(bytes), *spans);
}

SpillFolder::Kept::~Kept() { unlock_and_close(file_); }

Batch SpillFolder::Kept::batch() const noexcept {
  return {std::string_view(bytes_).substr(kHeaderBytes), spans_};
}

void SpillFolder::Kept::remove() const noexcept { ::unlink(path_.c_str()); }

}  // namespace alphaswarm::observability
