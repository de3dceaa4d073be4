#include "alphaswarm/trading/backtest/dataset.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <memory>

namespace alphaswarm::trading {
namespace {

// Appends text to a digest through a buffer, so that a million bars make no million calls.
class TextDigest {
 public:
  TextDigest() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
  }
  void add(std::string_view text) {
    buffer_ += text;
    if (buffer_.size() > 64 * 1024) flush();
  }
  void add(std::int64_t number) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    add(std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())));
  }
  std::string hex() {
    flush();
    std::array<unsigned char, 32> hash;
    EVP_DigestFinal_ex(context_.get(), hash.data(), nullptr);
    std::string text;
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (const unsigned char byte : hash) {
      text += kDigits[byte >> 4U];
      text += kDigits[byte & 15U];
    }
    return text;
  }

 private:
  void flush() {
    EVP_DigestUpdate(context_.get(), buffer_.data(), buffer_.size());
    buffer_.clear();
  }

  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
  std::string buffer_;
};

}  // namespace

std::size_t Dataset::bars_count() const noexcept {
  std::size_t count = 0;
  for (const Series& one : series) count += one.bars.size();
  return count;
}

Result<void> normalise(Dataset& dataset) {
  std::ranges::sort(dataset.series, {}, &Series::symbol);
  const auto symbol = std::ranges::adjacent_find(dataset.series, {}, &Series::symbol);
  if (symbol != dataset.series.end()) {
    return fail(ErrorCode::invalid_argument, "symbol " + symbol->symbol.text() + " is there twice");
  }
  for (Series& one : dataset.series) {
    std::ranges::sort(one.bars, {}, &Bar::timestamp);
    const auto bar = std::ranges::adjacent_find(one.bars, {}, &Bar::timestamp);
    if (bar != one.bars.end()) {
      return fail(ErrorCode::invalid_argument,
                  one.symbol.text() + " has two bars at " + to_rfc3339(bar->timestamp));
    }
  }
  return {};
}

std::string dataset_sha256(const Dataset& dataset) {
  TextDigest digest;
  for (const Series& one : dataset.series) {
    const std::string start = one.symbol.text() + "," + std::string(to_string(dataset.interval));
    for (const Bar& bar : one.bars) {
      digest.add(start);
      digest.add(",");
      digest.add(bar.timestamp.value);
      for (const Decimal number : {bar.open.value(), bar.high.value(), bar.low.value(),
                                   bar.close.value(), bar.volume.value()}) {
        digest.add(",");
        digest.add(number.to_string());
      }
      digest.add("\n");
    }
  }
  return digest.hex();
}

TimeSteps::TimeSteps(const Dataset& dataset)
    : series_(dataset.series), at_(dataset.series.size(), 0) {
  for (const Series& one : series_) all_.push_back({.symbol = one.symbol, .bar = {}});
}

bool TimeSteps::next() {
  constexpr UnixNanos kNever{std::numeric_limits<std::int64_t>::max()};
  UnixNanos earliest = kNever;
  for (std::size_t i = 0; i < series_.size(); ++i) {
    if (at_[i] < series_[i].bars.size()) {
      earliest = std::min(earliest, series_[i].bars[at_[i]].timestamp);
    }
  }
  if (earliest == kNever) return false;
  time_ = earliest;
  std::size_t present = 0;
  for (std::size_t i = 0; i < series_.size(); ++i) {
    const std::vector<Bar>& bars = series_[i].bars;
    if (at_[i] == bars.size() || bars[at_[i]].timestamp != earliest) continue;
    all_[i].bar = bars[at_[i]++];
    ++present;
  }
  if (present == all_.size()) {
    current_ = all_;
    return true;
  }
  some_.clear();
  for (const SymbolBar& one : all_) {
    if (one.bar.timestamp == earliest) some_.push_back(one);
  }
  current_ = some_;
  return true;
}

}  // namespace alphaswarm::trading
