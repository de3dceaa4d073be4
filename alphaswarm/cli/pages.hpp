#pragma once

#include <optional>
#include <string_view>

#include "alphaswarm/cli/embedded_pages.hpp"

namespace alphaswarm::cli {

// The table of embedded files, once, at start-up; the wiring library does not carry the pages
// itself, so that tests link without them.
void install_pages(std::span<const EmbeddedFile> files) noexcept;

// A file below webui/dist; nullptr if there is none.
[[nodiscard]] const EmbeddedFile* find_page(std::string_view path) noexcept;

}  // namespace alphaswarm::cli
