#include "alphaswarm/query/tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "alphaswarm/base/time.hpp"

namespace alphaswarm::query {
namespace {

// One line of the picture: the spans that share it, in the order of their start.
struct Line {
  std::vector<std::uint32_t> spans;
  bool orphan = false;
};

class Painter {
 public:
  Painter(const AssembledTrace& trace, const TreeOptions& options)
      : trace_(trace), options_(options) {}

  std::string paint() {
    if (options_.header) header();
    const auto roots = trace_.roots();
    const std::vector<std::uint32_t> all(roots.begin(), roots.end());
    for (const Line& line : group(all, true)) {
      text_ += label(line) + "\n";
      below(line, "", 1);
    }
    return std::move(text_);
  }

 private:
  [[nodiscard]] const AssembledTrace::Span& span(std::uint32_t index) const {
    return trace_.spans()[index];
  }

  void header() {
    text_ += fmt::format("trace {}  {} span{}, {} service{}", trace_.id().to_hex(),
                         grouped(trace_.spans().size()), trace_.spans().size() == 1 ? "" : "s",
                         trace_.services().size(), trace_.services().size() == 1 ? "" : "s");
    if (options_.durations) text_ += ", " + exact_duration(trace_.duration_ns());
    if (trace_.errors() != 0) text_ += fmt::format(", {} ERROR", grouped(trace_.errors()));
    if (trace_.orphans() != 0) text_ += fmt::format(", {} orphan", grouped(trace_.orphans()));
    if (trace_.open_spans() != 0) text_ += fmt::format(", {} OPEN", grouped(trace_.open_spans()));
    text_ += "\n";
  }

  std::vector<Line> group(const std::vector<std::uint32_t>& siblings, bool top) const {
    std::vector<Line> lines;
    using Key = std::tuple<std::uint32_t, std::uint32_t, otlp::SpanKind, bool>;
    std::map<Key, std::size_t> known;
    for (const std::uint32_t index : siblings) {
      const AssembledTrace::Span& s = span(index);
      const bool orphan = top && s.record->parent.is_valid();
      const auto [at, added] =
          known.try_emplace(Key{s.service, s.name, s.kind(), orphan}, lines.size());
      if (added || !options_.fold) {
        lines.push_back({{index}, orphan});
      } else {
        lines[at->second].spans.push_back(index);
      }
    }
    if (options_.by_name) {
      std::ranges::sort(lines, {}, [this](const Line& line) {
        const AssembledTrace::Span& s = span(line.spans.front());
        return std::tuple(trace_.names()[s.name], trace_.services()[s.service], s.kind(),
                          line.spans.front());
      });
    }
    return lines;
  }

  void below(const Line& line, const std::string& indent, unsigned depth) {
    std::vector<std::uint32_t> children;
    for (const std::uint32_t index : line.spans) {
      const auto own = trace_.children(index);
      children.insert(children.end(), own.begin(), own.end());
    }
    if (children.empty()) return;
    if (depth > options_.max_depth) {
      text_ += fmt::format("{}└─ … {} more below\n", indent, grouped(children.size()));
      return;
    }
    std::ranges::sort(children);
    const std::vector<Line> lines = group(children, false);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const bool last = i + 1 == lines.size();
      text_ += indent + (last ? "└─ " : "├─ ") + label(lines[i]) + "\n";
      below(lines[i], indent + (last ? "   " : "│  "), depth + 1);
    }
  }

  std::string label(const Line& line) const {
    const AssembledTrace::Span& first = span(line.spans.front());
    std::string text = fmt::format("{} [{} {}]", trace_.names()[first.name],
                                   trace_.services()[first.service], to_string(first.kind()));
    if (line.spans.size() > 1) text += " × " + grouped(line.spans.size());
    if (options_.durations) text += "  " + durations(line);
    std::uint64_t errors = 0;
    std::uint64_t open = 0;
    for (const std::uint32_t index : line.spans) {
      errors += span(index).record->failed() ? 1 : 0;
      open += span(index).record->open ? 1 : 0;
    }
    text += mark(errors, line.spans.size(), "ERROR") + mark(open, line.spans.size(), "OPEN");
    if (line.orphan) text += "  (orphan)";
    return text;
  }

  static std::string mark(std::uint64_t count, std::size_t of, std::string_view word) {
    if (count == 0) return "";
    return of == 1 ? fmt::format("  {}", word) : fmt::format("  {} {}", grouped(count), word);
  }

  std::string durations(const Line& line) const {
    std::vector<std::uint64_t> all;
    for (const std::uint32_t index : line.spans) all.push_back(span(index).record->duration_ns);
    if (all.size() == 1) return short_duration(all.front());
    std::ranges::sort(all);
    return fmt::format("min {}, p50 {}, max {}", short_duration(all.front()),
                       short_duration(all[all.size() / 2]), short_duration(all.back()));
  }

  const AssembledTrace& trace_;
  const TreeOptions& options_;
  std::string text_;
};

struct Unit {
  std::string_view name;
  std::uint64_t ns;
};
constexpr Unit kUnits[] = {{"s", 1'000'000'000}, {"ms", 1'000'000}, {"µs", 1'000}, {"ns", 1}};

const Unit& unit_of(std::uint64_t ns) {
  return *std::ranges::find_if(kUnits,
                               [ns](const Unit& unit) { return ns >= unit.ns || unit.ns == 1; });
}

}  // namespace

std::string render_tree(const AssembledTrace& trace, const TreeOptions& options) {
  return Painter(trace, options).paint();
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string exact_duration(std::uint64_t ns) {
  const Unit& unit = unit_of(ns);
  std::string text = grouped(ns / unit.ns);
  if (unit.ns > 1) {
    std::string decimals = fmt::format("{:0{}}", ns % unit.ns, std::to_string(unit.ns).size() - 1);
    while (decimals.size() > 3 && decimals.ends_with("000")) decimals.resize(decimals.size() - 3);
    for (std::size_t at = decimals.size(); at > 3;) decimals.insert(at -= 3, " ");
    if (decimals != "000") text += "." + decimals;
  }
  return text + " " + std::string(unit.name);
}

std::string short_duration(std::uint64_t ns) {
  const Unit& unit = unit_of(ns);
  const double value = static_cast<double>(ns) / static_cast<double>(unit.ns);
  const int decimals = unit.ns == 1 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return fmt::format("{:.{}f} {}", value, decimals, unit.name);
}

std::string render_list(const std::vector<TraceOverview>& traces) {
  if (traces.empty()) return "no traces\n";
  std::string text = fmt::format("{:<32}  {:<24}  {:>10}  {:>9}  {:>6}  {}\n", "TRACE",
                                 "START (UTC)", "DURATION", "SPANS", "ERRORS", "ROOT, SERVICES");
  for (const TraceOverview& trace : traces) {
    const std::string start = to_rfc3339({static_cast<std::int64_t>(trace.start_ns)});
    std::string services;
    for (const ServiceCount& service : trace.services) {
      services += (services.empty() ? "" : " ") + fmt::format("{}:{}", service.name, service.spans);
    }
    const std::string duration = short_duration(trace.duration_ns);
    const std::size_t shown = duration.size() - (duration.contains("µ") ? 1 : 0);
    text += fmt::format("{}  {}Z  {}{}  {:>9}  {:>6}  {}{}  {}\n", trace.id.to_hex(),
                        start.substr(0, 23), std::string(shown < 10 ? 10 - shown : 0, ' '),
                        duration, grouped(trace.spans), grouped(trace.errors),
                        trace.root_missing ? "(no root) " : "", trace.root_name, services);
  }
  return text;
}

}  // namespace alphaswarm::query
