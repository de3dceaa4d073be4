#!/usr/bin/env python3
"""A fault is planted for each entry of the troubleshooting page; `alphaswarm doctor` must name it.

usage: doctor_faults.py ALPHASWARM
"""
import contextlib
import email.utils
import http.server
import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
from support import WITH_US, free_offset  # noqa: E402

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CLEAN = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
failures: list[str] = []
named: set[tuple[str, str]] = set()


def doctor(environment: dict, *arguments: str) -> tuple[int, dict]:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([BINARY, "doctor", "--json", "--data-dir", folder, *arguments], capture_output=True,
                              text=True, env={**CLEAN, **environment}, cwd=folder, timeout=60)
    rows = json.loads(done.stdout) if done.stdout.startswith("[") else []
    return done.returncode, {row["check"]: row for row in rows}


def expect(title: str, check: str, words: str, environment: dict, *arguments: str) -> None:
    """The check is wrong, it says what to change, and no other check is blamed. Check and title are a row of the page."""
    code, rows = doctor(environment, *arguments)
    wrong = [name for name, row in rows.items() if row["state"] == "wrong"]
    message = rows.get(check, {}).get("message", "")
    good = code == 1 and wrong == [check] and re.search(words, message)
    print(f"{'ok  ' if good else 'FAIL'} {title}: {message}")
    named.add((check, title))
    if not good:
        failures.append(f"{title}: exit {code}, {rows}")


def serve(handler, context: ssl.SSLContext | None = None) -> int:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def answers(status: int, body: bytes = b"", clock_offset: float = 0):
    class Handler(http.server.BaseHTTPRequestHandler):
        def reply(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response_only(status)
            self.send_header("Date", email.utils.formatdate(time.time() + clock_offset, usegmt=True))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = reply

        def log_message(self, *_):
            pass

    return Handler


@contextlib.contextmanager
def running(folder: str, environment: dict, *arguments: str):
    """`alphaswarm` with these arguments, from its ready line on."""
    process = subprocess.Popen([*WITH_US, BINARY, *arguments, "--data-dir", folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, env={**CLEAN, **environment}, cwd=folder)
    said = []
    for line in process.stdout:
        if line.startswith("ready"):
            break
        said.append(line)
    else:
        sys.exit(f"alphaswarm {arguments[0]} did not start: {''.join(said)}")
    try:
        yield
    finally:
        process.terminate()
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise


@contextlib.contextmanager
def collector(config: str = ""):
    """`alphaswarm collector` on ports of its own; yields its offset."""
    offset = free_offset()
    with tempfile.TemporaryDirectory() as folder:
        more = []
        if config:
            pathlib.Path(folder, "config.yaml").write_text(config)
            more = ["--config", "config.yaml"]
        with running(folder, {}, "collector", "--port-offset", str(offset), *more):
            yield offset


# A collector that keeps nothing.
FORGETFUL = """
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:4317"}}}}
exporters: {debug: {}}
service:
  pipelines: {traces: {receivers: [otlp], exporters: [debug]}}
  telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: 8888}}}}]}}
"""


@contextlib.contextmanager
def service_that_drops():
    """The API, whose spans go where nothing listens; yields its metrics page once it has dropped some."""
    port = free_port()
    page = f"http://127.0.0.1:{port}/metrics"
    with tempfile.TemporaryDirectory() as folder:
        lost = to(f"http://127.0.0.1:{free_port()}", OTEL_EXPORTER_OTLP_TIMEOUT="200", OTEL_BSP_SCHEDULE_DELAY="50")
        with running(folder, lost, "api", "--port", str(port)):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/paper/runs").read()
            deadline = time.monotonic() + 20
            while not re.search(rb'alphaswarm_spans_dropped_total.*export_failed.* [1-9]', urllib.request.urlopen(page).read()):
                if time.monotonic() > deadline:
                    sys.exit("the service drops nothing")
                time.sleep(0.1)  # a page has no event to wait for
            yield page


def certificate(folder: str) -> ssl.SSLContext:
    key, cert = f"{folder}/key.pem", f"{folder}/cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def to(url: str, **more: str) -> dict:
    return {"ALPHASWARM_OTEL_ENDPOINT": url, **more}


def main() -> int:
    none = "http://127.0.0.1:1/metrics"
    expect("a value is not allowed", "settings", "ALPHASWARM_OTEL_SAMPLE_RATIO",
           to("http://127.0.0.1:4317", ALPHASWARM_OTEL_SAMPLE_RATIO="2"))
    expect("no endpoint is set, so nothing is traced", "endpoint", "set ALPHASWARM_OTEL_ENDPOINT", {})
    expect("tracing is switched off", "endpoint", "OTEL_SDK_DISABLED", to("http://127.0.0.1:4317", OTEL_SDK_DISABLED="true"))
    expect("the host's name has no address", "resolve", "no address", to("http://no-such-host.invalid:4317"), "--metrics", none)
    expect("nothing listens there", "tcp", "start the collector", to(f"http://127.0.0.1:{free_port()}"), "--metrics", none)
    with tempfile.TemporaryDirectory() as folder:
        context = certificate(folder)
        secure = serve(answers(200), context)
        expect("nobody we trust signed the certificate", "tls", "OTEL_EXPORTER_OTLP_CERTIFICATE",
               to(f"https://localhost:{secure}", ALPHASWARM_OTEL_PROTOCOL="http/protobuf"), "--metrics", none)
        expect("the certificate is for another name", "tls", "the name that is in the certificate",
               to(f"https://127.0.0.1:{secure}", ALPHASWARM_OTEL_PROTOCOL="http/protobuf",
                  OTEL_EXPORTER_OTLP_CERTIFICATE=f"{folder}/cert.pem"), "--metrics", none)
        expect("the receiver wants TLS", "tls", "write https://",
               to(f"http://localhost:{secure}", ALPHASWARM_OTEL_PROTOCOL="http/protobuf"), "--metrics", none)
    http_protocol = {"ALPHASWARM_OTEL_PROTOCOL": "http/protobuf"}
    with collector() as offset:
        grpc, web, query = 4317 + offset, 4318 + offset, f"http://127.0.0.1:{16686 + offset}"
        arguments = ("--query", query, "--metrics", none)
        code, rows = doctor(to(f"http://127.0.0.1:{grpc}"), *arguments)
        well = code == 0 and rows["arrival"]["state"] == "ok"
        code, rows_http = doctor(to(f"http://127.0.0.1:{web}", **http_protocol), *arguments)
        well = well and code == 0 and rows_http["arrival"]["state"] == "ok"
        print(f"{'ok  ' if well else 'FAIL'} nothing is wrong, over gRPC and HTTP")
        if not well:
            failures.append(f"a good system: {rows} {rows_http}")
        expect("the receiver speaks without TLS", "tls", "write http://", to(f"https://127.0.0.1:{grpc}"), *arguments)
        expect("gRPC is sent to the HTTP port", "protocol", "http/protobuf", to(f"http://127.0.0.1:{web}"), *arguments)
        expect("HTTP is sent to the gRPC port", "protocol", "PROTOCOL=grpc",
               to(f"http://127.0.0.1:{grpc}", **http_protocol), *arguments)
        expect("the sample ratio is 0", "sampling", "RATIO=1",
               to(f"http://127.0.0.1:{grpc}", ALPHASWARM_OTEL_SAMPLE_RATIO="0"), *arguments)
        expect("no query server answers", "arrival", "no query server", to(f"http://127.0.0.1:{grpc}"),
               "--query", f"http://127.0.0.1:{free_port()}", "--metrics", none)
        late = serve(answers(200, b'{"data":[{}]}', clock_offset=-120))
        expect("the clocks here and there differ by more than 5 s", "clock", "ahead of.*NTP", to(f"http://127.0.0.1:{grpc}"),
               "--query", f"http://127.0.0.1:{late}", "--metrics", none)
        with service_that_drops() as page:
            expect("the service has dropped spans", "drops", r"spans were dropped.*export_failed", to(f"http://127.0.0.1:{grpc}"),
                   "--query", query, "--metrics", page)
        with collector(FORGETFUL) as forgetful:
            expect("the span was accepted and is not in the store", "arrival", "look at its exporters",
                   to(f"http://127.0.0.1:{4317 + forgetful}"), *arguments)
        expect("the sampler is always off", "sampling", "RATIO=1",
               to(f"http://127.0.0.1:{grpc}", OTEL_TRACES_SAMPLER="always_off"), *arguments)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        expect("another program has this port", "protocol", "another program", to(f"http://127.0.0.1:{mute.getsockname()[1]}"),
               "--metrics", none)
    refused = serve(answers(401))
    expect("the receiver wants a key", "authentication", "OTEL_EXPORTER_OTLP_HEADERS",
           to(f"http://127.0.0.1:{refused}", **http_protocol), "--metrics", none)
    full = serve(answers(503))
    expect("the receiver has no room", "span", "has no room", to(f"http://127.0.0.1:{full}", **http_protocol), "--metrics", none)
    elsewhere = serve(answers(404))
    expect("there is no OTLP receiver at this address", "span", "no OTLP trace receiver",
           to(f"http://127.0.0.1:{elsewhere}", **http_protocol), "--metrics", none)
    # Takes a program of its own: tests/integration/without_tracing.py.
    named.add(("build", "the program was built without tracing"))
    text = (ROOT / "alphaswarm_docs/troubleshooting.md").read_text()
    rows = set(re.findall(r"^\| `(\w+)` \| (.*?) \|", text, flags=re.M))
    for check, title in sorted(rows ^ named):
        failures.append(f"{check}, {title}: "
                        + ("on the page, not planted" if (check, title) in rows else "planted, not on the page"))
    print("\n".join(failures) or f"doctor names every fault of the page: {len(named)}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
