#include "alphaswarm/query/span_rates.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "alphaswarm/base/time.hpp"

namespace alphaswarm::query {
namespace {

constexpr std::size_t kMaxPoints = 11'000;
constexpr int kPerDecade = 20;  // buckets: about 12 % wide
constexpr std::size_t kBuckets = 14 * kPerDecade;

std::size_t bucket_of(std::uint64_t ns) {
  const double at = std::log10(static_cast<double>(std::max<std::uint64_t>(1, ns))) * kPerDecade;
  return std::min(static_cast<std::size_t>(at), kBuckets - 1);
}
double milliseconds_at(double bucket) { return std::pow(10.0, bucket / kPerDecade) * 1e-6; }

struct Call {
  std::uint64_t end_ns;
  std::uint64_t duration_ns;
  bool failed;
};

// What a window holds; calls enter at its front and leave at its back.
class Window {
 public:
  void add(const Call& call, int sign) {
    counts_[bucket_of(call.duration_ns)] += sign;
    calls_ += sign;
    errors_ += call.failed ? sign : 0;
  }

  [[nodiscard]] double value(const RateQuery& wanted) const {
    switch (wanted.what) {
      case RateQuery::What::calls:
        return static_cast<double>(calls_) / (static_cast<double>(wanted.window_ns) * 1e-9);
      case RateQuery::What::errors:
        return calls_ == 0 ? std::numeric_limits<double>::quiet_NaN()
                           : static_cast<double>(errors_) / static_cast<double>(calls_);
      case RateQuery::What::latencies:
        return quantile(wanted.quantile);
    }
    return 0;
  }

 private:
  [[nodiscard]] double quantile(double q) const {
    if (calls_ == 0) return std::numeric_limits<double>::quiet_NaN();
    const double rank = q * static_cast<double>(calls_);
    double below = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
      const auto here = static_cast<double>(counts_[i]);
      if (here > 0 && below + here >= rank) {
        return milliseconds_at(static_cast<double>(i) + (rank - below) / here);
      }
      below += here;
    }
    return milliseconds_at(kBuckets);
  }

  std::vector<std::int64_t> counts_ = std::vector<std::int64_t>(kBuckets);
  std::int64_t calls_ = 0;
  std::int64_t errors_ = 0;
};

using Groups = std::map<std::pair<std::string, std::string>, std::vector<Call>>;

void collect(const tracestore::SpanBlock& block, const RateQuery& wanted, std::uint64_t from_ns,
             Groups& groups) {
  std::vector<std::vector<Call>*> targets(block.operations.size());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const tracestore::BlockOperation& operation = block.operations[i];
    if (std::ranges::find(wanted.services, operation.service) == wanted.services.end() ||
        std::ranges::find(wanted.kinds, operation.kind) == wanted.kinds.end()) {
      continue;
    }
    targets[i] = &groups[{std::string(operation.service),
                          wanted.by_operation ? std::string(operation.name) : std::string()}];
  }
  for (const tracestore::SpanRecord& record : block.records) {
    if (targets[record.operation] == nullptr || record.end_ns() <= from_ns ||
        record.end_ns() > wanted.end_ns) {
      continue;
    }
    targets[record.operation]->push_back({record.end_ns(), record.duration_ns, record.failed()});
  }
}

std::vector<double> slide(std::vector<Call>& calls, const RateQuery& wanted,
                          const std::vector<std::uint64_t>& times) {
  std::ranges::sort(calls, {}, &Call::end_ns);
  Window window;
  std::size_t front = 0;
  std::size_t back = 0;
  std::vector<double> values;
  values.reserve(times.size());
  for (const std::uint64_t time : times) {
    for (; front < calls.size() && calls[front].end_ns <= time; ++front)
      window.add(calls[front], 1);
    for (; back < front && calls[back].end_ns + wanted.window_ns <= time; ++back) {
      window.add(calls[back], -1);
    }
    values.push_back(window.value(wanted));
  }
  return values;
}

}  // namespace

Rates span_rates(const QueryService& query, RateQuery wanted) {
  wanted.window_ns = std::max<std::uint64_t>(1, wanted.window_ns);
  wanted.lookback_ns = std::min(wanted.lookback_ns, wanted.end_ns);
  wanted.step_ns =
      std::max({std::uint64_t{1}, wanted.step_ns, wanted.lookback_ns / kMaxPoints + 1});
  Rates rates;
  const std::uint64_t first = wanted.end_ns - wanted.lookback_ns;
  for (std::uint64_t time = first; time <= wanted.end_ns; time += wanted.step_ns) {
    rates.times_ns.push_back(time);
  }
  const std::uint64_t from = first > wanted.window_ns ? first - wanted.window_ns : 0;
  Groups groups;
  for (const auto& summary : query.store().list([&](const tracestore::TraceSummary& trace) {
         return trace.max_end_ns > from && trace.min_start_ns <= wanted.end_ns;
       })) {
    const auto trace = query.store().find(summary.id);
    if (!trace) continue;
    for (const auto& block : trace->blocks) collect(*block, wanted, from, groups);
  }
  for (auto& [key, calls] : groups) {
    rates.series.push_back({key.first, key.second, slide(calls, wanted, rates.times_ns)});
  }
  return rates;
}

}  // namespace alphaswarm::query
