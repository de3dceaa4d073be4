#include "alphaswarm/trading/ingestion/csv.hpp"

#include <algorithm>
#include <utility>

namespace alphaswarm::trading {
namespace {

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

CsvReader::CsvReader(std::string_view text, char separator, std::size_t max_record_bytes)
    : rest_(text), separator_(separator), max_record_bytes_(max_record_bytes) {
  if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
}

// Where the record at the start of rest_ ends: at its line break, or at the end of the text.
std::size_t CsvReader::record_end(bool& quoted, bool& closed) const noexcept {
  const std::size_t first_break = std::min(rest_.find('\n'), rest_.size());
  quoted = rest_.substr(0, first_break).contains('"');
  closed = true;
  if (!quoted) return first_break;
  bool inside = false;
  for (std::size_t i = 0; i < rest_.size(); ++i) {
    if (rest_[i] == '"') inside = !inside;  // a doubled quote leaves and enters again
    if (rest_[i] == '\n' && !inside) return i;
    // A quote that is never closed would swallow the file: give up on this line only.
    if (inside && i > max_record_bytes_) break;
  }
  closed = !inside;
  return inside ? first_break : rest_.size();
}

bool CsvReader::next(CsvRecord& record) {
  while (!rest_.empty()) {
    bool quoted = false;
    bool closed = true;
    const std::size_t end = record_end(quoted, closed);
    std::string_view text = rest_.substr(0, end);
    record.line = line_;
    record.fields.clear();
    record.problem = {};
    line_ += static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (trimmed(text).empty()) continue;
    if (text.size() > max_record_bytes_) {
      record.problem = "the line is too long";
    } else if (!closed) {
      record.problem = "a quote is never closed";
    } else if (quoted) {
      split_quoted(text, record);
    } else {
      split(text, record);
    }
    return true;
  }
  return false;
}

void CsvReader::split(std::string_view text, CsvRecord& record) {
  for (;;) {
    const std::size_t end = text.find(separator_);
    record.fields.push_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

void CsvReader::split_quoted(std::string_view text, CsvRecord& record) {
  unquoted_.clear();
  unquoted_.reserve(text.size());  // no field moves while later ones are appended
  std::size_t start = 0;
  bool inside = false;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || (text[i] == separator_ && !inside)) {
      record.fields.push_back(trimmed(std::string_view(unquoted_).substr(start)));
      start = unquoted_.size();
    } else if (text[i] != '"') {
      unquoted_ += text[i];
    } else if (inside && i + 1 < text.size() && text[i + 1] == '"') {
      unquoted_ += text[i++];
    } else {
      inside = !inside;
    }
  }
}

}  // namespace alphaswarm::trading
