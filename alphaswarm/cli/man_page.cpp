#include "alphaswarm/cli/man_page.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string_view>

#include "alphaswarm/cli/commands.hpp"
#include "alphaswarm/cli/settings.hpp"
#include "alphaswarm/cli/version.hpp"

namespace alphaswarm::cli {
namespace {

// "alphaswarm trace list" → "alphaswarm-trace-list".
std::string page_name(std::string path) {
  std::ranges::replace(path, ' ', '-');
  return path;
}

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

// Text as roff reads it: a backslash, a hyphen that must stay one, and a line that begins like a
// request. Markdown's back quotes are bold here.
std::string roff(std::string_view text) {
  std::string out;
  bool bold = false;
  for (const char c : text) {
    if (c == '`') {
      bold = !bold;
      out += bold ? "\\fB" : "\\fR";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\\') {
      out += "\\e";
    } else {
      out += c;
    }
  }
  return !out.empty() && (out[0] == '.' || out[0] == '\'') ? "\\&" + out : out;
}

std::string bold(std::string_view text) { return "\\fB" + roff(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + roff(text) + "\\fR"; }

std::string reference(std::string_view page) { return bold(page) + "(1)"; }

std::string section(std::string_view title) { return ".SH " + std::string(title) + "\n"; }

// A hanging paragraph: `head` is roff already.
std::string entry(const std::string& head, std::string_view text) {
  return ".TP\n" + head + "\n" + roff(text) + "\n";
}

std::string synopsis(const CommandDescription& command) {
  std::string text = ".B " + roff(command.path) + "\n";
  for (const OptionDescription& option : command.options) {
    std::string part = bold(option.names.back());
    if (!option.value.empty()) part += " " + italic(option.value);
    if (option.repeated) part += "\\ ...";
    text += (option.required ? part : "[" + part + "]") + "\n";
  }
  for (const OptionDescription& positional : command.positionals) {
    const std::string part = italic(positional.value) + (positional.repeated ? "\\ ..." : "");
    text += (positional.required ? part : "[" + part + "]") + "\n";
  }
  if (!command.subcommands.empty()) text += italic("command") + " ...\n";
  return text;
}

std::string options(const std::vector<OptionDescription>& list) {
  std::string text;
  for (const OptionDescription& option : list) {
    std::string head;
    for (const std::string& name : option.names) head += (head.empty() ? "" : ", ") + bold(name);
    if (!option.value.empty()) head += (head.empty() ? "" : " ") + italic(option.value);
    text += entry(head, option.range.empty() ? option.help : option.help + "; " + option.range);
  }
  return text;
}

// Every setting, on the page of the command that shows them.
std::string environment() {
  std::string text = section("ENVIRONMENT");
  for (const config::Setting& setting : all_settings()) {
    const std::string value(setting.default_value);
    text += entry(bold(setting.name), std::string(setting.meaning) +
                                          (value.empty() ? "" : " (default: `" + value + "`)"));
  }
  return text;
}

std::string files() {
  return section("FILES") +
         entry(italic(".env"), "settings, one NAME=value a line; the environment wins") +
         entry(italic("/etc/alphaswarm/alphaswarm.env"), "the same for the systemd units") +
         entry(italic("/usr/share/alphaswarm"), "the collector's configurations");
}

std::string see_also(const CommandDescription& root, const CommandDescription& command) {
  std::string text;
  const auto add = [&](const std::string& path) {
    if (path == command.path) return;
    text += (text.empty() ? "" : ",\n") + reference(page_name(path));
  };
  const std::size_t last = command.path.rfind(' ');
  if (last != std::string::npos) add(command.path.substr(0, last));
  for (const CommandDescription& below : command.subcommands) add(below.path);
  if (last != std::string::npos) add(root.name + " settings");
  return section("SEE ALSO") + text + "\n";
}

bool write_page(const std::filesystem::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  out << text;
  out.close();
  return out.good();
}

}  // namespace

std::string man_page(const CommandDescription& root, const CommandDescription& command) {
  const std::string name = page_name(command.path);
  // No date: the same program makes the same page.
  std::string text = ".TH " + roff(upper(name)) + " 1 \"\" \"AlphaSwarm " + std::string(kVersion) +
                     "\" \"AlphaSwarm\"\n.nh\n.ad l\n";
  text += section("NAME") + roff(name) + " \\- " + roff(command.help) + "\n";
  text += section("SYNOPSIS") + synopsis(command);
  if (!command.subcommands.empty()) {
    text += section("COMMANDS");
    for (const CommandDescription& below : command.subcommands) {
      text += entry(bold(below.name), below.help);
    }
  }
  const auto positionals = options(command.positionals);
  if (!positionals.empty()) text += section("ARGUMENTS") + positionals;
  text += section("OPTIONS") + options(command.options);
  if (command.path == root.name + " settings") text += environment();
  if (command.path == root.name) text += files();
  text += section("EXIT STATUS") + entry("0", "done") +
          entry("1", "failed: one sentence on standard error says what and where") +
          entry("2", "wrong usage");
  return text + see_also(root, command);
}

int run_man(const CommandDescription& root, const ManOptions& options) {
  std::string wanted = root.name;
  for (const std::string& word : options.command) wanted += " " + word;
  bool found = false;
  for (const CommandDescription* command : all_commands(root)) {
    const std::string text = man_page(root, *command);
    if (!options.output.empty()) {
      const auto file = options.output / (page_name(command->path) + ".1");
      if (!write_page(file, text)) return failed("cannot write " + file.string());
    } else if (command->path == wanted) {
      std::fputs(text.c_str(), stdout);
    }
    found = found || command->path == wanted;
  }
  return found ? 0 : failed("there is no command '" + wanted + "'");
}

}  // namespace alphaswarm::cli
