// The HTTP parser and writers, routes and URLs, without sockets.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "alphaswarm/base/random.hpp"
#include "alphaswarm/net/detail/http_codec.hpp"
#include "alphaswarm/net/detail/route_table.hpp"
#include "alphaswarm/net/url.hpp"

namespace alphaswarm::net {
namespace {

using detail::MessageParser;
using detail::ParseState;

constexpr detail::ParseLimits kLimits{8192, 1U << 20};

struct Parsed {
  ParseState state = ParseState::need_more;
  std::string target;
  std::string body;
  std::size_t headers = 0;
  std::size_t consumed = 0;
  friend bool operator==(const Parsed&, const Parsed&) = default;
};

// Feeds `bytes` in pieces whose sizes `next_size` gives, as a connection would.
template <class NextSize>
Parsed parse(std::string_view bytes, NextSize next_size) {
  MessageParser parser = MessageParser::request(kLimits);
  Parsed out;
  std::size_t begin = 0;
  std::size_t end = 0;
  while (out.state != ParseState::done && out.state != ParseState::failed) {
    if (out.state == ParseState::need_more) {
      if (end == bytes.size()) break;
      end = std::min(bytes.size(), end + next_size());
    }
    const detail::ParseStep step = parser.feed(bytes.substr(begin, end - begin));
    begin += step.consumed;
    out.state =
        step.state == ParseState::head_done && begin == end ? ParseState::need_more : step.state;
  }
  out.target = parser.head().target;
  out.body = parser.body();
  out.headers = parser.head().headers.size();
  out.consumed = begin;
  return out;
}

std::string some_request(Random& random) {
  std::string body(random.below(300), 'b');
  std::string out = "POST /p" + std::to_string(random.below(1000)) + " HTTP/1.1\r\n";
  for (std::uint64_t i = random.below(5); i > 0; --i) {
    out += "X-" + std::to_string(i) + ": " + std::string(random.below(50), 'v') + "\r\n";
  }
  if (random.below(2) == 0) {
    return out + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  out += "Transfer-Encoding: chunked\r\n\r\n";
  while (!body.empty()) {
    const std::size_t size = 1 + random.below(body.size());
    char hex[20];
    std::snprintf(hex, sizeof hex, "%zx\r\n", size);
    out += hex + body.substr(0, size) + "\r\n";
    body.erase(0, size);
  }
  return out + "0\r\n\r\n";
}

TEST(HttpCodec, PiecesMakeNoDifference) {
  const std::uint64_t seed = thread_random().next();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  for (int i = 0; i < 300; ++i) {
    const std::string request = some_request(random);
    const Parsed whole = parse(request, [&] { return request.size(); });
    ASSERT_EQ(whole.state, ParseState::done) << request;
    ASSERT_EQ(whole.consumed, request.size()) << request;
    ASSERT_EQ(parse(request, [] { return std::size_t{1}; }), whole) << request;
    ASSERT_EQ(parse(request, [&] { return 1 + random.below(40); }), whole) << request;
  }
}

TEST(HttpCodec, NoiseNeverHangsOrGrows) {
  const std::uint64_t seed = thread_random().next();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes = some_request(random);
    for (std::uint64_t flips = 1 + random.below(5); flips > 0; --flips) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    }
    const Parsed parsed = parse(bytes, [&] { return 1 + random.below(100); });
    EXPECT_LE(parsed.body.size(), bytes.size());
    EXPECT_LE(parsed.consumed, bytes.size());
  }
}

TEST(HttpCodec, FieldsThatWouldBreakTheMessageAreLeftOut) {
  HttpResponse response = HttpResponse::text(200, "hi");
  response.headers.add("X-Good", "yes");
  response.headers.add("X-Evil", "a\r\nSet-Cookie: b");
  response.headers.add("Bad Name", "x");
  response.headers.add("Content-Length", "999");
  std::string head;
  detail::append_response_head(head, response, {});
  EXPECT_NE(head.find("X-Good: yes\r\n"), std::string::npos);
  EXPECT_EQ(head.find("Set-Cookie"), std::string::npos);
  EXPECT_EQ(head.find("Bad Name"), std::string::npos);
  EXPECT_EQ(head.find("999"), std::string::npos);
  EXPECT_NE(head.find("Content-Length: 2\r\n"), std::string::npos);
}

TEST(Http, JsonStringsAreValid) {
  EXPECT_EQ(json_quoted("a\"b\\c\n\x01"), R"("a\"b\\c\n\u0001")");
  EXPECT_EQ(json_quoted("h\xC3\xA9"), "\"h\xC3\xA9\"");
  EXPECT_EQ(json_quoted("\xFF\xED\xA0\x80"),
            "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

// Each byte at each place of a text that is plain but for it.
TEST(Http, JsonStringsAreValidWhateverByteStandsWhere) {
  const auto escaped = [](unsigned byte) -> std::string {
    if (byte == '"' || byte == '\\') return std::string("\\") + static_cast<char>(byte);
    if (byte == '\n') return "\\n";
    if (byte == '\r') return "\\r";
    if (byte == '\t') return "\\t";
    char code[8];
    std::snprintf(code, sizeof code, "\\u%04x", byte);
    if (byte < 0x20) return code;
    return byte < 0x80 ? std::string(1, static_cast<char>(byte)) : "\xEF\xBF\xBD";
  };
  for (std::size_t size = 1; size <= 20; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (unsigned byte = 0; byte < 256; ++byte) {
        std::string text(size, 'x');
        text[at] = static_cast<char>(byte);
        const std::string rest(size - at - 1, 'x');
        ASSERT_EQ(json_quoted(text), '"' + std::string(at, 'x') + escaped(byte) + rest + '"')
            << byte << " at " << at << " of " << size;
      }
      const std::string before(at, 'x');
      const std::string after(size - at, 'x');
      for (const char* whole : {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
        ASSERT_EQ(json_quoted(before + whole + after), '"' + before + whole + after + '"');
      }
    }
  }
  EXPECT_EQ(json_quoted(""), "\"\"");
  std::string out = "{";
  append_json_quoted(out, "a\tb");
  EXPECT_EQ(out, R"({"a\tb")");
}

TEST(Http, HeadersIgnoreCase) {
  Headers headers = {{"Accept", "a"}, {"ACCEPT", "b"}, {"Other", "c"}};
  EXPECT_EQ(headers.get("accept"), "a");
  headers.set("accept", "d");
  EXPECT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers.get("Accept"), "d");
  headers.remove("OTHER");
  EXPECT_FALSE(headers.contains("other"));
}

TEST(Url, TakesApart) {
  const auto url = parse_url("HTTPS://me:pw@Host.Example:8443/a%20b?x=1&y#frag");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->user_info, "me:pw");
  EXPECT_EQ(url->host, "host.example");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->target(), "/a%20b?x=1&y");
  EXPECT_EQ(url->authority(), "host.example:8443");
  EXPECT_EQ(parse_url("http://h")->target(), "/");
  EXPECT_EQ(parse_url("http://h?q")->target(), "/?q");
  EXPECT_EQ(parse_url("http://[::1]:81/")->host, "::1");
  EXPECT_EQ(parse_url("http://[::1]:81/")->authority(), "[::1]:81");
  EXPECT_EQ(parse_url("wss://h/")->port, 443);
}

TEST(Url, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"", "h", "/path", "http://", "http:///x", "ftp://h/", "http://h:99999/", "http://h:0/",
        "http://h/ x", "http://user:secret@h:bad/"}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(url.error().message.find("secret"), std::string::npos);
  }
}

TEST(Url, QueriesAndEscapes) {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(parse_query("a=1&b=x%26y+z&c&=d&&e=%zz"),
            (Pairs{{"a", "1"}, {"b", "x&y z"}, {"c", ""}, {"", "d"}, {"e", "%zz"}}));
  EXPECT_EQ(percent_decode("%4"), std::nullopt);
  EXPECT_EQ(percent_decode("a%2Fb"), "a/b");
  EXPECT_EQ(percent_decode("100%25"), "100%");
  EXPECT_EQ(percent_encode("a b/ä"), "a%20b%2F%C3%A4");
}

task<HttpResponse> nothing(const HttpRequest&) { co_return HttpResponse(); }

TEST(Routes, BadOnesAreNamed) {
  for (const std::string path : {"", "x", "/a{b}", "/{}", "/{a", "/{a*}/b", "/{a b}{c}"}) {
    Router router;
    router.add({"GET", path, nothing});
    const auto table = detail::RouteTable::make(std::move(router));
    EXPECT_FALSE(table) << path;
  }
  Router twice;
  twice.add({"GET", "/a/{x}", nothing});
  twice.add({"GET", "/a/{x}", nothing});
  EXPECT_FALSE(detail::RouteTable::make(std::move(twice)));
  Router alike;
  alike.add({"GET", "/a/{x}", nothing});
  alike.add({"POST", "/a/{y}", nothing});
  EXPECT_FALSE(detail::RouteTable::make(std::move(alike)));
}

TEST(Routes, TheMoreSpecificWinsAndMethodsFallThrough) {
  Router router;
  router.add({"GET", "/{any*}", nothing});
  router.add({"GET", "/runs/{id}", nothing});
  router.add({"POST", "/runs/start", nothing});
  router.add({"GET", "/runs/{id}/plot/{kind}", nothing});
  const auto table = detail::RouteTable::make(std::move(router));
  ASSERT_TRUE(table);
  const auto route = [&](std::string_view method, std::string_view path) {
    return std::string((*table)->match(method, path, false).path_template);
  };
  EXPECT_EQ(route("GET", "/runs/7"), "/runs/{id}");
  EXPECT_EQ(route("POST", "/runs/start"), "/runs/start");
  EXPECT_EQ(route("GET", "/runs/start"), "/runs/{id}");
  EXPECT_EQ(route("GET", "/runs/7/plot/equity"), "/runs/{id}/plot/{kind}");
  EXPECT_EQ(route("GET", "/runs/"), "/{any*}");
  EXPECT_EQ(route("GET", "/"), "/{any*}");
  const auto wrong = (*table)->match("DELETE", "/runs/start", false);
  EXPECT_EQ(wrong.kind, detail::RouteMatch::Kind::wrong_method);
  EXPECT_EQ(wrong.allow, "POST, GET, HEAD, OPTIONS");
  EXPECT_EQ(wrong.path_template, "/runs/start");
}

}  // namespace
}  // namespace alphaswarm::net
