#pragma once

#include "alphaswarm/net/redis.hpp"
#include "alphaswarm/observability/api/provider.hpp"

namespace alphaswarm::instrumentation {

// A CLIENT span for each call: "{COMMAND}", "PIPELINE {cmd}" or "MULTI {cmd}" with the first
// command's name. Arguments, key names among them, are recorded as `?` only.
//
// Blocking calls get no span: a worker that waits for tasks would make one each second, and none of
// them would say anything; what it takes gets a CONSUMER span of its own. For the same reason there
// is none for a subscription's connection.
class TracingRedisObserver final : public net::RedisObserver {
 public:
  // `provider` null: that of the current context, else the process default. `roots` false: a call
  // outside any trace (a poll, a heartbeat) does not start one.
  explicit TracingRedisObserver(observability::TracerProvider* provider = nullptr,
                                bool roots = true)
      : provider_(provider), roots_(roots) {}

  Token started(const net::RedisCommandInfo& info) noexcept override;
  void finished(Token token, const Error* error, std::string_view prefix) noexcept override;

 private:
  observability::TracerProvider* provider_;
  bool roots_;
};

}  // namespace alphaswarm::instrumentation
