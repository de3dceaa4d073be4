// A sampler of one's own: see "Sampling" in observability.md.

#include <alphaswarm/observability/api/provider.hpp>
#include <alphaswarm/observability/api/sampler.hpp>
#include <alphaswarm/observability/export/memory.hpp>
#include <alphaswarm/observability/tracing.hpp>
#include <cstdio>
#include <memory>

namespace otel = alphaswarm::observability;

namespace {

// [sampler]
// Every order, and one in a thousand of everything else.
class OrdersFirst final : public otel::Sampler {
 public:
  otel::SamplingResult sample(const otel::SamplingInput& input) const noexcept override {
    return (input.name == "order" ? all_ : few_)->sample(input);
  }

 private:
  otel::SamplerPtr all_ = otel::always_on_sampler();
  otel::SamplerPtr few_ = otel::ratio_sampler(0.001);
};
// [/sampler]

}  // namespace

int main() {
  const auto memory = std::make_shared<otel::MemorySink>();
  // [use]
  auto tracing = otel::configure_tracing(otel::Config{
      .service_name = "desk",
      .sink = memory,
      .sampler = otel::parent_based_sampler({.root = std::make_shared<OrdersFirst>()}),
  });
  // [/use]
  if (!tracing) return 1;
  {
    auto order = otel::span("order");
  }
  tracing.force_flush();
  std::fputs(memory->tree().c_str(), stdout);
}
