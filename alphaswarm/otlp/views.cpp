#include "alphaswarm/otlp/views.hpp"

#include <cstring>

namespace alphaswarm::otlp {
namespace {

// Validates a request and fills the tables. Each method handles one message and returns false
// after refuse() or at malformed bytes below it.
class Parser {
 public:
  explicit Parser(std::string_view request) : begin_(request.data()) {}

  bool request(std::string_view bytes) {
    return each(bytes, [this](const WireField& field) {
      return field.number != 1 || (is_message(field) && resource_spans(field.bytes));
    });
  }

  // Without kDeep, attributes, events and links are counted but not looked into.
  template <bool kDeep>
  bool span(std::string_view bytes, SpanView& span);

  [[nodiscard]] Error error() const {
    return {ErrorCode::invalid_argument,
            "malformed ExportTraceServiceRequest at byte " +
                std::to_string(where_ == nullptr ? 0 : where_ - begin_) + ": " + what_,
            false};
  }

  TraceBatch batch;

 private:
  bool refuse(const char* where, const char* what) {
    where_ = where;
    what_ = what;
    return false;
  }

  template <class See>
  bool each(std::string_view message, See see) {
    WireReader reader(message);
    for (WireField field; reader.next(field);) {
      if (!see(field)) {
        if (where_ == nullptr) refuse(reader.position(), "wrong wire type");
        return false;
      }
    }
    return !reader.failed() || refuse(reader.position(), "truncated or malformed field");
  }

  static bool is_message(const WireField& field) { return field.type == WireType::length; }
  static bool text(const WireField& field, std::string_view& out) {
    if (field.type != WireType::length) return false;
    out = field.bytes;
    return true;
  }
  static bool integer(const WireField& field, WireType type, auto& out) {
    if (field.type != type) return false;
    out = static_cast<std::remove_reference_t<decltype(out)>>(field.integer);
    return true;
  }
  template <class Id>
  bool id(const WireField& field, Id& out) {
    if (field.type != WireType::length) return false;
    if (field.bytes.empty()) return true;
    if (field.bytes.size() != out.bytes.size()) {
      return refuse(field.bytes.data(), "an id of the wrong length");
    }
    std::memcpy(out.bytes.data(), field.bytes.data(), out.bytes.size());
    return true;
  }

  bool resource_spans(std::string_view bytes);
  bool resource(std::string_view bytes, std::size_t index);
  bool scope_spans(std::string_view bytes, std::uint32_t resource);
  bool scope(std::string_view bytes, std::size_t index);
  bool key_value(std::string_view bytes, unsigned depth, std::string_view& key,
                 std::string_view& value);
  bool any_value(std::string_view bytes, unsigned depth);
  bool attributes_of(std::string_view bytes, std::uint32_t field_number);
  bool event(std::string_view bytes);
  bool link(std::string_view bytes);
  bool status(std::string_view bytes, SpanView& span);

  const char* begin_;
  const char* where_ = nullptr;
  const char* what_ = "";
};

bool Parser::resource_spans(std::string_view bytes) {
  const std::size_t index = batch.resources.size();
  batch.resources.emplace_back();
  return each(bytes, [&](const WireField& field) {
    switch (field.number) {
      case 1:
        return is_message(field) && resource(field.bytes, index);
      case 2:
        return is_message(field) && scope_spans(field.bytes, static_cast<std::uint32_t>(index));
      case 3:
        return text(field, batch.resources[index].schema_url);
      default:
        return true;
    }
  });
}

bool Parser::resource(std::string_view bytes, std::size_t index) {
  ResourceView& view = batch.resources[index];
  view.encoded = bytes;
  return each(bytes, [&](const WireField& field) {
    if (field.number != 1) return true;
    std::string_view key;
    std::string_view value;
    if (!is_message(field) || !key_value(field.bytes, 0, key, value)) return false;
    if (key == "service.name") view.service_name = AnyValueView(value).text();
    return true;
  });
}

bool Parser::scope_spans(std::string_view bytes, std::uint32_t resource) {
  const std::size_t index = batch.scopes.size();
  batch.scopes.emplace_back().resource = resource;
  return each(bytes, [&](const WireField& field) {
    switch (field.number) {
      case 1:
        return is_message(field) && scope(field.bytes, index);
      case 2: {
        if (!is_message(field)) return false;
        SpanView view;
        view.scope = static_cast<std::uint32_t>(index);
        if (!span<true>(field.bytes, view)) return false;
        if (view.trace_id.is_valid() && view.span_id.is_valid()) {
          batch.spans.push_back(view);
        } else {
          ++batch.rejected_spans;
        }
        return true;
      }
      case 3:
        return text(field, batch.scopes[index].schema_url);
      default:
        return true;
    }
  });
}

bool Parser::scope(std::string_view bytes, std::size_t index) {
  ScopeView& view = batch.scopes[index];
  view.encoded = bytes;
  return attributes_of(bytes, 3) && each(bytes, [&](const WireField& field) {
           if (field.number == 1) return text(field, view.name);
           if (field.number == 2) return text(field, view.version);
           return true;
         });
}

template <bool kDeep>
bool Parser::span(std::string_view bytes, SpanView& span) {
  span.encoded = bytes;
  return each(bytes, [&](const WireField& field) {
    switch (field.number) {
      case 1:
        return id(field, span.trace_id);
      case 2:
        return id(field, span.span_id);
      case 3:
        return text(field, span.trace_state);
      case 4:
        return id(field, span.parent_span_id);
      case 5:
        return text(field, span.name);
      case 6:
        if (field.type != WireType::varint) return false;
        if (field.integer <= 5) span.kind = static_cast<SpanKind>(field.integer);
        return true;
      case 7:
        return integer(field, WireType::fixed64, span.start_ns);
      case 8:
        return integer(field, WireType::fixed64, span.end_ns);
      case 9: {
        std::string_view key;
        std::string_view value;
        if (!kDeep) return true;
        if (!is_message(field) || !key_value(field.bytes, 0, key, value)) return false;
        if (key == kOpenSpanKey) span.open = AnyValueView(value).boolean();
        return true;
      }
      case 10:
        return integer(field, WireType::varint, span.dropped_attributes);
      case 11:
        ++span.event_count;
        return is_message(field) && (!kDeep || event(field.bytes));
      case 12:
        return integer(field, WireType::varint, span.dropped_events);
      case 13:
        ++span.link_count;
        return is_message(field) && (!kDeep || link(field.bytes));
      case 14:
        return integer(field, WireType::varint, span.dropped_links);
      case 15:
        return is_message(field) && status(field.bytes, span);
      case 16:
        return integer(field, WireType::fixed32, span.flags);
      default:
        return true;
    }
  });
}

bool Parser::status(std::string_view bytes, SpanView& span) {
  return each(bytes, [&](const WireField& field) {
    if (field.number == 2) return text(field, span.status_message);
    if (field.number != 3) return true;
    if (field.type != WireType::varint) return false;
    if (field.integer <= 2) span.status = static_cast<StatusCode>(field.integer);
    return true;
  });
}

bool Parser::key_value(std::string_view bytes, unsigned depth, std::string_view& key,
                       std::string_view& value) {
  return each(bytes, [&](const WireField& field) {
    if (field.number == 1) return text(field, key);
    if (field.number == 2) return text(field, value) && any_value(value, depth);
    return true;
  });
}

bool Parser::any_value(std::string_view bytes, unsigned depth) {
  if (depth > kMaxValueDepth) return refuse(bytes.data(), "an attribute value nested too deeply");
  return each(bytes, [&](const WireField& field) {
    switch (field.number) {
      case 1:
      case 7:
        return is_message(field);
      case 2:
      case 3:
        return field.type == WireType::varint;
      case 4:
        return field.type == WireType::fixed64;
      case 5:
        return is_message(field) && each(field.bytes, [&](const WireField& element) {
                 return element.number != 1 ||
                        (is_message(element) && any_value(element.bytes, depth + 1));
               });
      case 6:
        return is_message(field) && each(field.bytes, [&](const WireField& entry) {
                 std::string_view key;
                 std::string_view value;
                 return entry.number != 1 ||
                        (is_message(entry) && key_value(entry.bytes, depth + 1, key, value));
               });
      default:
        return true;
    }
  });
}

bool Parser::attributes_of(std::string_view bytes, std::uint32_t field_number) {
  return each(bytes, [&](const WireField& field) {
    std::string_view key;
    std::string_view value;
    return field.number != field_number ||
           (is_message(field) && key_value(field.bytes, 0, key, value));
  });
}

bool Parser::event(std::string_view bytes) {
  return each(bytes, [&](const WireField& field) {
    std::string_view key;
    std::string_view value;
    switch (field.number) {
      case 1:
        return field.type == WireType::fixed64;
      case 2:
        return is_message(field);
      case 3:
        return is_message(field) && key_value(field.bytes, 0, key, value);
      case 4:
        return field.type == WireType::varint;
      default:
        return true;
    }
  });
}

bool Parser::link(std::string_view bytes) {
  TraceId trace_id;
  SpanId span_id;
  return each(bytes, [&](const WireField& field) {
    std::string_view key;
    std::string_view value;
    switch (field.number) {
      case 1:
        return id(field, trace_id);
      case 2:
        return id(field, span_id);
      case 3:
        return is_message(field);
      case 4:
        return is_message(field) && key_value(field.bytes, 0, key, value);
      case 5:
        return field.type == WireType::varint;
      case 6:
        return field.type == WireType::fixed32;
      default:
        return true;
    }
  });
}

template <class Id>
void copy_id(std::string_view bytes, Id& out) noexcept {
  if (bytes.size() == out.bytes.size()) std::memcpy(out.bytes.data(), bytes.data(), bytes.size());
}

}  // namespace

std::string_view to_string(SpanKind kind) noexcept {
  constexpr std::string_view kNames[] = {"unspecified", "internal", "server",
                                         "client",      "producer", "consumer"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view to_string(StatusCode code) noexcept {
  constexpr std::string_view kNames[] = {"unset", "ok", "error"};
  return kNames[static_cast<std::size_t>(code)];
}

EventView::EventView(std::string_view encoded) noexcept : encoded_(encoded) {
  WireReader reader(encoded);
  for (WireField field; reader.next(field);) {
    if (field.number == 1) time_ns = field.integer;
    if (field.number == 2) name = field.bytes;
    if (field.number == 4) dropped_attributes = static_cast<std::uint32_t>(field.integer);
  }
}

LinkView::LinkView(std::string_view encoded) noexcept : encoded_(encoded) {
  WireReader reader(encoded);
  for (WireField field; reader.next(field);) {
    if (field.number == 1) copy_id(field.bytes, trace_id);
    if (field.number == 2) copy_id(field.bytes, span_id);
    if (field.number == 3) trace_state = field.bytes;
    if (field.number == 5) dropped_attributes = static_cast<std::uint32_t>(field.integer);
    if (field.number == 6) flags = static_cast<std::uint32_t>(field.integer);
  }
}

Result<TraceBatch> parse_trace_request(SharedBytes request) {
  Parser parser(request.view());
  if (!parser.request(request.view())) return std::unexpected(parser.error());
  parser.batch.bytes = std::move(request);
  return std::move(parser.batch);
}

SpanView view_span(std::string_view encoded) noexcept {
  Parser parser(encoded);
  SpanView view;
  (void)parser.span<false>(encoded, view);  // validated before: cannot fail
  return view;
}

}  // namespace alphaswarm::otlp
