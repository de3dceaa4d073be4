#pragma once

// libcurl, loaded when the first OTLP/HTTP exporter is made: with the thirty libraries it brings it
// takes 6 MiB of memory, more than all of the SDK, which programs that speak gRPC should not pay.

#include <curl/curl.h>

#include "alphaswarm/base/error.hpp"

namespace alphaswarm::observability {

struct LibCurl {
  decltype(&::curl_global_init) global_init;
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_reset) easy_reset;
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_easy_perform) easy_perform;
  decltype(&::curl_easy_strerror) easy_strerror;
  decltype(&(::curl_easy_setopt)) easy_setopt;
  decltype(&(::curl_easy_getinfo)) easy_getinfo;
  decltype(&::curl_slist_append) slist_append;
  decltype(&::curl_slist_free_all) slist_free_all;

  // The same for the life of the process. ErrorCode::unavailable where it is not installed.
  // Thread-safe.
  [[nodiscard]] static Result<const LibCurl*> load();
};

}  // namespace alphaswarm::observability
