#!/usr/bin/env python3
"""Spans of the OpenTelemetry SDK for Python arrive in our collector as they were made.

usage: otel_python_to_us.py ALPHASWARM
"""
import json
import pathlib
import sys
import tempfile

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
import grpc

from support import free_offset, get, server, spans_of, wait_until


def make_spans(exporter, service: str) -> tuple[str, dict]:
    """A small trace through `exporter`; its id, and what must arrive."""
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("interop", "1.0")
    expected = {}
    with tracer.start_as_current_span("parent", kind=SpanKind.SERVER) as parent:
        parent.set_attributes({"text": "grün ✓", "whole": 2**53 + 1, "number": 0.1, "yes": True,
                               "list": ["a", "b"], "numbers": [1, 2, 3]})
        with tracer.start_as_current_span("child") as child:
            child.add_event("happened", {"where": "here"})
            child.set_status(Status(StatusCode.ERROR, "on purpose"))
    for span in (parent, child):
        expected[f"{span.context.span_id:016x}"] = span
    assert provider.force_flush(), "the exporter could not deliver"
    provider.shutdown()
    return f"{parent.context.trace_id:032x}", expected


def check(alphaswarm: str) -> None:
    offset = free_offset()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with server([alphaswarm, "collector", "--port-offset", offset, "--data-dir", folder / "data"],
                    folder / "collector.log", lambda text: "ready" in text):
            target = f"127.0.0.1:{4317 + offset}"
            web = f"http://127.0.0.1:{4318 + offset}/v1/traces"
            exporters = {
                "grpc": GrpcExporter(endpoint=target, insecure=True),
                "grpc-gzip": GrpcExporter(endpoint=target, insecure=True, compression=grpc.Compression.Gzip),
                "http": HttpExporter(endpoint=web),
                "http-gzip": HttpExporter(endpoint=web, compression=Compression.Gzip),
                "http-deflate": HttpExporter(endpoint=web, compression=Compression.Deflate),
            }
            for service, exporter in exporters.items():
                trace, expected = make_spans(exporter, service)
                url = f"http://127.0.0.1:{16686 + offset}/api/v3/traces/{trace}"
                found = {}
                def arrived() -> bool:
                    try:
                        found.update(spans_of(json.loads(get(url))["result"]["resourceSpans"]))
                    except OSError:
                        return False
                    return len(found) == len(expected)
                wait_until(arrived, lambda: f"{service}: {len(found)} of {len(expected)} spans arrived")
                for key, span in expected.items():
                    got = found[key]
                    assert got["service"] == service, got
                    assert (got["name"], got["start"], got["end"]) == (span.name, span.start_time, span.end_time)
                    wanted = {k: list(v) if isinstance(v, tuple) else v for k, v in span.attributes.items()}
                    assert got["attributes"] == wanted, (got["attributes"], wanted)
                    assert [e[0] for e in got["events"]] == [e.name for e in span.events]
                print(f"{service}: {len(expected)} spans as they were made")


if __name__ == "__main__":
    check(sys.argv[1])
