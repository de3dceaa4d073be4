"""Servers on free ports, waiting for what they say, and OTLP JSON made comparable."""
import contextlib
import http.server
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import threading
import time
import urllib.request

WITH_US = ["setpriv", "--pdeathsig=KILL", "--"]  # a program that ends when we do, whatever ends us


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def free_offset() -> int:
    for offset in random.sample(range(2000, 15000), 200):  # other tests look at the same time
        with contextlib.suppress(OSError):
            for port in (8000, 8100, 4317, 4318, 8888, 8889, 16686):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port + offset))
            return offset
    raise RuntimeError("no free range of ports")


@contextlib.contextmanager
def server(arguments, log: pathlib.Path, ready, environment=None):
    """A process, from when `ready(log text)` holds until SIGTERM. It is killed if it does not end within 30 s, or if this
    process is. Ours must end by itself; Celery's worker sometimes does not, when the machine is busy, and that is not
    what these tests are about."""
    foreign = pathlib.Path(str(arguments[0])).name == "celery"
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with log.open("wb") as output:
        process = subprocess.Popen(WITH_US + [str(a) for a in arguments], stdout=output, stderr=subprocess.STDOUT,
                                   cwd=log.parent, env=clean | (environment or {}), start_new_session=foreign)
    try:
        wait_until(lambda: ready(log.read_text(errors="replace")) or process.poll() is not None,
                   lambda: f"{arguments[0]} did not get ready:\n{log.read_text(errors='replace')}")
        if process.poll() is not None:
            raise RuntimeError(f"{arguments[0]} ended early:\n{log.read_text(errors='replace')}")
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            if foreign:
                os.killpg(process.pid, signal.SIGKILL)  # with the processes it has forked
            else:
                process.kill()
            process.wait(30)
            if not foreign:
                raise


def wait_until(condition, failure, seconds: float = 60) -> None:
    """`failure` is a text, or a function that makes it when it is needed."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(failure() if callable(failure) else failure)
        time.sleep(0.05)


def get(url: str):
    with urllib.request.urlopen(url, timeout=20) as reply:
        return reply.read()


def post(url: str, body) -> tuple[dict, dict]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as reply:
        return json.loads(reply.read()), dict(reply.headers)


class OtlpSink:
    """An OTLP/HTTP receiver that keeps the resourceSpans of every JSON request."""

    def __init__(self):
        sink = self
        self.resource_spans = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                sink.resource_spans += json.loads(body)["resourceSpans"]
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()


def value_of(any_value: dict):
    """An OTLP JSON AnyValue as a plain value; 64-bit integers come as text."""
    for kind, value in any_value.items():
        if kind == "intValue":
            return int(value)
        if kind == "arrayValue":
            return [value_of(each) for each in value.get("values", [])]
        return value
    return None


def attributes_of(holder: dict) -> dict:
    return {each["key"]: value_of(each["value"]) for each in holder.get("attributes", [])}


def spans_of(resource_spans: list) -> dict:
    """span id → what two collectors must agree on."""
    found = {}
    for resource in resource_spans:
        service = attributes_of(resource["resource"]).get("service.name")
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                found[span["spanId"]] = {
                    "service": service,
                    "trace": span["traceId"],
                    "parent": span.get("parentSpanId", ""),
                    "name": span["name"],
                    "kind": int(span.get("kind", 0)),
                    "start": int(span["startTimeUnixNano"]),
                    "end": int(span["endTimeUnixNano"]),
                    "status": int(span.get("status", {}).get("code", 0)),
                    "attributes": attributes_of(span),
                    "events": [(each["name"], int(each["timeUnixNano"]), attributes_of(each))
                               for each in span.get("events", [])],
                }
    return found
