#pragma once

#include <string_view>
#include <utility>

#include "alphaswarm/persistence/observer.hpp"
#include "alphaswarm/persistence/sql_error.hpp"

namespace alphaswarm::persistence::detail {

// Tells an observer, if there is one, and makes sure that it hears the end.
class Observation {
 public:
  Observation(SqlObserver* observer, const SqlStatementInfo& info)
      : observer_(observer), token_(observer == nullptr ? nullptr : observer->started(info)) {}
  Observation(const Observation&) = delete;
  Observation& operator=(const Observation&) = delete;
  ~Observation() { finish(nullptr); }  // where a reader of rows has thrown

  [[nodiscard]] std::string comment() const {
    return observer_ == nullptr ? std::string() : observer_->comment(token_);
  }
  void finish(const SqlError* error) noexcept {
    SqlObserver* observer = std::exchange(observer_, nullptr);
    if (observer == nullptr) return;
    observer->finished(token_, error == nullptr ? nullptr : &error->error,
                       error == nullptr ? std::string_view() : error->sqlstate);
  }

 private:
  SqlObserver* observer_;
  ObserverToken token_;
};

}  // namespace alphaswarm::persistence::detail
