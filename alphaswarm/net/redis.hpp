#pragma once

// A Redis client (RESP2, Redis 6 and later) over the project's own streams. No Asio and no hiredis
// behind this header.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/net/runtime.hpp"

namespace alphaswarm::net {

struct RedisReply {
  enum class Type : std::uint8_t { nil, integer, string, status, error, array };
  Type type = Type::nil;
  std::int64_t integer = 0;
  std::string text{};  // of string, status and error
  std::vector<RedisReply> elements{};

  [[nodiscard]] bool is_nil() const noexcept { return type == Type::nil; }
  [[nodiscard]] bool is_error() const noexcept { return type == Type::error; }
  // The first word of an error reply: "OOM", "NOSCRIPT", "ERR", …; empty for any other reply.
  [[nodiscard]] std::string_view error_prefix() const noexcept;
};

// The Error of an error reply. By its prefix: NOAUTH, WRONGPASS, NOPERM → permission_denied; OOM →
// resource_exhausted; LOADING, MASTERDOWN, READONLY, BUSY, MISCONF, … → unavailable; NOSCRIPT →
// not_found; any other → invalid_argument. Arguments that the server repeats are cut off.
[[nodiscard]] Error redis_error(std::string_view command, const RedisReply& reply);

using RedisCommand = std::vector<std::string>;  // name and arguments; any bytes

enum class RedisCall : std::uint8_t { command, pipeline, transaction, blocking };

// What is about to be sent. The views live until `finished` returns.
struct RedisCommandInfo {
  RedisCall call = RedisCall::command;
  std::span<const RedisCommand> commands;  // without the MULTI and EXEC of a transaction
  std::string_view host;
  std::uint16_t port = 0;
  int database = 0;
};

// Hooks around each call, in the task slot of the caller, once each and properly nested. MUST be
// thread-safe and MUST NOT throw. Subscriptions, and what a connection says for itself (AUTH,
// SELECT, PING), are not reported.
class RedisObserver {
 public:
  using Token = void*;
  virtual ~RedisObserver() = default;
  virtual Token started(const RedisCommandInfo& info) noexcept = 0;
  // `error` is null on success; for a list of replies it is that of the first error reply, and
  // `prefix` that reply's first word. `prefix` is empty when the server did not answer.
  virtual void finished(Token token, const Error* error, std::string_view prefix) noexcept = 0;
};

struct RedisConfig {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  std::string user{};      // ACL user; empty: the default one
  std::string password{};  // empty: no AUTH
  int database = 0;
  bool use_tls = false;
  TlsClientConfig tls{};
  std::chrono::milliseconds connect_timeout{5'000};  // look-up, TCP, TLS, AUTH and SELECT together
  std::chrono::milliseconds command_timeout{
      5'000};                                      // all of one call, waiting for its turn included
  std::chrono::milliseconds idle_timeout{60'000};  // a pooled connection older is not used
  std::chrono::milliseconds ping_interval{15'000};  // a silent subscription is asked, then left
  // Between two attempts to connect: doubled from `first` to `max`, each with jitter (50–100 %).
  std::chrono::milliseconds backoff_first{50};
  std::chrono::milliseconds backoff_max{1'000};
  std::size_t max_connections = 16;           // more calls wait their turn
  std::size_t max_blocking_connections = 64;  // beside those; more blocking calls wait their turn
  std::size_t max_reply_bytes = 64U << 20;
  std::size_t max_reply_elements = 1'000'000;  // of one reply, all levels together
  std::size_t max_waiting_messages = 1'024;    // of one subscription; beyond it the oldest go
  std::string client_name = "alphaswarm";      // shown by CLIENT LIST; empty: none
  RedisObserver* observer = nullptr;           // MUST outlive the client
};

// redis://[[user]:password@]host[:port][/database], or rediss:// for TLS; user and password may be
// percent-encoded. rediss:// takes `ssl_cert_reqs=required|none` and `ssl_ca_certs=<file>`, as
// other clients do. invalid_argument otherwise; the message never shows a password.
[[nodiscard]] Result<RedisConfig> parse_redis_url(std::string_view url);

// A Lua script and its digest. Sent as EVALSHA; on NOSCRIPT once more as EVAL.
class RedisScript {
 public:
  explicit RedisScript(std::string lua);
  [[nodiscard]] const std::string& lua() const noexcept { return lua_; }
  [[nodiscard]] const std::string& sha1() const noexcept { return sha1_; }

 private:
  std::string lua_;
  std::string sha1_;  // 40 hex digits
};

struct RedisMessage {
  std::string channel;
  std::string payload;
  std::string pattern;  // the one that matched; empty for a channel subscribed by name
};

namespace detail {
class RedisPubSub;
struct RedisMailbox;
}  // namespace detail

// What arrives on its channels. All subscriptions of a client share one connection, which is made
// again, and every channel subscribed again, for as long as the client lives. Bounded: a slow
// reader loses the oldest messages. Unsubscribes when destroyed. Move-only; used by one task at a
// time.
class RedisSubscription {
 public:
  RedisSubscription(std::shared_ptr<detail::RedisPubSub> hub,
                    std::shared_ptr<detail::RedisMailbox> mailbox) noexcept;
  RedisSubscription(RedisSubscription&&) noexcept;
  RedisSubscription& operator=(RedisSubscription&&) noexcept;
  ~RedisSubscription();

  // The next message; nullopt when the client is gone or this task is asked to stop. An outage is
  // not an end.
  [[nodiscard]] task<std::optional<RedisMessage>> next();
  // Also nullopt when `limit` passes first.
  [[nodiscard]] task<std::optional<RedisMessage>> next_for(std::chrono::nanoseconds limit);

  // Messages dropped because nobody read them in time.
  [[nodiscard]] std::uint64_t dropped() const noexcept;
  // How often the connection was lost: each time, messages may have been lost, nobody knows how
  // many. Counted when the server has confirmed the subscription again, before the first message
  // that arrives after the gap can be read: what is looked up now is not missed.
  [[nodiscard]] std::uint64_t gaps() const noexcept;

 private:
  std::shared_ptr<detail::RedisPubSub> hub_;  // shared with the client, which may go first
  std::shared_ptr<detail::RedisMailbox> mailbox_;
};

// Thread-safe. Tasks of any runtime may call; fastest from those of the runtime it was made with,
// where the sockets live. MUST outlive the tasks that call it.
//
// Connections are opened when needed. The first call that finds the server away fails at once with
// `unavailable`; as long as it stays away each call waits for the next attempt to connect and fails
// with it, so that a loop around a call does not spin. Nothing is sent twice: when the connection
// breaks after a command was written, the message says that it may have been processed. Errors of
// all calls: unavailable, deadline_exceeded, cancelled (this task was asked to stop; what was sent
// may have been processed), data_loss (not Redis), resource_exhausted (reply too big), and those of
// redis_error().
class RedisClient {
 public:
  RedisClient(Runtime& runtime, RedisConfig config);
  ~RedisClient();
  RedisClient(const RedisClient&) = delete;
  RedisClient& operator=(const RedisClient&) = delete;

  // An error reply is an Error.
  task<Result<RedisReply>> command(RedisCommand command);
  // One write, replies in order; error replies stay in the list. Not atomic.
  task<Result<std::vector<RedisReply>>> pipeline(std::vector<RedisCommand> commands);
  // MULTI, the commands, EXEC in one write: all run with nothing between, or, if one cannot be
  // queued, none (an Error). Replies of EXEC in order; error replies stay in the list.
  task<Result<std::vector<RedisReply>>> transaction(std::vector<RedisCommand> commands);
  // For BRPOP, BLMOVE, …: on a connection of its own while it waits. `limit` is the longest wait
  // the command itself asks for; the reply must come within `limit` + command_timeout. When the
  // task is asked to stop, an item that the server popped in the same moment is lost: where that
  // matters, move items with BLMOVE or a script instead.
  task<Result<RedisReply>> blocking(RedisCommand command, std::chrono::nanoseconds limit);
  task<Result<RedisReply>> script(const RedisScript& script, std::vector<std::string> keys,
                                  std::vector<std::string> arguments);
  // The EVALSHA command of a script, for a pipeline; NOSCRIPT is then the caller's to handle.
  [[nodiscard]] static RedisCommand evalsha(const RedisScript& script,
                                            const std::vector<std::string>& keys,
                                            const std::vector<std::string>& arguments);
  // What is published after this returns is received.
  task<Result<RedisSubscription>> subscribe(std::vector<std::string> channels,
                                            std::vector<std::string> patterns = {});
  task<Result<void>> ping();

  [[nodiscard]] const RedisConfig& config() const noexcept;
  // "redis://127.0.0.1:6379/0", without user and password: for logs and health pages.
  [[nodiscard]] std::string where() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace alphaswarm::net
