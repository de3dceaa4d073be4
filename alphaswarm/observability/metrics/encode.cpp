#include "alphaswarm/observability/metrics/encode.hpp"

#include "alphaswarm/observability/metrics/attribute_set.hpp"
#include "alphaswarm/otlp/encode.hpp"

namespace alphaswarm::observability::metrics {
namespace {

// Field numbers: opentelemetry/proto/metrics/v1/metrics.proto.
using otlp::MessageWriter;

std::string_view raw(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

std::uint64_t zigzag(std::int32_t value) {
  return static_cast<std::uint32_t>(value) << 1U ^ static_cast<std::uint32_t>(value >> 31);
}

std::uint64_t nanos(UnixNanos time) { return static_cast<std::uint64_t>(time.value); }

void put_number(MessageWriter& out, const Number& value, std::uint32_t as_double,
                std::uint32_t as_int) {
  if (const auto* number = std::get_if<double>(&value)) {
    out.number(as_double, *number);
  } else {
    out.fixed64(as_int, static_cast<std::uint64_t>(std::get<std::int64_t>(value)));
  }
}

void put_exemplars(MessageWriter& out, std::uint32_t field,
                   const std::vector<Exemplar>& exemplars) {
  for (const Exemplar& each : exemplars) {
    MessageWriter one;
    one.fixed64(2, nanos(each.time));
    put_number(one, each.value, 3, 6);
    if (each.trace_id.is_valid()) {
      one.bytes(4, raw(each.span_id.bytes.data(), each.span_id.bytes.size()));
      one.bytes(5, raw(each.trace_id.bytes.data(), each.trace_id.bytes.size()));
    }
    out.bytes(field, one.str());
  }
}

// A message of the attributes alone: fields may come in any order, and messages be concatenated.
std::string attributes_of(const AttributeSet& attributes, std::uint32_t field) {
  std::string out;
  detail::append_attributes(out, attributes, field);
  return out;
}

std::string encode(const NumberPoint& point) {
  MessageWriter out;
  if (point.start.value != 0) out.fixed64(2, nanos(point.start));
  out.fixed64(3, nanos(point.time));
  put_number(out, point.value, 4, 6);
  put_exemplars(out, 5, point.exemplars);
  return attributes_of(point.attributes, 7) + out.str();
}

std::string encode(const HistogramPoint& point, const std::vector<double>& boundaries) {
  MessageWriter out;
  out.fixed64(2, nanos(point.start)).fixed64(3, nanos(point.time)).fixed64(4, point.count);
  out.number(5, point.sum);
  std::string packed(point.bucket_counts.size() * 8, '\0');
  char* at = packed.data();
  for (const std::uint64_t count : point.bucket_counts) at = otlp::put_fixed64(at, count);
  out.bytes(6, packed);
  packed.assign(boundaries.size() * 8, '\0');
  at = packed.data();
  for (const double bound : boundaries) {
    at = otlp::put_fixed64(at, std::bit_cast<std::uint64_t>(bound));
  }
  if (!packed.empty()) out.bytes(7, packed);
  put_exemplars(out, 8, point.exemplars);
  if (point.count != 0) out.number(11, point.min).number(12, point.max);
  return attributes_of(point.attributes, 9) + out.str();
}

std::string encode(const ExponentialPoint::Buckets& buckets) {
  std::string packed;
  char room[otlp::kMaxVarintBytes];
  for (const std::uint64_t count : buckets.counts) {
    packed.append(room, otlp::put_varint(room, count));
  }
  MessageWriter out;
  out.varint(1, zigzag(buckets.offset));
  if (!packed.empty()) out.bytes(2, packed);
  return out.str();
}

std::string encode(const ExponentialPoint& point) {
  MessageWriter out;
  out.fixed64(2, nanos(point.start)).fixed64(3, nanos(point.time)).fixed64(4, point.count);
  out.number(5, point.sum).varint(6, zigzag(point.scale)).fixed64(7, point.zero_count);
  out.bytes(8, encode(point.positive));
  out.bytes(9, encode(point.negative));
  put_exemplars(out, 11, point.exemplars);
  if (point.count != 0) out.number(12, point.min).number(13, point.max);
  return attributes_of(point.attributes, 1) + out.str();
}

std::string encode(const Metric& metric) {
  MessageWriter data;
  for (const NumberPoint& point : metric.numbers) data.bytes(1, encode(point));
  for (const HistogramPoint& point : metric.histograms) {
    data.bytes(1, encode(point, metric.boundaries));
  }
  for (const ExponentialPoint& point : metric.exponentials) data.bytes(1, encode(point));
  if (metric.kind != Metric::Kind::gauge) {
    data.varint(2, static_cast<std::uint64_t>(metric.temporality));
  }
  if (metric.kind == Metric::Kind::sum && metric.monotonic) data.varint(3, 1);
  constexpr std::uint32_t kFields[] = {5, 7, 9, 10};  // by Metric::Kind
  MessageWriter out;
  out.bytes(1, metric.name);
  if (!metric.description.empty()) out.bytes(2, metric.description);
  if (!metric.unit.empty()) out.bytes(3, metric.unit);
  out.bytes(kFields[static_cast<unsigned>(metric.kind)], data.str());
  return out.str();
}

}  // namespace

std::string encode_request(std::string_view resource, const std::vector<ScopeMetrics>& scopes) {
  MessageWriter of_resource;
  of_resource.bytes(1, resource);
  for (const ScopeMetrics& scope : scopes) {
    MessageWriter out;
    MessageWriter identity;
    identity.bytes(1, scope.name);
    if (!scope.version.empty()) identity.bytes(2, scope.version);
    out.bytes(1, identity.str());
    for (const Metric& metric : scope.metrics) out.bytes(2, encode(metric));
    of_resource.bytes(2, out.str());
  }
  return MessageWriter().bytes(1, of_resource.str()).str();
}

}  // namespace alphaswarm::observability::metrics
