#include "alphaswarm/instrumentation/redis.hpp"

#include <algorithm>
#include <cctype>
#include <string>

#include "alphaswarm/observability/tracing.hpp"

namespace alphaswarm::instrumentation {
namespace otel = alphaswarm::observability;

namespace {

constexpr std::size_t kMaxTextBytes = 1024;  // a pipeline may have thousands of commands
constexpr std::size_t kMaxArguments = 32;    // of one command, written out

// A name is letters only: whatever else stands in its place may be a value.
std::string operation(const net::RedisCommand& command) {
  std::string name = command.front();
  const auto fits = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-';
  };
  if (name.size() > 32 || !std::ranges::all_of(name, fits)) return "OTHER";
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
  return name;
}

void append_text(std::string& text, const net::RedisCommand& command) {
  if (!text.empty()) text += "\n";
  text += operation(command);
  const std::size_t arguments = command.size() - 1;
  for (std::size_t i = 0; i < std::min(arguments, kMaxArguments); ++i) text += " ?";
  if (arguments > kMaxArguments) text += " …";
}

std::string query_text(std::span<const net::RedisCommand> commands) {
  std::string text;
  for (const net::RedisCommand& command : commands) {
    if (text.size() >= kMaxTextBytes) return text + "\n…";
    append_text(text, command);
  }
  return text;
}

}  // namespace

net::RedisObserver::Token TracingRedisObserver::started(
    const net::RedisCommandInfo& info) noexcept {
  if (info.call == net::RedisCall::blocking) return nullptr;
  if (!roots_ && !otel::current_context().is_valid()) return nullptr;
  if (info.commands.empty() || info.commands.front().empty()) return nullptr;
  std::string name = operation(info.commands.front());
  if (info.call == net::RedisCall::pipeline) name.insert(0, "PIPELINE ");
  if (info.call == net::RedisCall::transaction) name.insert(0, "MULTI ");
  otel::SpanOptions options;
  options.kind = otel::SpanKind::client;
  options.provider = provider_;
  otel::Span span = otel::span(name, options);
  if (span.recording()) {
    span.set("db.system.name", "redis");
    span.set("db.namespace", std::to_string(info.database));
    span.set("db.operation.name", name);
    // The conventions count batches of two and more only.
    if (info.call != net::RedisCall::command && info.commands.size() > 1) {
      span.set("db.operation.batch.size", static_cast<std::int64_t>(info.commands.size()));
    }
    span.set("db.query.text", query_text(info.commands));
    span.set("server.address", info.host);
    span.set("server.port", static_cast<std::int64_t>(info.port));
  }
  return span.release();
}

void TracingRedisObserver::finished(Token token, const Error* error,
                                    std::string_view prefix) noexcept {
  otel::Span span = otel::Span::adopt(token);
  if (error == nullptr || !span.recording()) return;
  if (!prefix.empty()) span.set("db.response.status_code", prefix);
  span.set("error.type", prefix.empty() ? to_string(error->code) : prefix);
  span.error(error->message);
}

}  // namespace alphaswarm::instrumentation
