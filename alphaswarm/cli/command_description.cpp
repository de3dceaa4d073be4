#include "alphaswarm/cli/command_description.hpp"

#include <CLI/CLI.hpp>
#include <utility>

namespace alphaswarm::cli {
namespace {

// CLI11 writes what it checks into the type: "INT:INT in [0 - 48000]", "TEXT:{bash,zsh,fish}".
void read_type(const std::string& type, OptionDescription& out) {
  const std::size_t colon = type.find(':');
  out.value = type.substr(0, colon);
  out.kind = out.value == "FILE" || out.value == "PATH" ? ValueKind::file
             : out.value == "FOLDER"                    ? ValueKind::folder
                                                        : ValueKind::text;
  if (colon == std::string::npos) return;
  const std::string check = type.substr(colon + 1);
  if (check.starts_with('{')) {
    out.kind = ValueKind::choice;
    out.choices = CLI::detail::split(check.substr(1, check.find('}') - 1), ',');
  } else if (const std::size_t open = check.find('['); open != std::string::npos) {
    const std::string bounds = check.substr(open + 1, check.find(']') - open - 1);
    const std::size_t dash = bounds.find(" - ");
    out.range = bounds.substr(0, dash) + " to " + bounds.substr(dash + 3);
  }
}

OptionDescription describe(const CLI::Option& option) {
  OptionDescription out;
  out.help = option.get_description();
  out.required = option.get_required();
  for (const std::string& name : option.get_snames()) out.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) out.names.push_back("--" + name);
  if (option.get_items_expected_max() == 0) return out;  // a flag
  out.repeated = option.get_items_expected_max() > 1;
  read_type(option.get_type_name(), out);
  if (option.get_positional() && out.kind != ValueKind::choice) out.value = option.get_name(true);
  if (out.kind == ValueKind::choice) {
    out.value.clear();
    for (const std::string& choice : out.choices) {
      out.value += (out.value.empty() ? "" : "|") + choice;
    }
  }
  return out;
}

void add_options(const CLI::App& app, bool with_help, CommandDescription& out) {
  for (const CLI::Option* option : app.get_options()) {
    if (!with_help && option == app.get_help_ptr()) continue;
    (option->get_positional() ? out.positionals : out.options).push_back(describe(*option));
  }
}

CommandDescription describe(const CLI::App& app, const std::string& parent_path) {
  CommandDescription out;
  out.name = app.get_name();
  out.path = parent_path.empty() ? out.name : parent_path + " " + out.name;
  out.help = app.get_description();
  add_options(app, true, out);
  if (app.get_fallthrough()) add_options(*app.get_parent(), false, out);
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    out.subcommands.push_back(describe(*command, out.path));
  }
  return out;
}

void collect(const CommandDescription& command, std::vector<const CommandDescription*>& list) {
  list.push_back(&command);
  for (const CommandDescription& below : command.subcommands) collect(below, list);
}

}  // namespace

CommandDescription describe(const CLI::App& app) { return describe(app, std::string()); }

std::vector<const CommandDescription*> all_commands(const CommandDescription& root) {
  std::vector<const CommandDescription*> list;
  collect(root, list);
  return list;
}

}  // namespace alphaswarm::cli
