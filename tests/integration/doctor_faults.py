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

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CLEAN = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
failures: list[str] = []
named: set[str] = set()


def doctor(environment: dict, *arguments: str) -> tuple[int, dict]:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([BINARY, "doctor", "--json", "--data-dir", folder, *arguments], capture_output=True,
                              text=True, env={**CLEAN, **environment}, cwd=folder, timeout=60)
    rows = json.loads(done.stdout) if done.stdout.startswith("[") else []
    return done.returncode, {row["check"]: row for row in rows}


def expect(title: str, check: str, words: str, environment: dict, *arguments: str) -> None:
    """The check is wrong, it says what to change, and no other check is blamed."""
    code, rows = doctor(environment, *arguments)
    wrong = [name for name, row in rows.items() if row["state"] == "wrong"]
    message = rows.get(check, {}).get("message", "")
    good = code == 1 and wrong == [check] and re.search(words, message)
    print(f"{'ok  ' if good else 'FAIL'} {title}: {message}")
    named.add(check)
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
def collector():
    """`alphaswarm collector` on ports of its own; yields its offset."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        offset = probe.getsockname()[1] % 20000 + 20000
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen([BINARY, "collector", "--port-offset", str(offset), "--data-dir", folder],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=CLEAN, cwd=folder)
        for line in process.stdout:
            if line.startswith("ready"):
                break
        else:
            sys.exit("the collector did not start")
        try:
            yield offset
        finally:
            process.terminate()
            process.wait(10)


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
    expect("bad setting", "settings", "ALPHASWARM_OTEL_SAMPLE_RATIO", to("http://127.0.0.1:4317", ALPHASWARM_OTEL_SAMPLE_RATIO="2"))
    expect("no endpoint", "endpoint", "set ALPHASWARM_OTEL_ENDPOINT", {})
    expect("disabled", "endpoint", "OTEL_SDK_DISABLED", to("http://127.0.0.1:4317", OTEL_SDK_DISABLED="true"))
    expect("unknown name", "resolve", "no address", to("http://no-such-host.invalid:4317"), "--metrics", none)
    expect("nothing listens", "tcp", "start the collector", to(f"http://127.0.0.1:{free_port()}"), "--metrics", none)
    with tempfile.TemporaryDirectory() as folder:
        context = certificate(folder)
        secure = serve(answers(200), context)
        expect("unknown authority", "tls", "OTEL_EXPORTER_OTLP_CERTIFICATE",
               to(f"https://localhost:{secure}", ALPHASWARM_OTEL_PROTOCOL="http/protobuf"), "--metrics", none)
        expect("TLS wanted", "tls", "write https://",
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
        expect("no TLS there", "tls", "write http://", to(f"https://127.0.0.1:{grpc}"), *arguments)
        expect("gRPC to the HTTP port", "protocol", "http/protobuf", to(f"http://127.0.0.1:{web}"), *arguments)
        expect("HTTP to the gRPC port", "protocol", "PROTOCOL=grpc", to(f"http://127.0.0.1:{grpc}", **http_protocol), *arguments)
        expect("ratio 0", "sampling", "RATIO=1", to(f"http://127.0.0.1:{grpc}", ALPHASWARM_OTEL_SAMPLE_RATIO="0"), *arguments)
        expect("no query server", "arrival", "no query server", to(f"http://127.0.0.1:{grpc}"),
               "--query", f"http://127.0.0.1:{free_port()}", "--metrics", none)
        late = serve(answers(200, b'{"data":[{}]}', clock_offset=-120))
        expect("clocks differ", "clock", "ahead of.*NTP", to(f"http://127.0.0.1:{grpc}"),
               "--query", f"http://127.0.0.1:{late}", "--metrics", none)
        drops = serve(answers(200, b'alphaswarm_spans_dropped_total{service="x",cause="export_failed"} 7\n'))
        expect("spans dropped", "drops", "^7 spans", to(f"http://127.0.0.1:{grpc}"), "--query", query,
               "--metrics", f"http://127.0.0.1:{drops}/metrics")
    refused = serve(answers(401))
    expect("no key", "authentication", "OTEL_EXPORTER_OTLP_HEADERS",
           to(f"http://127.0.0.1:{refused}", **http_protocol), "--metrics", none)
    elsewhere = serve(answers(404))
    expect("no receiver there", "span", "no OTLP trace receiver",
           to(f"http://127.0.0.1:{elsewhere}", **http_protocol), "--metrics", none)
    # Accepts every span and keeps none.
    hole = serve(answers(200))
    empty = serve(answers(404))
    expect("does not arrive", "arrival", "look at its exporters", to(f"http://127.0.0.1:{hole}", **http_protocol),
           "--query", f"http://127.0.0.1:{empty}", "--metrics", none)
    page = (ROOT / "alphaswarm_docs/troubleshooting.md").read_text()
    entries = set(re.findall(r"^\| `(\w+)`", page, flags=re.M))
    if entries != named:
        failures.append(f"troubleshooting.md has {sorted(entries)}, planted were {sorted(named)}")
    print("\n".join(failures) or f"doctor names every fault ({len(named)} checks)")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
