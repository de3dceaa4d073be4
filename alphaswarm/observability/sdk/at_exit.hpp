#pragma once

namespace alphaswarm::observability {

// From now on, a process that ends by exit() or by returning from main() gives providers that were
// not shut down a last flush, five seconds at most for all of them and none longer than its
// `shutdown_timeout_ms`. It needs no static object, so that their order does not matter.
void flush_at_exit() noexcept;

}  // namespace alphaswarm::observability
