#include "alphaswarm/observability/export/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "alphaswarm/observability/export/otlp_json.hpp"

namespace alphaswarm::observability {

FileSink::FileSink(std::string path, std::uint64_t max_bytes)
    : path_(std::move(path)), max_bytes_(max_bytes) {}

FileSink::~FileSink() {
  if (file_ >= 0) ::close(file_);
}

SinkResult FileSink::send(const Batch& batch, std::chrono::milliseconds) {
  auto line = to_otlp_json(batch.request.view(joined_));
  if (!line) return {.status = SinkResult::rejected, .message = line.error().message};
  if (std::string wrong = append(*line += '\n'); !wrong.empty()) {
    return {.status = SinkResult::retry, .message = path_ + ": " + wrong};
  }
  return {};
}

std::string FileSink::append(const std::string& line) {
  const auto reason = [] { return std::generic_category().message(errno); };
  // Spans may tell of users: nobody but the owner reads them.
  const auto open = [&] {
    if (file_ >= 0) ::close(file_);
    file_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    return file_ >= 0;
  };
  if (file_ < 0 && !open()) return reason();
  struct stat now{};
  if (::fstat(file_, &now) != 0) return reason();
  if (now.st_nlink == 0) {  // someone has taken the file away
    if (!open() || ::fstat(file_, &now) != 0) return reason();
  }
  if (now.st_size > 0 && static_cast<std::uint64_t>(now.st_size) + line.size() > max_bytes_) {
    if (std::rename(path_.c_str(), (path_ + ".1").c_str()) != 0) return reason();
    if (!open() || ::fstat(file_, &now) != 0) return reason();
  }
  const ssize_t written = ::write(file_, line.data(), line.size());
  if (written == static_cast<ssize_t>(line.size())) return {};
  const std::string wrong = written < 0 ? reason() : "no space left";
  if (written > 0 && ::ftruncate(file_, now.st_size) != 0) return reason();
  return wrong;
}

}  // namespace alphaswarm::observability
