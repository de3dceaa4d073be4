#include "alphaswarm/instrumentation/redact.hpp"

#include <gtest/gtest.h>

#include <string_view>

#include "alphaswarm/instrumentation/url_filter.hpp"

namespace alphaswarm::instrumentation {
namespace {

TEST(Redact, KnowsSecretsByName) {
  for (const std::string_view key : {"api_key",
                                     "apikey",
                                     "API-Key",
                                     "x-api-key",
                                     "api%5Fkey",
                                     "token",
                                     "access_token",
                                     "secret",
                                     "client_secret",
                                     "password",
                                     "Passwd",
                                     "pwd",
                                     "signature",
                                     "Signature",
                                     "sig",
                                     "X-Goog-Signature",
                                     "X-Amz-Security-Token",
                                     "AWSAccessKeyId",
                                     "credential",
                                     "auth",
                                     "key",
                                     "private.key",
                                     "jwt"}) {
    EXPECT_TRUE(is_sensitive_key(key)) << key;
  }
  for (const std::string_view key : {"limit", "q", "symbol", "start", "signal", "keyword", "monkey",
                                     "author", "design", "page", ""}) {
    EXPECT_FALSE(is_sensitive_key(key)) << key;
  }
}

struct Case {
  std::string_view in;
  std::string_view out;
};

TEST(Redact, Queries) {
  for (const Case& c : {
           Case{"", ""},
           Case{"limit=5", "limit=5"},
           Case{"api_key=abc", "api_key=REDACTED"},
           Case{"a=1&api_key=abc&b=2", "a=1&api_key=REDACTED&b=2"},
           Case{"token=&token=x", "token=REDACTED&token=REDACTED"},
           Case{"token", "token"},
           Case{"a=1&&b=2", "a=1&&b=2"},
           Case{"pass%77ord=x%26y=z", "pass%77ord=REDACTED"},
           Case{"sig=a=b=c&x", "sig=REDACTED&x"},
       }) {
    EXPECT_EQ(redact_query(c.in), c.out);
  }
}

TEST(Redact, Urls) {
  for (const Case& c : {
           Case{"http://host/path", "http://host/path"},
           Case{"https://me:pw@host:8443/p?x=1", "https://REDACTED:REDACTED@host:8443/p?x=1"},
           Case{"https://me@host", "https://REDACTED:REDACTED@host"},
           Case{"https://a:b@c@host/x@y", "https://REDACTED:REDACTED@host/x@y"},
           Case{"http://host/p?api_key=k&y=1#token=t", "http://host/p?api_key=REDACTED&y=1"},
           Case{"http://host?q=a@b", "http://host?q=a@b"},
           Case{"/only/path?secret=x", "/only/path?secret=REDACTED"},
           Case{"", ""},
       }) {
    EXPECT_EQ(redact_url(c.in), c.out);
  }
}

TEST(UrlFilter, SearchesItsExpressionsInThePath) {
  const auto filter = UrlFilter::parse(UrlFilter::kDefault);
  ASSERT_TRUE(filter);
  EXPECT_TRUE(filter->excludes("/health"));
  EXPECT_TRUE(filter->excludes("/health/ready"));
  EXPECT_TRUE(filter->excludes("/health/live"));
  EXPECT_TRUE(filter->excludes("/metrics"));
  EXPECT_FALSE(filter->excludes("/paper/health"));
  EXPECT_FALSE(filter->excludes("/"));
  EXPECT_FALSE(UrlFilter().excludes("/health"));
  EXPECT_FALSE(UrlFilter::parse("")->excludes("/health"));
  EXPECT_TRUE(UrlFilter::parse(" a.c , ,x$")->excludes("/abc"));
  EXPECT_TRUE(UrlFilter::parse("x$")->excludes("/x"));
}

TEST(UrlFilter, NamesABadExpression) {
  const auto filter = UrlFilter::parse("^/health,([");
  ASSERT_FALSE(filter);
  EXPECT_EQ(filter.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(filter.error().message.find("(["), std::string::npos);
}

}  // namespace
}  // namespace alphaswarm::instrumentation
