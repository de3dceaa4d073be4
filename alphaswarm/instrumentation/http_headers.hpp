#pragma once

// HTTP headers as what propagators read from and write to.

#include <string>
#include <string_view>

#include "alphaswarm/net/http.hpp"
#include "alphaswarm/observability/api/propagators.hpp"

namespace alphaswarm::instrumentation {

class HeadersReader final : public observability::CarrierReader {
 public:
  // `headers` MUST outlive it.
  explicit HeadersReader(const net::Headers& headers) noexcept : headers_(headers) {}
  [[nodiscard]] std::string get(std::string_view name) const override {
    std::string joined;
    return std::string(view(name, joined));
  }
  // Copies nothing but what comes in several fields, which HTTP means as one list.
  [[nodiscard]] std::string_view view(std::string_view name, std::string& joined) const override {
    std::string_view found;
    for (const net::Header& field : headers_) {
      if (field.name.size() != name.size() || !net::equal_ignoring_case(field.name, name)) continue;
      if (found.data() == nullptr) {
        found = field.value;
        continue;
      }
      if (found.data() != joined.data()) joined = found;
      joined.append(",").append(field.value);
      found = joined;
    }
    return found;
  }

 private:
  const net::Headers& headers_;
};

class HeadersWriter final : public observability::CarrierWriter {
 public:
  // `headers` MUST outlive it.
  explicit HeadersWriter(net::Headers& headers) noexcept : headers_(headers) {}
  void set(std::string_view name, std::string_view value) override {
    if (value.empty()) {
      headers_.remove(name);
    } else {
      headers_.set(name, value);
    }
  }

 private:
  net::Headers& headers_;
};

}  // namespace alphaswarm::instrumentation
