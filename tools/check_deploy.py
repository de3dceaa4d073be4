#!/usr/bin/env python3
"""Checks what is deployed against the program: variables, ports, versions, files.

usage: check_deploy.py ALPHASWARM COMPOSE.yaml MANIFEST.yaml…     the composed and the built manifests
"""
import json
import os
import pathlib
import re
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "alphaswarm_platform/deploy"
PORTS = {"api": {8000}, "exchange": {8100}, "otel-collector": {4317, 4318, 8888, 8889}, "jaeger": {4317, 14269, 16686},
         "redis": {6379}, "postgres": {5432}, "prometheus": {9090}, "grafana": {3000}, "embedded": {16686}}
FIXED_SERVICES = {"api", "worker", "paper-trader", "exchange", "otel-collector", "jaeger", "redis", "postgres",
                  "prometheus", "grafana"}
problems: list[str] = []


def expect(condition: bool, message: str) -> None:
    if not condition:
        problems.append(message)


def known_settings(binary: str) -> set[str]:
    clean = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    text = subprocess.run([binary, "settings", "--markdown"], capture_output=True, text=True, check=True, env=clean).stdout
    names = set(re.findall(r"^\| `(\w+)`", text, flags=re.M))
    page = (ROOT / "alphaswarm_docs/settings.md").read_text()
    for name in names:
        expect(f"`{name}`" in page, f"settings.md does not name {name}")
    return names


def check_settings(where: str, values: dict, known: set[str], binary: str) -> None:
    ours = {name: str(value) for name, value in values.items() if name.startswith(("ALPHASWARM_", "OTEL_"))}
    for name in ours:
        expect(name in known, f"{where}: {name} is no setting of the program")
    if "ALPHASWARM_API_ADDRESS" in ours or "ALPHASWARM_OTEL_ENDPOINT" in ours:
        done = subprocess.run([binary, "settings"], capture_output=True, text=True,
                              env={"PATH": os.environ["PATH"], **ours})
        expect(done.returncode == 0, f"{where}: {done.stderr.strip()}")


def check_image(where: str, image: str) -> None:
    expect(re.search(r":v?\d+\.\d+(\.\d+)?(-\w+)?$", image) is not None, f"{where}: {image} is not pinned by version")


def check_urls(where: str, values: dict, services: set[str]) -> None:
    """A URL of another service names one that is there, and a port of it."""
    for name, value in values.items():
        for host, port in re.findall(r"(?:://|@|^)([a-z-]+):(\d+)", str(value)):
            if host in ("localhost",) or "@" in host:
                continue
            if host == "alphaswarm" and "postgres" in str(value):
                continue
            expect(host in services, f"{where}: {name} names the host {host}, which is no service")
            expect(int(port) in PORTS.get(host, set()), f"{where}: {name}: {host} has no port {port}")


def check_compose(path: str, known: set[str], binary: str) -> None:
    document = yaml.safe_load(open(path))
    services = document["services"]
    for missing in FIXED_SERVICES - set(services):
        problems.append(f"compose: no service {missing}")
    dockerfile = (ROOT / "Dockerfile").read_text()
    for name, service in services.items():
        where = f"compose {name}"
        check_image(where, service["image"])
        environment = service.get("environment", {})
        check_settings(where, environment, known, binary)
        check_urls(where, environment, set(services))
        expect("healthcheck" in service or name == "otel-collector", f"{where}: no health check")
        for other, how in service.get("depends_on", {}).items():
            healthy = how["condition"] == "service_healthy"
            expect(healthy and "healthcheck" in services[other], f"{where}: does not wait for the health of {other}")
        if "build" in service:
            expect(f" AS {service['build']['target']}\n" in dockerfile, f"{where}: the Dockerfile lacks its target")
        for volume in service.get("volumes", []):
            source = str(volume).split(":")[0]
            expect(not source.startswith("/") or os.path.exists(source), f"{where}: {source} is not there")
        for port in service.get("ports", []):
            inner = port["target"] if isinstance(port, dict) else int(str(port).split(":")[-1].split("/")[0])
            expect(inner in PORTS.get(name, set()), f"{where}: nothing listens on {inner}")
    endpoint = services["api"]["environment"].get("ALPHASWARM_OTEL_ENDPOINT")
    expect(endpoint == "http://otel-collector:4317", f"compose api: sends to {endpoint}")


def values_of(container: dict, maps: dict[str, dict]) -> dict:
    values: dict = {}
    for source in container.get("envFrom", []):
        values |= maps[source["configMapRef"]["name"]]
    for variable in container.get("env", []):
        values[variable["name"]] = variable.get("value", "")
    return values


def check_pod(where: str, pod: dict, maps: dict, services: set[str], known: set[str], binary: str) -> None:
    for container in pod["containers"]:
        check_image(where, container["image"])
        values = values_of(container, maps)
        check_settings(where, {k: v for k, v in values.items() if v}, known, binary)
        check_urls(where, values, services)
        security = container["securityContext"]
        expect(security.get("readOnlyRootFilesystem") is True, f"{where}: its root file system can be written")
        expect({"requests", "limits"} <= set(container.get("resources", {})), f"{where}: no resource limits")
        expect("readinessProbe" in container, f"{where}: no readiness probe")
    expect(pod["securityContext"].get("runAsNonRoot") is True, f"{where}: may run as root")
    expect(pod.get("terminationGracePeriodSeconds", 30) > 10, f"{where}: ends before the last flush")


def check_manifests(path: str, known: set[str], binary: str) -> None:
    documents = [d for d in yaml.safe_load_all(open(path)) if d]
    by_kind: dict[str, dict[str, dict]] = {}
    for document in documents:
        by_kind.setdefault(document["kind"], {})[document["metadata"]["name"]] = document
    maps = {name: d.get("data", {}) for name, d in by_kind["ConfigMap"].items()}
    services = set(by_kind["Service"])
    workloads = {**by_kind["Deployment"], **by_kind["StatefulSet"]}
    for name, workload in workloads.items():
        check_pod(f"{pathlib.Path(path).name} {name}", workload["spec"]["template"]["spec"], maps, services, known, binary)
    for name, service in by_kind["Service"].items():
        for port in service["spec"]["ports"]:
            expect(port["port"] in PORTS.get(name, set()), f"{path}: service {name} has no port {port['port']}")
        expect(service["spec"]["selector"]["app"] in workloads, f"{path}: service {name} selects nothing")
    paper = workloads["paper-trader"]["spec"]
    expect(paper["replicas"] == 1 and paper["strategy"]["type"] == "Recreate", f"{path}: the paper trader must be one")
    for name, policy in by_kind.get("NetworkPolicy", {}).items():
        app = policy["spec"]["podSelector"].get("matchLabels", {}).get("app")
        expect(app is None or app in workloads, f"{path}: policy {name} selects nothing")


def check_dashboards() -> None:
    for path in sorted((DEPLOY / "grafana/dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            expect(panel["datasource"]["uid"] == "prometheus", f"{path.name}: {panel['title']}: unknown data source")
            for target in panel["targets"]:
                for metric in re.findall(r"\balphaswarm_\w+", target["expr"]):
                    found = subprocess.run(["grep", "-rqF", f'"{metric}', ROOT / "alphaswarm"]).returncode == 0
                    expect(found, f"{path.name}: no code makes {metric}")


def main() -> int:
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    known = known_settings(binary)
    check_compose(sys.argv[2], known, binary)
    for path in sys.argv[3:]:
        check_manifests(path, known, binary)
    check_dashboards()
    print("\n".join(problems) or "deploy: variables, ports, versions and files fit the program")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
