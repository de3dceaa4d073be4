#include "alphaswarm/cli/pages.hpp"

#include <algorithm>

namespace alphaswarm::cli {
namespace {

std::span<const EmbeddedFile> pages;  // set once, before any thread

}  // namespace

void install_pages(std::span<const EmbeddedFile> files) noexcept { pages = files; }

const EmbeddedFile* find_page(std::string_view path) noexcept {
  const auto found = std::ranges::lower_bound(pages, path, {}, &EmbeddedFile::path);
  return found != pages.end() && found->path == path ? &*found : nullptr;
}

}  // namespace alphaswarm::cli
