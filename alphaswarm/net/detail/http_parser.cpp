// The one file that instantiates Beast.

// Beast 1.81 asserts that the last chunk of a body has 5 bytes; if it is the only one, 3 are right.
#define BOOST_DISABLE_ASSERTS

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "alphaswarm/net/detail/http_codec.hpp"

namespace alphaswarm::net::detail {
namespace beast_http = boost::beast::http;

class MessageParser::Parser {
 public:
  virtual ~Parser() = default;
  virtual ParseStep feed(std::string_view bytes) = 0;
  virtual ParseState end_of_stream() = 0;
  [[nodiscard]] virtual bool started() const noexcept = 0;
  [[nodiscard]] virtual bool keep_alive() const noexcept = 0;
  [[nodiscard]] virtual bool upgrade() const noexcept = 0;
  [[nodiscard]] virtual bool done() const noexcept = 0;

  MessageHead head;
  std::string body;
  ParseFailure failure;
};

template <bool isRequest>
class MessageParser::Typed final : public Parser, private beast_http::basic_parser<isRequest> {
  using Base = beast_http::basic_parser<isRequest>;
  using BeastView = boost::beast::string_view;
  using ErrorCode = boost::system::error_code;

 public:
  Typed(ParseLimits limits, bool skip_body) {
    this->header_limit(static_cast<std::uint32_t>(limits.head_bytes));
    this->body_limit(limits.body_bytes);
    this->eager(false);
    this->skip(skip_body);
  }

  ParseStep feed(std::string_view bytes) override {
    std::size_t consumed = 0;
    const bool had_head = this->is_header_done();
    for (;;) {
      ErrorCode error;
      consumed += this->put(
          boost::asio::const_buffer(bytes.data() + consumed, bytes.size() - consumed), error);
      if (error && error != beast_http::error::need_more) return {fail(error), consumed};
      if (!had_head && this->is_header_done()) {
        this->eager(true);
        return {this->is_done() ? ParseState::done : ParseState::head_done, consumed};
      }
      if (this->is_done()) return {ParseState::done, consumed};
      if (error || consumed == bytes.size()) return {ParseState::need_more, consumed};
    }
  }

  ParseState end_of_stream() override {
    if (!this->is_header_done()) {
      failure = {400, "the stream ended before the message did"};
      return ParseState::failed;
    }
    ErrorCode error;
    this->put_eof(error);
    return error ? fail(error) : ParseState::done;
  }

  bool started() const noexcept override { return this->got_some(); }
  bool keep_alive() const noexcept override { return Base::keep_alive(); }
  bool upgrade() const noexcept override { return Base::upgrade(); }
  bool done() const noexcept override { return this->is_done(); }

 private:
  ParseState fail(const ErrorCode& error) {
    if (error == beast_http::error::header_limit) {
      failure = {431, "the header is too big"};
    } else if (error == beast_http::error::body_limit) {
      failure = {413, "the body is too big"};
    } else if (error == beast_http::error::bad_version) {
      failure = {505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
    } else {
      failure = {400, "this is not HTTP: " + error.message()};
    }
    return ParseState::failed;
  }

  static std::string_view view(BeastView text) { return {text.data(), text.size()}; }

  void on_request_impl(beast_http::verb, BeastView method, BeastView target, int version,
                       ErrorCode&) override {
    head.method = view(method);
    head.target = view(target);
    head.version = static_cast<unsigned>(version);
  }
  void on_response_impl(int code, BeastView, int version, ErrorCode&) override {
    head.status = code;
    head.version = static_cast<unsigned>(version);
  }
  void on_field_impl(beast_http::field, BeastView name, BeastView value, ErrorCode&) override {
    head.headers.add(view(name), view(value));
  }
  void on_header_impl(ErrorCode&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCode&) override {
    // What the peer announces is not trusted with memory before it comes.
    if (length) body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(*length, 1U << 16)));
  }
  std::size_t on_body_impl(BeastView bytes, ErrorCode&) override {
    body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, BeastView, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, BeastView bytes, ErrorCode&) override {
    body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_finish_impl(ErrorCode&) override {}
};

MessageParser MessageParser::request(ParseLimits limits) {
  return MessageParser(std::make_unique<Typed<true>>(limits, false));
}
MessageParser MessageParser::response(ParseLimits limits, std::string_view request_method) {
  return MessageParser(std::make_unique<Typed<false>>(limits, request_method == "HEAD"));
}

MessageParser::MessageParser(std::unique_ptr<Parser> parser) noexcept
    : parser_(std::move(parser)) {}
MessageParser::MessageParser(MessageParser&&) noexcept = default;
MessageParser& MessageParser::operator=(MessageParser&&) noexcept = default;
MessageParser::~MessageParser() = default;

ParseStep MessageParser::feed(std::string_view bytes) { return parser_->feed(bytes); }
ParseState MessageParser::end_of_stream() { return parser_->end_of_stream(); }
MessageHead& MessageParser::head() noexcept { return parser_->head; }
std::string& MessageParser::body() noexcept { return parser_->body; }
const ParseFailure& MessageParser::failure() const noexcept { return parser_->failure; }
bool MessageParser::started() const noexcept { return parser_->started(); }
bool MessageParser::keep_alive() const noexcept { return parser_->keep_alive(); }
bool MessageParser::upgrade() const noexcept { return parser_->upgrade(); }
bool MessageParser::is_done() const noexcept { return parser_->done(); }

}  // namespace alphaswarm::net::detail
