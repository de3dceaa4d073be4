#!/usr/bin/env python3
"""A program built with ALPHASWARM_OTEL=OFF whose endpoint is set: one warning that names the remedy, and everything else works.

usage: without_tracing.py ALPHASWARM DATASETS
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
from support import WITH_US, free_offset  # noqa: E402

BINARY, DATASETS = (str(pathlib.Path(argument).resolve()) for argument in sys.argv[1:3])
PAGE = pathlib.Path(__file__).resolve().parents[2] / "alphaswarm_docs/troubleshooting.md"
REMEDY = ("-DALPHASWARM_OTEL=ON", "package without no-otel in its name")
# Nothing listens there, and nothing is to be sent.
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "ALPHASWARM_OTEL_ENDPOINT": "http://127.0.0.1:1"}
SESSION = {"run_name": "untraced",
           "config": {"session": {"universe": ["AAPL.NASDAQ"], "initial_cash": 100000, "max_bars": 200},
                      "strategy": {"name": "mean_reversion"}, "feed": {"params": {"interval": "1d"}}}}


def run(folder: str, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([BINARY, *arguments, "--data-dir", f"{folder}/data"], capture_output=True, text=True, cwd=folder,
                          env=ENVIRONMENT, timeout=120)


def ask(url: str, body: object = None) -> tuple[int, object]:
    request = urllib.request.Request(url, json.dumps(body).encode() if body else None, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as reply:
        return reply.status, json.load(reply)


def check_doctor(folder: str) -> None:
    done = run(folder, "doctor", "--json")
    wrong = [row for row in json.loads(done.stdout) if row["state"] == "wrong"]
    assert done.returncode == 1 and [row["check"] for row in wrong] == ["build"], done.stdout
    assert all(word in wrong[0]["message"] for word in REMEDY), wrong
    assert "| `build` | the program was built without tracing |" in PAGE.read_text()


def check_services(folder: str) -> None:
    ingested = run(folder, "ingest", f"{DATASETS}/aapl.csv", "--symbol", "AAPL.NASDAQ")
    assert ingested.returncode == 0, ingested.stdout + ingested.stderr
    offset = free_offset()
    log = pathlib.Path(folder, "log")
    with log.open("w") as output:
        process = subprocess.Popen([*WITH_US, BINARY, "up", "--no-demo", "--port-offset", str(offset), "--data-dir",
                                    f"{folder}/data"],
                                   cwd=folder, env=ENVIRONMENT, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 120

        def wait_for(what: str, condition) -> None:
            while not condition():
                assert process.poll() is None and time.monotonic() < deadline, f"{what}: {log.read_text()}"
                time.sleep(0.05)

        wait_for("it does not start", lambda: "running;" in log.read_text())
        api = f"http://127.0.0.1:{8000 + offset}"
        status, health = ask(f"{api}/health")
        assert status == 200 and health["status"] == "ok", health
        status, accepted = ask(f"{api}/paper/start", SESSION)
        assert status == 202, accepted
        runs = lambda: [one for one in ask(f"{api}/paper/runs")[1] if one["task_id"] == accepted["task_id"]]
        wait_for("the session does not end", lambda: any(one["stopped_at"] for one in runs()))
        [ended] = runs()
        assert ended["status"] == "completed" and ended["bars_seen"] == 200 and ended["fills_count"] > 0, ended
        assert ended["trace_id"] is None, "a trace id without tracing"
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
    assert process.returncode == 0, log.read_text()
    # Four roles in this process ask for tracing.
    warnings = [line for line in log.read_text().splitlines() if "warning" in line]
    assert len(warnings) == 1 and all(word in warnings[0] for word in REMEDY), warnings


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        check_doctor(folder)
        check_services(folder)
    print("without tracing: one warning, the API is well, a paper session runs, doctor says why")


if __name__ == "__main__":
    main()
