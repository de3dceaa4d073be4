// Many rows at once: pipelined statements and COPY.

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "alphaswarm/persistence/postgres_connection.hpp"
#include "alphaswarm/persistence/postgres_error.hpp"

namespace alphaswarm::persistence::detail {
namespace {

constexpr std::size_t kRowsBetweenFlushes = 100;
constexpr std::size_t kCopyChunk = 65'536;  // bytes
constexpr std::string_view kCopyHeader("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);

template <class T>
void put_big_endian(std::string& bytes, T value) {
  if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  bytes.append(raw, sizeof value);
}

void put_field(std::string& bytes, const Param& param) {
  switch (param.kind()) {
    case Param::Kind::null:
      put_big_endian(bytes, std::int32_t{-1});
      break;
    case Param::Kind::integer:
      put_big_endian(bytes, std::int32_t{8});
      put_big_endian(bytes, param.integer());
      break;
    case Param::Kind::real:
      put_big_endian(bytes, std::int32_t{8});
      put_big_endian(bytes, std::bit_cast<std::int64_t>(param.real()));
      break;
    case Param::Kind::text:
      put_big_endian(bytes, static_cast<std::int32_t>(param.text().size()));
      bytes += param.text();
      break;
  }
}

}  // namespace

SqlResult<void> PostgresConnection::send_batch(const Prepared& prepared, std::size_t first,
                                               std::size_t last, std::vector<Param>& params,
                                               const BindRow& bind) {
  if (params.size() != prepared.parameters) {
    return std::unexpected(SqlError{Error{ErrorCode::internal,
                                          "a batch has another number of values than placeholders "
                                          "(SQLSTATE 07001)",
                                          false},
                                    "07001"});
  }
  const Clock::time_point until = deadline();
  if (::PQenterPipelineMode(handle_) == 0) return lost();
  bool sound = true;
  std::size_t sent = first;
  for (; sent < last && sound; ++sent) {
    bind(sent, params);
    sound = values_.set(params);
    if (!sound) break;
    if (::PQsendQueryPrepared(handle_, prepared.name.c_str(), values_.size(), values_.data(),
                              nullptr, nullptr, 0) == 0) {
      return lost();
    }
    if ((sent - first) % kRowsBetweenFlushes == kRowsBetweenFlushes - 1) {
      if (auto flushed = flush(until); !flushed) return flushed;
    }
  }
  if (::PQpipelineSync(handle_) == 0) return lost();
  if (auto flushed = flush(until); !flushed || sound) return flushed;
  // The rows before the unsound one are at the server: hear them out, then report the one.
  const auto before = read_batch(first, sent, {});
  if (!before) return std::unexpected(before.error());
  return std::unexpected(postgres_error(target_.database, "22021", ""));
}

SqlResult<std::int64_t> PostgresConnection::read_batch(std::size_t first, std::size_t last,
                                                       const RowChanged& changed) {
  const Clock::time_point until = deadline();
  SqlResult<std::int64_t> total = 0;
  for (std::size_t row = first; row < last; ++row) {
    auto result = next_result(until);
    if (!result) return std::unexpected(result.error());
    const ExecStatusType status = ::PQresultStatus(result->get());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
      const std::int64_t rows = std::strtoll(::PQcmdTuples(result->get()), nullptr, 10);
      if (total) {
        *total += rows;
        if (changed) changed(row, rows);
      }
    } else if (status != PGRES_PIPELINE_ABORTED && total) {
      total = refused(result->get());
      if (broken_) return total;
    }
    auto end = next_result(until);  // the null between two statements
    if (!end) return total ? std::unexpected(end.error()) : total;
  }
  auto sync = next_result(until);
  if (!sync) return total ? std::unexpected(sync.error()) : total;
  if (::PQresultStatus(sync->get()) != PGRES_PIPELINE_SYNC || ::PQexitPipelineMode(handle_) == 0) {
    return lost("the pipeline is out of step");
  }
  return total;
}

SqlResult<void> PostgresConnection::put_copy(std::string_view bytes) {
  for (;;) {
    const int put = ::PQputCopyData(handle_, bytes.data(), static_cast<int>(bytes.size()));
    if (put < 0) return lost();
    if (auto flushed = flush(deadline()); !flushed) return flushed;
    if (put == 1) return {};
  }
}

SqlResult<std::int64_t> PostgresConnection::copy_rows(std::string_view sql, std::size_t width,
                                                      std::size_t count, const BindRow& bind) {
  if (broken_) return lost("it was lost before");
  const std::string text(sql);
  if (::PQsendQueryParams(handle_, text.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) == 0) {
    return lost();
  }
  if (auto begun = outcome(deadline()); !begun) return std::unexpected(begun.error());
  std::vector<Param> params(width, Param(nullptr));
  std::string bytes(kCopyHeader);
  bytes.reserve(kCopyChunk + 4096);
  for (std::size_t row = 0; row < count; ++row) {
    bind(row, params);
    put_big_endian(bytes, static_cast<std::int16_t>(width));
    for (const Param& param : params) put_field(bytes, param);
    if (bytes.size() < kCopyChunk) continue;
    if (auto put = put_copy(bytes); !put) return std::unexpected(put.error());
    bytes.clear();
  }
  put_big_endian(bytes, std::int16_t{-1});
  if (auto put = put_copy(bytes); !put) return std::unexpected(put.error());
  if (::PQputCopyEnd(handle_, nullptr) < 0) return lost();
  auto done = outcome(deadline());
  if (!done) return std::unexpected(done.error());
  return std::strtoll(::PQcmdTuples(done->get()), nullptr, 10);
}

Result<std::int64_t> PostgresConnection::execute_each(std::string_view sql, std::size_t count,
                                                      std::size_t width, const BindRow& bind,
                                                      const RowChanged& changed) {
  // Bounds what either side has to keep for the other.
  constexpr std::size_t kBatch = 500;
  return observed(
      sql, [&](const Prepared& prepared, const Observation&) -> SqlResult<std::int64_t> {
        std::vector<Param> params(width, Param(nullptr));
        std::int64_t total = 0;
        for (std::size_t first = 0; first < count; first += kBatch) {
          const std::size_t last = std::min(count, first + kBatch);
          if (const auto sent = send_batch(prepared, first, last, params, bind); !sent) {
            return std::unexpected(sent.error());
          }
          const auto rows = read_batch(first, last, changed);
          if (!rows) return rows;
          total += *rows;
        }
        return total;
      });
}

Result<std::int64_t> PostgresConnection::append(std::string_view table,
                                                std::span<const std::string_view> columns,
                                                std::size_t count, const BindRow& bind) {
  std::string names;
  for (const std::string_view column : columns) {
    names.append(names.empty() ? "" : ", ").append(column);
  }
  const std::string sql = fmt::format("COPY {} ({}) FROM STDIN (FORMAT binary)", table, names);
  Observation observation(options_.observer, info(sql, describe_statement(sql)));
  const SqlResult<std::int64_t> done = copy_rows(sql, columns.size(), count, bind);
  observation.finish(done ? nullptr : &done.error());
  if (!done) return std::unexpected(done.error().error);
  return *done;
}

}  // namespace alphaswarm::persistence::detail
