#include "alphaswarm/config/environment.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace alphaswarm::config {
namespace {

constexpr Setting kRatio{"ALPHASWARM_TEST_RATIO", "1.0", "A ratio."};
constexpr Setting kPort{"ALPHASWARM_TEST_PORT", "8000", "A port."};
constexpr Setting kUrl{"ALPHASWARM_TEST_URL", "", "A URL."};
constexpr Setting kToken{"ALPHASWARM_TEST_TOKEN", "", "A token.", true};

std::filesystem::path write_dotenv(std::string_view text) {
  const auto path =
      std::filesystem::temp_directory_path() / ("alphaswarm_env_" + std::to_string(::getpid()));
  std::ofstream(path) << text;
  return path;
}

TEST(Environment, LaterSourcesWin) {
  const auto path = write_dotenv(
      "# comment\nexport ALPHASWARM_TEST_PORT=1\nALPHASWARM_TEST_URL='a b' # note\n"
      "ALPHASWARM_TEST_RATIO=0.25 # quarter\n");
  ::setenv("ALPHASWARM_TEST_PORT", "2", 1);
  const auto environment = Environment::load(path);
  ::unsetenv("ALPHASWARM_TEST_PORT");
  std::filesystem::remove(path);
  ASSERT_TRUE(environment);
  EXPECT_EQ(environment->integer(kPort, 1, 65535), 2);
  EXPECT_EQ(environment->source(kPort.name), Source::environment);
  EXPECT_EQ(environment->text(kUrl), "a b");
  EXPECT_EQ(environment->number(kRatio, 0, 1), 0.25);
  EXPECT_EQ(environment->source(kRatio.name), Source::dotenv);
}

TEST(Environment, BadDotenvLineIsNamed) {
  const auto path = write_dotenv("A=1\nthis is not a setting\n");
  const auto environment = Environment::load(path);
  std::filesystem::remove(path);
  ASSERT_FALSE(environment);
  EXPECT_NE(environment.error().message.find(":2: a line must read NAME=value"), std::string::npos);
}

TEST(Environment, BadValuesNameVariableValueAndRange) {
  const auto environment = Environment::from_values({{"ALPHASWARM_TEST_RATIO", "2"},
                                                     {"ALPHASWARM_TEST_PORT", "80a"},
                                                     {"ALPHASWARM_TEST_TOKEN", "hush"}});
  EXPECT_EQ(environment.number(kRatio, 0, 1).error().message,
            "ALPHASWARM_TEST_RATIO=2 is not allowed: it must be a number from 0 to 1");
  EXPECT_EQ(environment.integer(kPort, 1, 65535).error().message,
            "ALPHASWARM_TEST_PORT=80a is not allowed: it must be a whole number from 1 to 65535");
  EXPECT_EQ(environment.boolean(kToken).error().message,
            "ALPHASWARM_TEST_TOKEN=*** is not allowed: it must be true or false");
}

TEST(Environment, EmptyCountsAsUnset) {
  const auto environment = Environment::from_values({{"ALPHASWARM_TEST_PORT", ""}});
  EXPECT_FALSE(environment.find("ALPHASWARM_TEST_PORT"));
  EXPECT_EQ(environment.integer(kPort, 1, 65535), 8000);
}

TEST(Environment, PasswordsInUrlsAreBlottedOut) {
  EXPECT_EQ(redact_url("postgresql://u:p@host/db?x=a@b"), "postgresql://***@host/db?x=a@b");
  EXPECT_EQ(redact_url("redis://host:1/0"), "redis://host:1/0");
  EXPECT_EQ(redact_url("plain"), "plain");
}

}  // namespace
}  // namespace alphaswarm::config
