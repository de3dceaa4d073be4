#pragma once

// Splits comma-separated text (RFC 4180) into records, in one pass over memory.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace alphaswarm::trading {

// Fields are views into the text, or into the reader where quotes had to be taken off; both live
// until the next call of next().
struct CsvRecord {
  std::size_t line = 0;  // where it starts, from 1
  std::vector<std::string_view> fields;
  std::string_view problem;  // why it cannot be used; empty if it can
};

// Understands a byte order mark, LF and CRLF, quoted fields with doubled quotes and line breaks
// inside; skips empty lines; blanks around fields are cut off. A record longer than
// `max_record_bytes` and one whose quote is never closed have a problem and no fields.
class CsvReader {
 public:
  CsvReader(std::string_view text, char separator, std::size_t max_record_bytes);

  // False at the end.
  [[nodiscard]] bool next(CsvRecord& record);

 private:
  std::size_t record_end(bool& quoted, bool& closed) const noexcept;
  void split(std::string_view text, CsvRecord& record);
  void split_quoted(std::string_view text, CsvRecord& record);

  std::string_view rest_;
  char separator_;
  std::size_t max_record_bytes_;
  std::size_t line_ = 1;
  std::string unquoted_;
};

}  // namespace alphaswarm::trading
