#include "alphaswarm/cli/command_description.hpp"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <regex>
#include <stdexcept>

#include "alphaswarm/cli/completion.hpp"
#include "alphaswarm/cli/man_page.hpp"

namespace alphaswarm::cli {
namespace {

// A program with one of each thing that can be declared.
class Described : public testing::Test {
 protected:
  Described() {
    app_.add_option("--env-file", text_, "settings")->type_name("FILE");
    CLI::App* trace = app_.add_subcommand("trace", "look at traces");
    trace->add_option("--url", text_, "query server");
    CLI::App* get = trace->add_subcommand("get", "one trace: [all] of it")->fallthrough();
    get->add_option("id", text_, "trace id")->required();
    get->add_option("--limit", number_, "how many")->check(CLI::Range(1, 9));
    get->add_flag("--all", flag_, "fold nothing");
    get->add_option("--color", text_, "when")->check(CLI::IsMember({"always", "never"}));
    program_ = describe(app_);
  }

  const CommandDescription& get() const { return program_.subcommands[0].subcommands[0]; }

  const OptionDescription& option(const std::string& name) const {
    for (const OptionDescription& one : get().options) {
      if (one.names.back() == name) return one;
    }
    throw std::out_of_range(name);
  }

  std::string text_;
  int number_ = 0;
  bool flag_ = false;
  CLI::App app_{"A program.", "program"};
  CommandDescription program_;
};

TEST_F(Described, CommandsAreATree) {
  const auto commands = all_commands(program_);
  ASSERT_EQ(commands.size(), 3U);
  EXPECT_EQ(commands[2]->path, "program trace get");
  EXPECT_EQ(commands[2]->help, "one trace: [all] of it");
}

TEST_F(Described, OptionsSayWhatTheyTake) {
  EXPECT_EQ(option("--limit").value, "INT");
  EXPECT_EQ(option("--limit").range, "1 to 9");
  EXPECT_EQ(option("--all").kind, ValueKind::none);
  EXPECT_EQ(option("--color").kind, ValueKind::choice);
  EXPECT_EQ(option("--color").choices, (std::vector<std::string>{"always", "never"}));
  EXPECT_EQ(program_.options.back().kind, ValueKind::file);
  ASSERT_EQ(get().positionals.size(), 1U);
  EXPECT_EQ(get().positionals[0].value, "id");
  EXPECT_TRUE(get().positionals[0].required);
}

TEST_F(Described, ACommandThatFallsThroughHasItsParentsOptions) {
  EXPECT_EQ(option("--url").help, "query server");
}

TEST_F(Described, EveryShellLearnsEveryWord) {
  for (const std::string& script :
       {bash_completion(program_), zsh_completion(program_), fish_completion(program_)}) {
    for (const char* word : {"trace", "get", "limit", "color", "always", "url", "env-file"}) {
      EXPECT_NE(script.find(word), std::string::npos) << word << " is missing in\n" << script;
    }
    EXPECT_FALSE(std::regex_search(script, std::regex("@[a-z_]+@"))) << script;
  }
}

TEST_F(Described, AManPageSaysWhatTheHelpSays) {
  const std::string page = man_page(program_, get());
  EXPECT_NE(page.find(".TH PROGRAM\\-TRACE\\-GET 1"), std::string::npos) << page;
  EXPECT_NE(page.find(".TP\n\\fB\\-\\-limit\\fR \\fIINT\\fR\nhow many; 1 to 9\n"),
            std::string::npos);
  EXPECT_NE(page.find("[\\fB\\-\\-all\\fR]\n"), std::string::npos);
  EXPECT_NE(page.find("\\fBprogram\\-trace\\fR(1)"), std::string::npos);
}

}  // namespace
}  // namespace alphaswarm::cli
