#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "alphaswarm/persistence/database.hpp"
#include "alphaswarm/persistence/schema.hpp"

namespace alphaswarm::persistence::detail {

enum class TransactionState : std::uint8_t {
  none,
  open,
  failed,  // only ROLLBACK, also to a savepoint, is possible
};

// One connection of either database. Used by one thread at a time. What is said of SqlExecutor's
// functions holds here too, without a transaction of their own; the `silently` ones are not told
// to the observer.
class Connection {
 public:
  virtual ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // BEGIN, as the database needs it for a transaction that will write.
  [[nodiscard]] virtual Result<void> begin() = 0;
  // The same, silently, and so that no other process changes the schema before it ends.
  [[nodiscard]] virtual Result<void> begin_schema_change() = 0;
  [[nodiscard]] virtual Result<std::int64_t> execute(std::string_view sql,
                                                     std::span<const Param> params) = 0;
  [[nodiscard]] virtual Result<void> query(std::string_view sql, std::span<const Param> params,
                                           const ReadRow& each) = 0;
  [[nodiscard]] virtual Result<std::int64_t> execute_each(std::string_view sql, std::size_t count,
                                                          std::size_t width, const BindRow& bind,
                                                          const RowChanged& changed) = 0;
  [[nodiscard]] virtual Result<std::int64_t> append(std::string_view table,
                                                    std::span<const std::string_view> columns,
                                                    std::size_t count, const BindRow& bind) = 0;
  [[nodiscard]] virtual Result<std::int64_t> execute_silently(
      std::string_view sql, std::span<const Param> params = {}) = 0;
  [[nodiscard]] virtual Result<void> query_silently(std::string_view sql, const ReadRow& each) = 0;

  // Databases end transactions by themselves after some errors.
  [[nodiscard]] virtual TransactionState state() const noexcept = 0;
  [[nodiscard]] virtual const std::string& name() const noexcept = 0;
  [[nodiscard]] virtual const Dialect& dialect() const noexcept = 0;

 protected:
  Connection() = default;
};

}  // namespace alphaswarm::persistence::detail
