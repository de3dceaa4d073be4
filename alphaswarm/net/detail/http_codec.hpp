#pragma once

// Reading and writing HTTP/1.1 messages. Beast's parser does the reading, behind this header.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "alphaswarm/net/http.hpp"

namespace alphaswarm::net::detail {

enum class ParseState : unsigned char {
  need_more,  // feed again with what was not consumed and more behind it
  head_done,  // fields are complete, and there is a body: feed on
  done,
  failed,
};

struct ParseStep {
  ParseState state = ParseState::need_more;
  std::size_t consumed = 0;
};

struct ParseLimits {
  std::size_t head_bytes = 0;
  std::size_t body_bytes = 0;
};

struct ParseFailure {
  int status = 400;  // what a server answers; 413 and 431 name a limit
  std::string message;
};

struct MessageHead {
  std::string method;  // of a request
  std::string target;
  int status = 0;         // of a response
  unsigned version = 11;  // 10 or 11
  Headers headers;
};

// One message. A request, or the response to a request with `method` (HEAD has no body).
class MessageParser {
 public:
  static MessageParser request(ParseLimits limits);
  static MessageParser response(ParseLimits limits, std::string_view request_method);
  MessageParser(MessageParser&&) noexcept;
  MessageParser& operator=(MessageParser&&) noexcept;
  ~MessageParser();

  // Stops once at the end of the head, then runs on to the end of the body. Chunked coding is
  // taken off. MUST NOT be called again after done or failed.
  [[nodiscard]] ParseStep feed(std::string_view bytes);
  // The peer ended the stream: done if that is how this message ends, else failed.
  [[nodiscard]] ParseState end_of_stream();

  [[nodiscard]] MessageHead& head() noexcept;
  [[nodiscard]] std::string& body() noexcept;
  [[nodiscard]] const ParseFailure& failure() const noexcept;
  [[nodiscard]] bool started() const noexcept;     // has seen a byte
  [[nodiscard]] bool keep_alive() const noexcept;  // by version and Connection
  [[nodiscard]] bool upgrade() const noexcept;     // Connection: upgrade
  [[nodiscard]] bool is_done() const noexcept;

 private:
  class Parser;
  template <bool isRequest>
  class Typed;
  explicit MessageParser(std::unique_ptr<Parser> parser) noexcept;
  std::unique_ptr<Parser> parser_;
};

// True if the comma-separated list in `value` has `token`, without case.
[[nodiscard]] bool has_token(std::string_view value, std::string_view token) noexcept;
// False if it would break the message: a name that is no token, a value with control characters.
[[nodiscard]] bool is_valid_field(const Header& field) noexcept;

struct ResponseHeadOptions {
  unsigned version = 11;
  bool keep_alive = true;
  bool with_length = true;       // not for 1xx and 204
  std::string_view more_fields;  // lines, each with its CRLF
};
// Status line, Date and fields, with the blank line. Fields that are not valid, and those that
// describe the framing (Content-Length, Transfer-Encoding, Connection), are left out: it is ours.
void append_response_head(std::string& out, const HttpResponse& response,
                          ResponseHeadOptions options);
struct RequestHeadParts {
  std::string_view method;
  std::string_view target;
  std::string_view host;
  std::size_t body_bytes = 0;
};
void append_request_head(std::string& out, const RequestHeadParts& parts, const Headers& headers);

}  // namespace alphaswarm::net::detail
