// A configuration file: read or refused with a sentence.
#include "alphaswarm/collector/config.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = alphaswarm::collector::parse_config(text, "f");
  if (!config && config.error().message.empty()) std::abort();
  return 0;
}
