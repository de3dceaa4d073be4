#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "alphaswarm/cli/command_description.hpp"

namespace alphaswarm::cli {

// The manual page of a command in man(7)'s macros: "alphaswarm trace list" is
// alphaswarm-trace-list(1).
[[nodiscard]] std::string man_page(const CommandDescription& root,
                                   const CommandDescription& command);

struct ManOptions {
  std::vector<std::string> command;  // its words below the program; empty: the program
  std::filesystem::path output;      // not empty: every page into this folder, as NAME.1
};

// Prints or writes; the exit code, as in commands.hpp.
int run_man(const CommandDescription& root, const ManOptions& options);

}  // namespace alphaswarm::cli
