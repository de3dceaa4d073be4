#include "alphaswarm/collector/receivers/decompress.hpp"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>

namespace alphaswarm::collector {
namespace {

constexpr std::size_t kStep = std::size_t{64} << 10;

std::unexpected<Error> too_long(std::size_t max_bytes) {
  return fail(
      ErrorCode::resource_exhausted,
      "the body is longer than " + std::to_string(max_bytes) + " bytes after decompression");
}
std::unexpected<Error> damaged(std::string_view encoding) {
  return fail(ErrorCode::invalid_argument, "the body is not valid " + std::string(encoding));
}

// `window_bits` as zlib's inflateInit2: 15 zlib, 15 + 32 zlib or gzip, -15 bare.
Result<std::string> inflate_all(std::string_view encoding, std::string_view body, int window_bits,
                                std::size_t max_bytes) {
  z_stream stream{};
  if (inflateInit2(&stream, window_bits) != Z_OK) return damaged(encoding);
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> end(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));  // zlib only reads
  stream.avail_in = static_cast<uInt>(body.size());
  std::string out;
  for (int code = Z_OK; code != Z_STREAM_END;) {
    if (out.size() > max_bytes) return too_long(max_bytes);
    const std::size_t at = out.size();
    out.resize(at + kStep);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + at);
    stream.avail_out = kStep;
    code = inflate(&stream, Z_NO_FLUSH);
    out.resize(at + kStep - stream.avail_out);
    if (code != Z_OK && code != Z_STREAM_END) return damaged(encoding);  // also a truncated one
  }
  if (out.size() > max_bytes) return too_long(max_bytes);
  return out;
}

Result<std::string> unzstd(std::string_view body, std::size_t max_bytes) {
  const std::unique_ptr<ZSTD_DStream, decltype(&ZSTD_freeDStream)> stream(ZSTD_createDStream(),
                                                                          ZSTD_freeDStream);
  ZSTD_DCtx_setParameter(stream.get(), ZSTD_d_windowLogMax, 25);  // at most 32 MiB of window
  ZSTD_inBuffer in{body.data(), body.size(), 0};
  std::string out;
  std::size_t left = 1;
  while (left != 0) {
    if (out.size() > max_bytes) return too_long(max_bytes);
    const std::size_t at = out.size();
    out.resize(at + kStep);
    ZSTD_outBuffer room{out.data() + at, kStep, 0};
    left = ZSTD_decompressStream(stream.get(), &room, &in);
    out.resize(at + room.pos);
    if (ZSTD_isError(left) != 0) return damaged("zstd");
    if (left != 0 && room.pos == 0 && in.pos == in.size) return damaged("zstd");
  }
  if (out.size() > max_bytes) return too_long(max_bytes);
  return out;
}

}  // namespace

Result<std::string> decompress(std::string_view encoding, std::string body, std::size_t max_bytes) {
  if (encoding.empty() || encoding == "identity" || encoding == "none") return body;
  if (encoding == "gzip") return inflate_all(encoding, body, 15 + 32, max_bytes);
  if (encoding == "zlib") return inflate_all(encoding, body, 15, max_bytes);
  if (encoding == "deflate") {
    auto wrapped = inflate_all(encoding, body, 15, max_bytes);
    if (wrapped || wrapped.error().code != ErrorCode::invalid_argument) return wrapped;
    return inflate_all(encoding, body, -15, max_bytes);
  }
  if (encoding == "zstd") return unzstd(body, max_bytes);
  return fail(ErrorCode::unimplemented, "unsupported Content-Encoding '" + std::string(encoding) +
                                            "'; use gzip, deflate, zstd or none");
}

}  // namespace alphaswarm::collector
