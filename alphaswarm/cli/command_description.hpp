#pragma once

// What main.cpp declares to the parser, as plain values: help pages, completion and man pages are
// made from it, so that no option is written down twice.

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace alphaswarm::cli {

// What the value of an option or a positional is; completion offers files and folders for two.
enum class ValueKind : std::uint8_t { none, text, file, folder, choice };

struct OptionDescription {
  std::vector<std::string> names;  // "-h", "--help"; empty: a positional
  std::string value;               // as the help shows it: "FILE", "INT"; empty: a flag
  std::string range;               // what a number must be in, e.g. "0 to 48000"; may be empty
  std::string help;
  ValueKind kind = ValueKind::none;
  std::vector<std::string> choices;  // ValueKind::choice
  bool required = false;
  bool repeated = false;
};

struct CommandDescription {
  std::string name;  // one word: "list"
  std::string path;  // the words it is called by: "alphaswarm trace list"
  std::string help;
  std::vector<OptionDescription> options;      // with those that it takes from its parent
  std::vector<OptionDescription> positionals;  // the name of each is its `value`
  std::vector<CommandDescription> subcommands;
};

[[nodiscard]] CommandDescription describe(const CLI::App& app);

// The root and everything below it, parents first.
[[nodiscard]] std::vector<const CommandDescription*> all_commands(const CommandDescription& root);

}  // namespace alphaswarm::cli
