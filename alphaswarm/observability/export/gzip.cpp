#include "alphaswarm/observability/export/gzip.hpp"

#include <zlib.h>

namespace alphaswarm::observability {

std::string gzip(const RequestBytes& bytes) {
  z_stream stream{};
  constexpr int kGzipFormat = 16;
  if (::deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + kGzipFormat, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
    return {};
  }
  std::string out(::deflateBound(&stream, bytes.size()), '\0');
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  for (const std::string_view piece : bytes.pieces()) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));  // zlib reads only
    stream.avail_in = static_cast<uInt>(piece.size());
    while (stream.avail_in != 0 && ::deflate(&stream, Z_NO_FLUSH) == Z_OK) {
    }
  }
  const bool done = ::deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(done ? stream.total_out : 0);
  ::deflateEnd(&stream);
  return out;
}

}  // namespace alphaswarm::observability
