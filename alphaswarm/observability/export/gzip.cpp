#include "alphaswarm/observability/export/gzip.hpp"

#include <zlib.h>

namespace alphaswarm::observability {

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  constexpr int kGzipFormat = 16;
  if (::deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + kGzipFormat, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
    return {};
  }
  std::string out(::deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib reads only
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool done = ::deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(done ? stream.total_out : 0);
  ::deflateEnd(&stream);
  return out;
}

}  // namespace alphaswarm::observability
