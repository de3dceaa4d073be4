#pragma once

#include <string>

#include "alphaswarm/cli/command_description.hpp"

namespace alphaswarm::cli {

// A script that teaches the shell the words of `root`: to be installed as
//   share/bash-completion/completions/alphaswarm, share/zsh/vendor-completions/_alphaswarm,
//   share/fish/vendor_completions.d/alphaswarm.fish
// or sourced. It runs nothing but the shell itself.
[[nodiscard]] std::string bash_completion(const CommandDescription& root);
[[nodiscard]] std::string zsh_completion(const CommandDescription& root);
[[nodiscard]] std::string fish_completion(const CommandDescription& root);

}  // namespace alphaswarm::cli
