#include "alphaswarm/cli/completion.hpp"

#include <string_view>

namespace alphaswarm::cli {
namespace {

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
  return text;
}

// A word in single quotes, as all three shells read it; fish has an escape of its own for quotes.
std::string quoted(const std::string& text) { return "'" + replaced(text, "'", "'\\''") + "'"; }
std::string fish_quoted(const std::string& text) {
  return "'" + replaced(replaced(text, "\\", "\\\\"), "'", "\\'") + "'";
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

// "alphaswarm trace list" → "_alphaswarm_trace_list".
std::string function_name(const CommandDescription& command) {
  return "_" + replaced(command.path, " ", "_");
}

bool takes_value(const OptionDescription& option) { return option.kind != ValueKind::none; }

// --- bash ------------------------------------------------------------------------------------

std::string bash_words(const std::vector<std::string>& words) {
  if (words.empty()) return {};
  return "mapfile -t COMPREPLY < <(compgen -W " + quoted(joined(words)) + " -- \"$cur\")";
}

std::string bash_value(const OptionDescription& option) {
  switch (option.kind) {
    case ValueKind::file:
      return "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")";
    case ValueKind::folder:
      return "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")";
    case ValueKind::choice:
      return bash_words(option.choices);
    case ValueKind::none:
    case ValueKind::text:
      break;
  }
  return {};
}

// The branches that complete the value of an option: "alphaswarm up --data-dir") … ;;
std::string bash_values(const std::vector<const CommandDescription*>& commands) {
  std::string text;
  for (const CommandDescription* command : commands) {
    for (const OptionDescription& option : command->options) {
      const std::string value = bash_value(option);
      if (value.empty()) continue;
      std::string patterns;
      for (const std::string& name : option.names) {
        patterns += (patterns.empty() ? "" : " | ") + quoted(command->path + " " + name);
      }
      text += "    " + patterns + ") " + value + "; return ;;\n";
    }
  }
  return text;
}

// The branches that complete a word of a command: its subcommands and options, or its positional.
std::string bash_branches(const std::vector<const CommandDescription*>& commands) {
  std::string text;
  for (const CommandDescription* command : commands) {
    std::vector<std::string> options;
    std::vector<std::string> words;
    for (const OptionDescription& option : command->options) {
      options.insert(options.end(), option.names.begin(), option.names.end());
    }
    for (const CommandDescription& below : command->subcommands) words.push_back(below.name);
    const std::string plain =
        command->positionals.empty() ? bash_words(words) : bash_value(command->positionals.front());
    text += "    " + quoted(command->path) + ")\n      case $cur in\n";
    text += "        -*) " + bash_words(options) + " ;;\n";
    if (!plain.empty()) text += "        *) " + plain + " ;;\n";
    text += "      esac\n      ;;\n";
  }
  return text;
}

constexpr std::string_view kBash =
    R"(# bash completion for alphaswarm, made by `alphaswarm completion bash`.
_alphaswarm() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} at=@name@ i
  # bash takes --option=value apart at the sign.
  if [[ $cur == '=' ]]; then cur=''
  elif [[ $prev == '=' ]]; then prev=${COMP_WORDS[COMP_CWORD - 2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at ${COMP_WORDS[i]}" in
      @with_value@) ((i++)) ;;
      @commands@) at="$at ${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at $prev" in
@values@    @with_value@) return ;;
  esac
  case $at in
@words@  esac
}
complete -F _alphaswarm @name@
)";

// --- zsh -------------------------------------------------------------------------------------

// Square brackets and colons mean something in a specification of _arguments.
std::string zsh_text(const std::string& text) {
  return replaced(replaced(replaced(text, "[", "\\["), "]", "\\]"), ":", "\\:");
}

std::string zsh_action(const OptionDescription& option) {
  switch (option.kind) {
    case ValueKind::file:
      return ":" + option.value + ":_files";
    case ValueKind::folder:
      return ":" + option.value + ":_files -/";
    case ValueKind::choice:
      return ":" + option.value + ":(" + joined(option.choices) + ")";
    case ValueKind::text:
      return ":" + zsh_text(option.value) + ": ";
    case ValueKind::none:
      break;
  }
  return {};
}

std::string zsh_function(const CommandDescription& command) {
  std::string text = function_name(command) + "() {\n";
  if (!command.subcommands.empty()) text += "  local curcontext=$curcontext state line\n";
  text += "  _arguments -s -S -C";
  for (const OptionDescription& option : command.options) {
    const std::string exclusive = option.repeated           ? "*"
                                  : option.names.size() > 1 ? "(" + joined(option.names) + ")"
                                                            : "";
    for (const std::string& name : option.names) {
      const bool long_value = takes_value(option) && name.starts_with("--");
      text += " \\\n    " + quoted(exclusive + name + (long_value ? "=" : "") + "[" +
                                   zsh_text(option.help) + "]" + zsh_action(option));
    }
  }
  for (const OptionDescription& positional : command.positionals) {
    text += " \\\n    " + quoted((positional.repeated ? "*" : "") + zsh_action(positional));
  }
  if (command.subcommands.empty()) return text + "\n}\n";
  text += " \\\n    '1: :->command' '*:: :->rest'\n  case $state in\n    command)\n";
  text += "      local -a commands=(";
  for (const CommandDescription& below : command.subcommands) {
    text += "\n        " + quoted(below.name + ":" + zsh_text(below.help));
  }
  text += ")\n      _describe -t commands command commands ;;\n    rest)\n      case $line[1] in\n";
  for (const CommandDescription& below : command.subcommands) {
    text += "        " + below.name + ") " + function_name(below) + " ;;\n";
  }
  return text + "      esac ;;\n  esac\n}\n";
}

// --- fish ------------------------------------------------------------------------------------

std::string fish_option(const CommandDescription& command, const OptionDescription& option) {
  std::string text = "complete -c alphaswarm -n '__alphaswarm_at " + command.path + "'";
  for (const std::string& name : option.names) {
    text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  text += " -d " + fish_quoted(option.help);
  switch (option.kind) {
    case ValueKind::file:
      return text + " -r -F\n";
    case ValueKind::folder:
      return text + " -x -a '(__fish_complete_directories)'\n";
    case ValueKind::choice:
      return text + " -x -a " + fish_quoted(joined(option.choices)) + "\n";
    case ValueKind::text:
      return text + " -x\n";
    case ValueKind::none:
      break;
  }
  return text + "\n";
}

std::string fish_command(const CommandDescription& command) {
  std::string text;
  const std::string here = "complete -c alphaswarm -n '__alphaswarm_at " + command.path + "'";
  for (const CommandDescription& below : command.subcommands) {
    text += here + " -a " + below.name + " -d " + fish_quoted(below.help) + "\n";
  }
  for (const OptionDescription& option : command.options) text += fish_option(command, option);
  for (const OptionDescription& positional : command.positionals) {
    if (positional.kind == ValueKind::file) text += here + " -F\n";
    if (positional.kind == ValueKind::choice) {
      text += here + " -a " + fish_quoted(joined(positional.choices)) + "\n";
    }
  }
  return text;
}

constexpr std::string_view kFish =
    R"(# fish completion for alphaswarm, made by `alphaswarm completion fish`.
# Whether the words so far lead to this command.
function __alphaswarm_at
    set -l at alphaswarm
    set -l skip no
    for word in (commandline -opc)[2..-1]
        if test $skip = yes
            set skip no
            continue
        end
        switch "$at $word"
            case @with_value@
                set skip yes
            case @commands@
                set at "$at $word"
        end
    end
    test "$at" = "$argv"
end
complete -c alphaswarm -f
)";

// "alphaswarm up --data-dir" … each quoted, with `between` in between.
std::string options_with_value(const std::vector<const CommandDescription*>& commands,
                               std::string_view between) {
  std::string text;
  for (const CommandDescription* command : commands) {
    for (const OptionDescription& option : command->options) {
      if (!takes_value(option)) continue;
      for (const std::string& name : option.names) {
        text += (text.empty() ? "" : std::string(between)) + quoted(command->path + " " + name);
      }
    }
  }
  return text;
}

std::string subcommands(const std::vector<const CommandDescription*>& commands,
                        std::string_view between) {
  std::string text;
  for (const CommandDescription* command : commands) {
    if (command == commands.front()) continue;  // the program itself
    text += (text.empty() ? "" : std::string(between)) + quoted(command->path);
  }
  return text;
}

}  // namespace

std::string bash_completion(const CommandDescription& root) {
  const auto commands = all_commands(root);
  std::string text = replaced(std::string(kBash), "@name@", root.name);
  text = replaced(text, "@with_value@", options_with_value(commands, " | "));
  text = replaced(text, "@commands@", subcommands(commands, " | "));
  text = replaced(text, "@values@", bash_values(commands));
  return replaced(text, "@words@", bash_branches(commands));
}

std::string zsh_completion(const CommandDescription& root) {
  std::string text = "#compdef " + root.name +
                     "\n# zsh completion for alphaswarm, made by `alphaswarm completion zsh`.\n";
  for (const CommandDescription* command : all_commands(root)) text += zsh_function(*command);
  // Sourced, it says what it completes; found in $fpath, it completes.
  return text + "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n  " + function_name(root) +
         " \"$@\"\nelse\n  compdef " + function_name(root) + " " + root.name + "\nfi\n";
}

std::string fish_completion(const CommandDescription& root) {
  const auto commands = all_commands(root);
  std::string text =
      replaced(std::string(kFish), "@with_value@", options_with_value(commands, " "));
  text = replaced(text, "@commands@", subcommands(commands, " "));
  for (const CommandDescription* command : commands) text += fish_command(*command);
  return text;
}

}  // namespace alphaswarm::cli
