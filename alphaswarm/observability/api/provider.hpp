#pragma once

// A provider makes spans for one service and exports them. Several live in one process: a context
// carries its provider and children inherit it.

#include <concepts>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/observability/api/config.hpp"
#include "alphaswarm/observability/api/configure.hpp"
#include "alphaswarm/observability/api/span.hpp"
#include "alphaswarm/observability/api/switch.hpp"

namespace alphaswarm::config {
class Environment;
}

namespace alphaswarm::observability {

// Counts of recorded spans since the provider was made. After force_flush() with producers
// stopped, started = exported + spilled + dropped.total() + open holds exactly.
struct Stats {
  struct Dropped {
    std::uint64_t no_slot = 0;        // at start: no memory for another open span
    std::uint64_t no_chunk = 0;       // at end: the process's pool of chunks was empty
    std::uint64_t export_failed = 0;  // retries exhausted, or refused for good
    std::uint64_t rejected = 0;       // by the receiver (partial success)
    std::uint64_t provider_gone = 0;  // ended after their provider's last flush
    [[nodiscard]] std::uint64_t total() const noexcept {
      return no_slot + no_chunk + export_failed + rejected + provider_gone;
    }
  };
  std::uint64_t started = 0;
  std::uint64_t ended = 0;
  std::uint64_t exported = 0;  // accepted by the sink; those still open at shutdown included
  std::uint64_t open = 0;
  std::uint64_t not_sampled = 0;
  std::uint64_t spilled = 0;  // not accepted, but kept in the spill folder: see `spill`
  Dropped dropped;
  std::uint64_t batches = 0;
  std::uint64_t retries = 0;
  // Calls to the receiver, retries and failed ones included.
  struct Exports {
    std::uint64_t calls = 0;
    double seconds = 0;      // all of them together
    double max_seconds = 0;  // of the last one to two minutes
  };
  Exports exports;
  // Spans that ended and are neither exported, spilled nor dropped yet.
  [[nodiscard]] std::uint64_t waiting() const noexcept {
    const std::uint64_t gone = exported + spilled + dropped.total() - dropped.no_slot;
    return ended > gone ? ended - gone : 0;
  }
  // The account of the spill folder, as far as this provider had a part in it. Of what is in there,
  // some may come from before, or from other processes of the service.
  struct Spill {
    std::uint64_t kept = 0;         // written to it, for further receivers as well
    std::uint64_t sent = 0;         // from it
    std::uint64_t overwritten = 0;  // removed for newer ones: the folder was full
    std::uint64_t rejected = 0;     // by the receiver, when sent from it
    std::uint64_t set_aside = 0;    // files, not spans: torn ones, or not ours
    std::uint64_t errors = 0;       // writes that failed, e.g. on a full disk; tries, so to speak
    std::uint64_t lost = 0;         // batches, not spans: given up because of that
  };
  Spill spill;
  // Of the flight recorder; its spans are among `not_sampled`, and in no other count above.
  struct Recorder {
    std::uint64_t kept = 0;           // now
    std::uint64_t overwritten = 0;    // by newer ones
    std::uint64_t dropped = 0;        // never kept: no memory, or the provider was gone
    std::uint64_t exported = 0;       // after a trigger; may still be kept
    std::uint64_t export_failed = 0;  // after a trigger
    std::uint64_t spilled = 0;        // after a trigger: kept in the spill folder
    std::uint64_t triggers = 0;       // traces
    double retained_seconds = 0;      // how far back one can look
  };
  Recorder recorder;
};

// Hears of each export: one batch with its retries and the pauses between them.
class ExportListener {
 public:
  virtual ~ExportListener() = default;
  // On an export thread: must not throw, and should not block. `error` is empty where the receiver
  // took the batch, else "unavailable" (retries exhausted, or kept for later) or "rejected".
  virtual void exported(double seconds, std::string_view error) = 0;
};

inline namespace ALPHASWARM_OTEL_NAMESPACE {

namespace detail {

// Any std::chrono duration, without including <chrono>.
template <class D>
concept Duration = requires(const D& duration) {
  static_cast<std::int64_t>(duration.count());
  D::period::num;
};
template <Duration D>
[[nodiscard]] constexpr std::int64_t to_ms(const D& duration) {
  return static_cast<std::int64_t>(duration.count()) * D::period::num * 1000 / D::period::den;
}

class ProviderCore;

}  // namespace detail

#if ALPHASWARM_OTEL

// Thread-safe. The destructor calls shutdown() with the configured timeout; spans of a destroyed
// provider may still be ended, and are counted as dropped{provider_gone}.
class TracerProvider {
 public:
  // Fails on a bad value (ErrorCode::invalid_argument), not on a receiver that is away.
  [[nodiscard]] static Result<std::unique_ptr<TracerProvider>> create(Config config);
  ~TracerProvider();
  TracerProvider(const TracerProvider&) = delete;
  TracerProvider& operator=(const TracerProvider&) = delete;

  // Exports what has ended before the call; false if that did not finish in time.
  bool force_flush(std::int64_t timeout_ms = 30'000);
  // Exports everything, open spans included (with attribute `alphaswarm.span.open` = true and the
  // time of the call as their end), and stops. False if that did not finish in time.
  bool shutdown(std::int64_t timeout_ms = 30'000);

  template <detail::Duration D>
  bool force_flush(const D& timeout) {
    return force_flush(detail::to_ms(timeout));
  }
  template <detail::Duration D>
  bool shutdown(const D& timeout) {
    return shutdown(detail::to_ms(timeout));
  }

  [[nodiscard]] Stats stats() const;
  [[nodiscard]] std::string_view service_name() const noexcept;
  // Its spans are recorded by this provider, whatever the context they start in; see tracer().
  [[nodiscard]] Tracer tracer(std::string_view name, std::string_view version = {},
                              Attributes attributes = {}, std::string_view schema_url = {}) const;
  // Exports what the flight recorder keeps of a trace: for those triggered in another process.
  // Takes a lock: not for the hot path.
  void trigger(const TraceId& trace);
  // Until the listener is destroyed.
  void listen(std::weak_ptr<ExportListener> listener) const;

  // Makes this the process default, which spans without a current context use. The destructor
  // takes it back.
  void install_as_default() noexcept;

  [[nodiscard]] detail::ProviderCore& core() const noexcept { return *core_; }

 private:
  explicit TracerProvider(detail::ProviderCore* core) noexcept : core_(core) {}
  detail::ProviderCore* core_;  // never freed: open spans may refer to it
};

#else

class TracerProvider {
 public:
  [[nodiscard]] static Result<std::unique_ptr<TracerProvider>> create(Config) {
    return std::make_unique<TracerProvider>();
  }
  bool force_flush(std::int64_t = 0) { return true; }
  bool shutdown(std::int64_t = 0) { return true; }
  template <detail::Duration D>
  bool force_flush(const D&) {
    return true;
  }
  template <detail::Duration D>
  bool shutdown(const D&) {
    return true;
  }
  [[nodiscard]] Stats stats() const { return {}; }
  [[nodiscard]] std::string_view service_name() const noexcept { return {}; }
  [[nodiscard]] Tracer tracer(std::string_view, std::string_view = {}, Attributes = {},
                              std::string_view = {}) const {
    return {};
  }
  void install_as_default() noexcept {}
  void trigger(const TraceId&) {}
  void listen(std::weak_ptr<ExportListener>) const {}
};

#endif

namespace detail {
[[nodiscard]] Tracing configure_by(Config config);
}  // namespace detail

// The full door: makes a provider and installs it as the process default. A template, so that a
// bare braced list always means TracingOptions: say configure_tracing(Config{…}).
template <std::same_as<Config> Full>
[[nodiscard]] Tracing configure_tracing(Full config) {
  return detail::configure_by(std::move(config));
}

}  // namespace ALPHASWARM_OTEL_NAMESPACE

// Reads ALPHASWARM_OTEL_* and, where those are not set, OTEL_*. `role_suffix` is appended to the
// base service name, e.g. "-api". A bad value is an error that names the variable. The same in
// both builds, so that a bad value never goes unseen.
[[nodiscard]] Result<Config> config_from_environment(const config::Environment& environment,
                                                     std::string_view role_suffix);

}  // namespace alphaswarm::observability
