// Takes OTLP/gRPC and answers; prints its endpoint. In a process of its own, so that its cost is
// not the sender's. Ends with its standard input.

#include <cstdio>

#include "alphaswarm/observability/export/test_server_test.hpp"

int main() {
  alphaswarm::observability::testing::GrpcServer server({});
  std::printf("%s\n", server.endpoint().c_str());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}
