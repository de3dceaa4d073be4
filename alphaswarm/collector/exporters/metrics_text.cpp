#include "alphaswarm/collector/exporters/metrics_text.hpp"

#include <charconv>
#include <cmath>

namespace alphaswarm::collector {

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char digits[40];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  return {digits, end.ptr};
}

std::string metric_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    const bool digit = c >= '0' && c <= '9';
    if (digit && out.empty()) out += '_';
    out += letter || digit ? c : '_';
  }
  return out;
}

void append_label(std::string& out, std::string_view name, std::string_view value) {
  if (!out.empty()) out += ',';
  out += metric_name(name) + "=\"";
  for (const char c : value) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '"') {
      out += "\\\"";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string label_text(std::initializer_list<Label> labels) {
  std::string out;
  for (const auto& [name, value] : labels) append_label(out, name, value);
  return out;
}

void MetricsText::family(std::string_view name, Type type, std::string_view help) {
  name_ = name;
  type_ = type;
  constexpr std::string_view kTypes[] = {"counter", "gauge", "histogram"};
  std::string shown(name);
  if (type == Type::counter && format_ == Format::prometheus) shown += "_total";
  out_ += "# HELP " + shown + " " + std::string(help) + "\n";
  out_ += "# TYPE " + shown + " " + std::string(kTypes[static_cast<std::size_t>(type)]) + "\n";
}

void MetricsText::start_sample(std::string_view suffix, std::string_view labels) {
  out_ += name_;
  out_ += type_ == Type::counter ? "_total" : suffix;
  if (!labels.empty()) {
    out_ += '{';
    out_ += labels;
    out_ += '}';
  }
  out_ += ' ';
}

void MetricsText::sample(std::string_view suffix, std::string_view labels, std::uint64_t value) {
  start_sample(suffix, labels);
  out_ += std::to_string(value) + "\n";
}

void MetricsText::sample(std::string_view suffix, std::string_view labels, double value) {
  start_sample(suffix, labels);
  out_ += number_text(value) + "\n";
}

void MetricsText::exemplar(std::string_view labels, double value, double unix_seconds) {
  if (format_ != Format::open_metrics) return;
  char time[32];
  const auto end =
      std::to_chars(time, time + sizeof time, unix_seconds, std::chars_format::fixed, 3);
  out_.pop_back();  // the line goes on
  out_ += " # {" + std::string(labels) + "} " + number_text(value) + " ";
  out_.append(time, end.ptr);
  out_ += '\n';
}

std::string_view MetricsText::content_type() const noexcept {
  return format_ == Format::open_metrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

std::string MetricsText::finish() {
  if (format_ == Format::open_metrics) out_ += "# EOF\n";
  return std::move(out_);
}

}  // namespace alphaswarm::collector
