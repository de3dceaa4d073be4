#pragma once

// The web pages that the binary carries, as tools/embed_web.py packed them at build time.

#include <span>
#include <string_view>

namespace alphaswarm::cli {

struct EmbeddedFile {
  std::string_view path;  // below webui/dist, e.g. "/trace/index.html"
  std::string_view content_type;
  std::string_view encoding;  // "gzip" or empty
  std::string_view bytes;
};

// Sorted by path; empty in a build without web pages.
[[nodiscard]] std::span<const EmbeddedFile> embedded_files();

}  // namespace alphaswarm::cli
