#include "alphaswarm/observability/export/libcurl.hpp"

#include <dlfcn.h>

#include <string>

namespace alphaswarm::observability {
namespace {

constexpr const char* kName = "libcurl.so.4";  // its ABI since 2006

struct Loaded {
  LibCurl library{};
  std::string error;  // empty: all of it is there

  Loaded() {
    void* const file = ::dlopen(kName, RTLD_NOW | RTLD_LOCAL);
    if (file == nullptr) {
      const char* const why = ::dlerror();
      error = why != nullptr ? why : kName;
      return;
    }
    const auto take = [&](auto& function, const char* symbol) {
      void* const found = ::dlsym(file, symbol);
      if (found == nullptr) error = std::string(symbol) + " is missing in " + kName;
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(found);
    };
    take(library.global_init, "curl_global_init");
    take(library.easy_init, "curl_easy_init");
    take(library.easy_reset, "curl_easy_reset");
    take(library.easy_cleanup, "curl_easy_cleanup");
    take(library.easy_perform, "curl_easy_perform");
    take(library.easy_strerror, "curl_easy_strerror");
    take(library.easy_setopt, "curl_easy_setopt");
    take(library.easy_getinfo, "curl_easy_getinfo");
    take(library.slist_append, "curl_slist_append");
    take(library.slist_free_all, "curl_slist_free_all");
    if (error.empty()) library.global_init(CURL_GLOBAL_DEFAULT);
  }
};

}  // namespace

Result<const LibCurl*> LibCurl::load() {
  static const Loaded loaded;
  if (loaded.error.empty()) return &loaded.library;
  return fail(ErrorCode::unavailable, "OTLP over HTTP needs libcurl, which cannot be loaded (" +
                                          loaded.error + "): install libcurl4, or use gRPC");
}

}  // namespace alphaswarm::observability
