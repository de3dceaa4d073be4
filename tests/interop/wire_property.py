"""Random spans of the SDK, read by the decoder of opentelemetry-proto, against a model of what the
API promises. Usage: wire_property.py WIRE_GENERATOR [SEED]"""

import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

ATTRIBUTES, EVENTS, LINKS, PER_EVENT, PER_LINK, VALUE = 8, 4, 3, 3, 2, 24
SCOPE = 512  # bytes of a text of a scope
SPANS = 5000


def text(digits, limit=VALUE):
    """Repaired, then cut at a code point."""
    out, size = "", 0
    for point in bytes.fromhex(digits).decode("utf-8", errors="replace"):
        size += len(point.encode())
        if size > limit:
            break
        out += point
    return out


def value(given, limit=VALUE):
    kind, raw = given["type"], given["value"]
    return {
        0: lambda: ("bool", raw == 1),
        1: lambda: ("int", raw),
        2: lambda: ("double", raw),
        3: lambda: ("string", text(raw, limit)),
        4: lambda: ("bytes", bytes.fromhex(raw)[:limit]),
        5: lambda: ("array", [("bool", one == 1) for one in raw]),
        6: lambda: ("array", [("int", one) for one in raw]),
        7: lambda: ("array", [("double", one) for one in raw]),
        8: lambda: ("array", [("string", text(one, limit)) for one in raw]),
    }[kind]()


def decoded(any_value):
    kind = any_value.WhichOneof("value")
    if kind == "array_value":
        return ("array", [decoded(one) for one in any_value.array_value.values])
    plain = getattr(any_value, kind)
    if kind == "double_value":  # compared as bits: NaN is not equal to itself
        plain = struct.unpack("<q", struct.pack("<d", plain))[0]
    return (kind.removesuffix("_value"), plain)


def attribute_map(pairs):
    found = {pair.key: decoded(pair.value) for pair in pairs}
    assert len(found) == len(pairs), f"a key twice: {[pair.key for pair in pairs]}"
    return found


def attribute_list(given, limit):
    """Of an event or link: the last of a key counts, at its place."""
    kept, dropped = {}, 0
    for i, (key, one) in enumerate(given):
        if any(later == key for later, _ in given[i + 1:]):
            continue
        if not key or len(kept) == limit:
            dropped += 1
        else:
            kept[text(key, 1024)] = value(one)
    return kept, dropped


def model(span):
    made = {"scope": scope_model(span["scope"]), "name": text(span["name"]), "kind": span["kind"], "start": span["start"],
            "end": max(span["start"], span["end"]), "attributes": {}, "dropped_attributes": 0,
            "events": [], "dropped_events": 0, "links": [], "dropped_links": 0, "status": (0, "")}
    for call in span["calls"]:
        what = call["call"]
        if what == "set":
            for key, one in call["attributes"]:
                key = text(key, 1024)
                if not key or (key not in made["attributes"] and len(made["attributes"]) == ATTRIBUTES):
                    made["dropped_attributes"] += 1
                else:
                    made["attributes"][key] = value(one)
        elif what == "event":
            if len(made["events"]) == EVENTS:
                made["dropped_events"] += 1
            else:
                made["events"].append((text(call["name"]), *attribute_list(call["attributes"], PER_EVENT)))
        elif what == "link":
            if int(call["trace"], 16) == 0:
                continue
            if len(made["links"]) == LINKS:
                made["dropped_links"] += 1
            else:
                flags = call["flags"] | 0x100 | (0x200 if call["remote"] else 0)
                made["links"].append((call["trace"], call["span"], flags,
                                      *attribute_list(call["attributes"], PER_LINK)))
        elif what == "name":
            made["name"] = text(call["name"])
        elif what == "status" and call["code"] != 0 and made["status"][0] != 1:
            made["status"] = (call["code"], text(call["text"]) if call["code"] == 2 else "")
    return made


def scope_model(given):
    if given is None:  # a span without a tracer
        return ("alphaswarm", "0.1.0", {}, 0, "")
    kept, dropped = {}, 0
    for i, (key, one) in enumerate(given["attributes"]):
        if any(later == key for later, _ in given["attributes"][i + 1:]):
            continue
        if not key:
            dropped += 1
        else:
            kept[text(key, 1024)] = value(one, SCOPE)
    return text(given["name"], SCOPE), text(given["version"], SCOPE), kept, dropped, text(given["url"], SCOPE)


def received(scope, span):
    return {"scope": scope, "name": span.name, "kind": span.kind, "start": span.start_time_unix_nano,
            "end": span.end_time_unix_nano, "attributes": attribute_map(span.attributes),
            "dropped_attributes": span.dropped_attributes_count,
            "events": [(e.name, attribute_map(e.attributes), e.dropped_attributes_count) for e in span.events],
            "dropped_events": span.dropped_events_count,
            "links": [(l.trace_id.hex(), l.span_id.hex(), l.flags, attribute_map(l.attributes),
                       l.dropped_attributes_count) for l in span.links],
            "dropped_links": span.dropped_links_count, "status": (span.status.code, span.status.message)}


def main():
    seed = sys.argv[2] if len(sys.argv) > 2 else str(random.getrandbits(63))
    print(f"wire property: seed {seed}")
    with tempfile.TemporaryDirectory() as folder:
        requests, calls = pathlib.Path(folder, "requests"), pathlib.Path(folder, "calls")
        subprocess.run([sys.argv[1], seed, str(SPANS), requests, calls], check=True)
        request = ExportTraceServiceRequest.FromString(requests.read_bytes())
        spans = {}
        for resource in request.resource_spans:
            of_request = [(each.scope.SerializeToString(), each.schema_url) for each in resource.scope_spans]
            assert len(set(of_request)) == len(of_request), "a scope twice in a request"
            for group in resource.scope_spans:
                assert group.spans, "a scope without a span"
                scope = (group.scope.name, group.scope.version, attribute_map(group.scope.attributes),
                         group.scope.dropped_attributes_count, group.schema_url)
                for span in group.spans:
                    assert len(span.trace_id) == 16 and span.span_id.hex() not in spans
                    spans[span.span_id.hex()] = received(scope, span)
        lines = calls.read_text().splitlines()
        assert len(lines) == len(spans) == SPANS, (len(lines), len(spans))
        for line in lines:
            given = json.loads(line)
            wanted, found = model(given), spans[given["span"]]
            for field, want in wanted.items():
                assert found[field] == want, f"seed {seed}, {field}: {found[field]!r}, not {want!r}, after {given}"
    print(f"wire property: {SPANS} spans agree, field by field")


if __name__ == "__main__":
    main()
