// The search box: attribute conditions and durations.
#include "alphaswarm/tracestore/filter.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)alphaswarm::tracestore::parse_conditions(text);
  (void)alphaswarm::tracestore::parse_duration(text);
  return 0;
}
