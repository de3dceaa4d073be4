// OTLP/JSON from anywhere: what is taken must be a request that the reader of protobuf takes.
#include <cstdlib>

#include "alphaswarm/otlp/json_request.hpp"
#include "alphaswarm/otlp/views.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace alphaswarm;
  auto bytes = otlp::json_to_trace_request({reinterpret_cast<const char*>(data), size});
  if (bytes && !otlp::parse_trace_request(SharedBytes(std::move(*bytes)))) std::abort();
  return 0;
}
