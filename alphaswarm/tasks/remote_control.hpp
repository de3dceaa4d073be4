#pragma once

// Celery's remote control and events, so that `celery inspect`, `celery control`, `celery events`
// and Flower see our workers.

#include <memory>

#include "alphaswarm/net/redis.hpp"
#include "alphaswarm/tasks/worker.hpp"

namespace alphaswarm::tasks {

// While it lives: answers on /<db>.celery.pidbox, tells worker-online, a heartbeat every two
// seconds and worker-offline, and what happens to tasks once somebody has asked for it
// (enable_events). A Redis that is away costs the answers and events of that time, nothing else.
class RemoteControl {
 public:
  // `worker` and `runtime` MUST outlive it.
  RemoteControl(net::Runtime& runtime, std::shared_ptr<net::RedisClient> client, Worker& worker);
  ~RemoteControl();  // stop()
  RemoteControl(const RemoteControl&) = delete;
  RemoteControl& operator=(const RemoteControl&) = delete;
  // Says goodbye. From outside the runtime's threads, before the worker ends.
  void stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // shared with the tasks it has started
};

}  // namespace alphaswarm::tasks
