// TLS as a URL asks for it: who is trusted, who is refused, and what the refusal says.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alphaswarm/persistence/test_support.hpp"

namespace alphaswarm::persistence {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class PostgresTls : public ::testing::Test {
 protected:
  // The server's certificate is its own authority and names 127.0.0.1 and localhost.
  static void SetUpTestSuite() {
    server_ = std::make_unique<alphaswarm::testing::Postgres>(alphaswarm::testing::PostgresOptions{
        .settings = {{"listen_addresses", "127.0.0.1,127.0.0.2"}}, .tls = true});
  }
  static void TearDownTestSuite() { server_.reset(); }

  static std::string url(const std::string& host, const std::string& parameters) {
    std::string text = server_->url() + "?" + parameters;
    const std::string_view own = "@127.0.0.1:";
    return text.replace(text.find(own), own.size(), "@" + host + ":");
  }
  static std::string trusting(const std::filesystem::path& authority) {
    return "&sslrootcert=" + authority.string();
  }
  static void expect_encrypted(const std::string& url) {
    SCOPED_TRACE(url);
    auto database = Database::open(url);
    ASSERT_TRUE(database) << database.error().message;
    bool encrypted = false;
    ASSERT_TRUE((*database)->query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", {},
                                   [&](const Row& row) { encrypted = row.integer(0) != 0; }));
    EXPECT_TRUE(encrypted);
  }
  static void expect_refused(const std::string& url, const std::string& why) {
    SCOPED_TRACE(url);
    const auto database = Database::open(url);
    ASSERT_FALSE(database);
    EXPECT_EQ(database.error().code, ErrorCode::unavailable);
    EXPECT_EQ(sqlstate_of(database.error()), "08001");
    EXPECT_THAT(database.error().message, HasSubstr(why));
    EXPECT_THAT(database.error().message, Not(HasSubstr("\n")));
    EXPECT_THAT(database.error().message, Not(HasSubstr(server_->password())));
  }

  static std::unique_ptr<alphaswarm::testing::Postgres> server_;
};
std::unique_ptr<alphaswarm::testing::Postgres> PostgresTls::server_;

TEST_F(PostgresTls, IsSetByTheUrl) {
  const std::string trusted = trusting(server_->certificate());
  expect_encrypted(url("127.0.0.1", "sslmode=require"));
  expect_encrypted(url("127.0.0.1", "sslmode=verify-full" + trusted));
  expect_encrypted(url("localhost", "sslmode=verify-full" + trusted));
}

TEST_F(PostgresTls, AnAuthorityThatIsNotThereIsNamed) {
  expect_refused(url("127.0.0.1", "sslmode=verify-full" + trusting(server_->folder() / "none.crt")),
                 "none.crt");
}

TEST_F(PostgresTls, AnAuthorityThatHasNotSignedIsRefused) {
  const test::TemporaryFolder folder;
  const auto stranger = folder.path() / "stranger.crt";
  alphaswarm::testing::Process openssl(
      {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
       "-keyout", "stranger.key", "-out", stranger, "-days", "2", "-subj", "/CN=stranger"},
      folder.path());
  ASSERT_EQ(openssl.wait(), 0) << openssl.output();
  const std::string why = "certificate verify failed";
  expect_refused(url("127.0.0.1", "sslmode=verify-ca" + trusting(stranger)), why);
  expect_refused(url("127.0.0.1", "sslmode=verify-full" + trusting(stranger)), why);
}

TEST_F(PostgresTls, ANameThatIsNotInTheCertificateIsRefused) {
  const std::string trusted = trusting(server_->certificate());
  // The same server by another of its addresses.
  expect_refused(url("127.0.0.2", "sslmode=verify-full" + trusted),
                 "does not match host name \"127.0.0.2\"");
  expect_encrypted(url("127.0.0.2", "sslmode=verify-ca" + trusted));
}

TEST(PostgresWithoutTls, IsRefusedWhereTheUrlWantsIt) {
  for (const char* mode : {"require", "verify-ca", "verify-full"}) {
    const auto database = Database::open(test::postgres().url() + "?sslmode=" + mode);
    ASSERT_FALSE(database) << mode;
    EXPECT_EQ(sqlstate_of(database.error()), "08001");
    EXPECT_THAT(database.error().message, HasSubstr("does not support SSL")) << mode;
  }
}

}  // namespace
}  // namespace alphaswarm::persistence
