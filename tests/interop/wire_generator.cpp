// Random spans for wire_property.py: writes the requests an exporter would send, and what was
// called to make them, one JSON object a line with every text as the hex digits of its bytes.
//   wire_generator <seed> <spans> <requests file> <calls file>

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "alphaswarm/base/random.hpp"
#include "alphaswarm/observability/api/prepared_attributes.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/batch_sink.hpp"
#include "alphaswarm/observability/tracing.hpp"

namespace {

namespace otel = alphaswarm::observability;
using alphaswarm::Random;

constexpr otel::SpanLimits kLimits{.attributes = 8,
                                   .events = 4,
                                   .links = 3,
                                   .attributes_per_event = 3,
                                   .attributes_per_link = 2,
                                   .value_bytes = 24};

class FileSink final : public otel::BatchSink {
 public:
  explicit FileSink(const char* path) : out_(path, std::ios::binary) {}
  otel::SinkResult send(const otel::Batch& batch, std::chrono::milliseconds) override {
    out_ << batch.request.joined() << std::flush;  // concatenated, they are one request
    return {};
  }

 private:
  std::ofstream out_;
};

std::string quoted(std::string_view bytes) {
  std::string text = "\"";
  for (const char c : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(c));
    text += digits;
  }
  return text + '"';
}

// Pieces of valid text of every length of code point, and of broken ones.
std::string random_text(Random& random) {
  static const std::vector<std::string> kPieces = {
      "a",    "price",    "0123456789",         "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x93\x88",
      "\xff", "\xc3",     "\xe2\x82",           "\xf0\x9f", "\xed\xa0\x80", "\xc0\xaf",
      "\x80", "\xf4\x90", std::string(1, '\0'), " "};
  std::string text;
  for (std::uint64_t left = random.below(7); left > 0; --left) {
    text += kPieces[random.below(kPieces.size())];
  }
  if (random.below(20) == 0) text += std::string(60, 'x');
  return text;
}

// What an attribute of the SDK views, kept while it is needed.
struct Value {
  int type = 0;
  std::int64_t integer = 0;
  std::string text;
  std::vector<std::int64_t> integers;
  std::vector<double> numbers;
  std::vector<std::string> texts;
  std::vector<std::string_view> views;
  bool booleans[3] = {};
  std::size_t count = 0;

  explicit Value(Random& random) : type(static_cast<int>(random.below(9))) {
    integer = static_cast<std::int64_t>(random.next() >> random.below(64));
    text = random_text(random);
    count = random.below(4);
    for (std::size_t i = 0; i < count; ++i) {
      integers.push_back(static_cast<std::int64_t>(random.next() >> random.below(64)));
      numbers.push_back(std::bit_cast<double>(random.next()));
      texts.push_back(random_text(random));
    }
    for (bool& boolean : booleans) boolean = random.below(2) == 1;
    views.assign(texts.begin(), texts.end());
  }

  [[nodiscard]] otel::AttributeValue view() const {
    switch (type) {
      case 0:
        return (integer & 1) != 0;
      case 1:
        return integer;
      case 2:
        return std::bit_cast<double>(integer);
      case 3:
        return text;
      case 4:
        return std::as_bytes(std::span(text));
      case 5:
        return std::span<const bool>(booleans, std::min<std::size_t>(count, 3));
      case 6:
        return std::span<const std::int64_t>(integers);
      case 7:
        return std::span<const double>(numbers);
      default:
        return std::span<const std::string_view>(views);
    }
  }
  [[nodiscard]] std::string json() const {
    const auto list = [&](std::size_t size, auto element) {
      std::string all = "[";
      for (std::size_t i = 0; i < size; ++i) all += (i != 0 ? "," : "") + element(i);
      return all + "]";
    };
    const auto bits = [](double number) {
      return std::to_string(std::bit_cast<std::int64_t>(number));
    };
    std::string value;
    switch (type) {
      case 0:
        value = std::to_string(integer & 1);
        break;
      case 1:
      case 2:
        value = std::to_string(integer);
        break;  // a double as its bits
      case 3:
      case 4:
        value = quoted(text);
        break;
      case 5:
        value = list(std::min<std::size_t>(count, 3),
                     [&](std::size_t i) { return std::to_string(booleans[i] ? 1 : 0); });
        break;
      case 6:
        value = list(count, [&](std::size_t i) { return std::to_string(integers[i]); });
        break;
      case 7:
        value = list(count, [&](std::size_t i) { return bits(numbers[i]); });
        break;
      default:
        value = list(count, [&](std::size_t i) { return quoted(texts[i]); });
    }
    return "{\"type\":" + std::to_string(type) + ",\"value\":" + value + "}";
  }
};

struct Pair {
  std::string key;
  Value value;
};

std::string random_key(Random& random) {
  static const std::vector<std::string> kKeys = {"a",
                                                 "b",
                                                 "symbol",
                                                 "order.id",
                                                 "price",
                                                 "schl\xc3\xbcssel",
                                                 "bad\xff"
                                                 "key",
                                                 "",
                                                 "a.key.that.is.longer.than.the.bound.on.values",
                                                 "k1",
                                                 "k2",
                                                 "k3",
                                                 "k4"};
  return kKeys[random.below(kKeys.size())];
}

Pair random_pair(Random& random) { return {random_key(random), Value(random)}; }

// None, one or three attributes: their number is fixed where a list is written.
template <class Call>
std::string with_attributes(Random& random, Call call) {
  const Pair pairs[] = {random_pair(random), random_pair(random), random_pair(random),
                        random_pair(random)};
  const std::uint64_t which = random.below(3);
  if (which == 0) call(otel::Attributes{});
  if (which == 1) call(otel::Attributes{{pairs[0].key, pairs[0].value.view()}});
  if (which == 2) {
    call(otel::Attributes{{pairs[0].key, pairs[0].value.view()},
                          {pairs[1].key, pairs[1].value.view()},
                          {pairs[2].key, pairs[2].value.view()},
                          {pairs[3].key, pairs[3].value.view()}});
  }
  std::string json = "[";
  const std::size_t count = which == 0 ? 0 : which == 1 ? 1 : 4;
  for (std::size_t i = 0; i < count; ++i) {
    json += (i != 0 ? ",[" : "[") + quoted(pairs[i].key) + "," + pairs[i].value.json() + "]";
  }
  return json + "]";
}

// One call on the span, as JSON.
std::string random_call(Random& random, otel::Span& span) {
  const std::string text = random_text(random);
  switch (random.below(10)) {
    case 0: {
      const std::string list =
          with_attributes(random, [&](otel::Attributes given) { span.event(text, given); });
      return R"({"call":"event","name":)" + quoted(text) + ",\"attributes\":" + list + "}";
    }
    case 1: {
      otel::SpanContext target;
      if (random.below(8) != 0) target.trace_id = alphaswarm::TraceId::random();
      target.span_id = alphaswarm::SpanId::random();
      target.flags = static_cast<std::uint8_t>(random.below(4));
      target.remote = random.below(2) == 1;
      const std::string list =
          with_attributes(random, [&](otel::Attributes given) { span.link(target, given); });
      return R"({"call":"link","trace":")" + target.trace_id.to_hex() + R"(","span":")" +
             target.span_id.to_hex() + R"(","flags":)" + std::to_string(target.flags) +
             ",\"remote\":" + (target.remote ? "true" : "false") + ",\"attributes\":" + list + "}";
    }
    case 2: {
      const auto code = static_cast<otel::StatusCode>(random.below(3));
      span.status(code, text);
      return R"({"call":"status","code":)" + std::to_string(static_cast<int>(code)) +
             ",\"text\":" + quoted(text) + "}";
    }
    case 3:
      span.update_name(text);
      return R"({"call":"name","name":)" + quoted(text) + "}";
    case 4:
    case 5: {
      const bool prepared = random.below(2) == 1;
      const std::string list = with_attributes(random, [&](otel::Attributes given) {
        prepared ? span.set(otel::PreparedAttributes(given)) : span.set(given);
      });
      return R"({"call":"set","attributes":)" + list + "}";
    }
    default: {
      const Pair pair = random_pair(random);
      span.set(pair.key, pair.value.view());
      return R"({"call":"set","attributes":[[)" + quoted(pair.key) + "," + pair.value.json() +
             "]]}";
    }
  }
}

// A tracer with random texts, and what was asked for as JSON; the first is none.
struct Scope {
  otel::Tracer tracer;
  std::string json = "null";
};

std::vector<Scope> random_scopes(Random& random, const otel::TracerProvider& provider) {
  std::vector<Scope> scopes(1);
  while (scopes.size() < 40) {
    const std::string name = random_text(random) + std::to_string(scopes.size());  // all differ
    const std::string version = random.below(2) == 0 ? "" : random_text(random);
    const std::string url = random.below(2) == 0 ? "" : random_text(random);
    Scope& made = scopes.emplace_back();
    const std::string list = with_attributes(random, [&](otel::Attributes given) {
      made.tracer = provider.tracer(name, version, given, url);
    });
    made.json = R"({"name":)" + quoted(name) + R"(,"version":)" + quoted(version) + R"(,"url":)" +
                quoted(url) + R"(,"attributes":)" + list + "}";
  }
  return scopes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  Random random(std::strtoull(argv[1], nullptr, 10));
  const long count = std::atol(argv[2]);
  auto made = otel::TracerProvider::create(
      {.service_name = "wire", .sink = std::make_shared<FileSink>(argv[3]), .limits = kLimits});
  if (!made) return 1;
  std::ofstream calls(argv[4]);
  const std::vector<Scope> scopes = random_scopes(random, **made);
  for (long i = 0; i < count; ++i) {
    const std::string name = random_text(random);
    const auto kind = static_cast<otel::SpanKind>(1 + random.below(5));
    const std::int64_t start =
        1'700'000'000'000'000'000 + static_cast<std::int64_t>(random.below(1'000'000'000));
    const std::int64_t end = start + static_cast<std::int64_t>(random.below(2'000'000)) - 500'000;
    const Scope& scope = scopes[random.below(2) == 0 ? 0 : random.below(scopes.size())];
    const otel::SpanOptions options{.kind = kind, .start_time = {start}, .provider = made->get()};
    otel::Span span = scope.tracer.span(name, options);
    calls << R"({"span":")" << span.context().span_id.to_hex() << R"(","name":)" << quoted(name)
          << ",\"kind\":" << static_cast<int>(kind) << ",\"start\":" << start << ",\"end\":" << end
          << ",\"scope\":" << scope.json << ",\"calls\":[";
    const std::uint64_t many = random.below(24);
    for (std::uint64_t call = 0; call < many; ++call) {
      calls << (call != 0 ? "," : "") << random_call(random, span);
    }
    calls << "]}\n";
    span.end({end});
    if (i % 1'000 == 999 && !(*made)->force_flush(10'000)) return 1;
  }
  return (*made)->shutdown(10'000) ? 0 : 1;
}
