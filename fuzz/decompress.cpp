// Compressed bodies: no input may yield more than the bound.
#include "alphaswarm/collector/receivers/decompress.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace alphaswarm;
  constexpr std::size_t kBound = 200'000;
  for (const char* encoding : {"gzip", "deflate", "zstd"}) {
    const auto body = collector::decompress(
        encoding, std::string(reinterpret_cast<const char*>(data), size), kBound);
    if (body && body->size() > kBound) std::abort();
  }
  return 0;
}
