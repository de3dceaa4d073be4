#!/usr/bin/env python3
"""Checks what is deployed against the program: variables, ports, versions, files.

usage: check_deploy.py ALPHASWARM COMPOSE.yaml EMBEDDED.yaml MANIFEST.yaml…     composed, without and with the profile; built
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from doc_commands import Commands  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "alphaswarm_platform/deploy"
PORTS = {"api": {8000}, "exchange": {8100}, "otel-collector": {4317, 4318, 8888, 8889}, "jaeger": {4317, 14269, 16686},
         "redis": {6379}, "postgres": {5432}, "prometheus": {9090}, "grafana": {3000}, "embedded": {4317, 4318, 8888, 8889, 16686}}
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
    # Doctor reads every setting before it looks at the network, where nothing of this is.
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([binary, "doctor", "--json", "--data-dir", folder], capture_output=True, text=True, cwd=folder,
                              env={"PATH": os.environ["PATH"], **ours})
    found = {row["check"]: row for row in json.loads(done.stdout)}["settings"]
    expect(found["state"] == "ok", f"{where}: {found['message']}")


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


def check_command(where: str, words: object, commands: Commands) -> None:
    """A command of ours, in a list or within `sh -c`, has the subcommands and options that it names."""
    line = " ".join(words) if isinstance(words, list) else str(words)
    for call in re.findall(r"(?:^|\s)alphaswarm((?: [^;&|]+)?)", line):
        problems.extend(f"{where}: {problem}" for problem in commands.check_alphaswarm(call.replace('"', "").split()))


def check_compose(path: str, collector: str, known: set[str], binary: str, commands: Commands) -> None:
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
            wanted = "service_healthy" if "healthcheck" in services[other] else "service_started"
            expect(how["condition"] == wanted, f"{where}: does not wait for {other} as well as it could")
        if "build" in service:
            expect(f" AS {service['build']['target']}\n" in dockerfile, f"{where}: the Dockerfile lacks its target")
            # What stands behind the entry point of our images.
            check_command(where, ["alphaswarm", *service.get("command", [])], commands)
            check_command(where, service["healthcheck"]["test"], commands)
            grace = seconds(service.get("stop_grace_period", "10s"))
            expect(grace > flush_seconds(binary), f"{where}: ends before the last flush")
        for port in service.get("ports", []):
            inner = port["target"] if isinstance(port, dict) else int(str(port).split(":")[-1].split("/")[0])
            expect(inner in PORTS.get(name, set()), f"{where}: nothing listens on {inner}")
    sending = {name for name, one in services.items() if one.get("environment", {}).get("OTEL_METRICS_EXPORTER") == "otlp"}
    if collector == "otel-collector":
        check_prometheus(set(services), sending)
        check_collector(where="compose", arguments=services[collector]["command"])
    else:
        expect(not sending, f"compose: {sending} send metrics to our collector, which takes none")
    endpoint = services["api"]["environment"].get("ALPHASWARM_OTEL_ENDPOINT")
    expect(endpoint == f"http://{collector}:4317", f"compose api: sends to {endpoint}")


def check_collector(where: str, arguments: list[str]) -> None:
    wanted = [f"--config=/etc/otelcol/{name}.yaml" for name in ("config", "signals")]
    expect(arguments == wanted, f"{where} otel-collector: {arguments}, not {wanted}")


def values_of(container: dict, maps: dict[str, dict]) -> dict:
    values: dict = {}
    for source in container.get("envFrom", []):
        values |= maps[source["configMapRef"]["name"]]
    for variable in container.get("env", []):
        values[variable["name"]] = variable.get("value", "")
    return values


def seconds(text: str) -> float:
    return float(text.removesuffix("s")) if text.endswith("s") else 60 * float(text.removesuffix("m"))


def flush_seconds(binary: str) -> float:
    """The longest that a service waits for its last spans: Config::shutdown_timeout_ms and what one export may take."""
    source = (ROOT / "alphaswarm/observability/api/config.hpp").read_text()
    last = int(re.search(r"shutdown_timeout_ms = ([\d']+)", source)[1].replace("'", ""))
    listing = subprocess.run([binary, "settings", "--markdown"], capture_output=True, text=True, check=True,
                             env={"PATH": os.environ["PATH"]}).stdout
    export = int(re.search(r"`OTEL_EXPORTER_OTLP_TIMEOUT` \| `(\d+)`", listing)[1])
    return max(last, export) / 1000


def check_probes(where: str, container: dict) -> None:
    """Ready is who can work; restarted is only who does not answer at all: a restart mends no database."""
    ready, live = container.get("readinessProbe", {}), container.get("livenessProbe", {})
    if container["image"].startswith("alphaswarm/api:"):
        expect(ready.get("httpGet", {}).get("path") == "/health/ready", f"{where}: readiness is not /health/ready")
        expect(live.get("httpGet", {}).get("path") == "/health/live", f"{where}: liveness is not /health/live")
    elif container["image"].startswith("alphaswarm/"):
        expect(not live, f"{where}: its liveness asks for more than the process")
    for probe in (ready, live):
        if "httpGet" in probe and container["image"].startswith("alphaswarm/"):
            # The default is a second, which a busy machine misses now and then.
            expect(probe.get("timeoutSeconds", 1) >= 2, f"{where}: {probe['httpGet']['path']} has a second to answer")
    if live:
        patience = live.get("periodSeconds", 10) * live.get("failureThreshold", 3)
        expect(patience >= 30, f"{where}: restarted after {patience} s")


def check_accounts(where: str, container: dict, known: set[str]) -> None:
    """Accounts at brokers: by reference to a secret that need not be there, for those that trade."""
    wanted = {name for name in known if re.fullmatch(r"ALPHASWARM_(ALPACA|TRADIER)_\w*(KEY|KEY_ID|TOKEN|ACCOUNT_ID)", name)}
    expect(len(wanted) == 4, f"{where}: which settings are an account at a broker? {wanted}")
    given = {one["name"]: one.get("valueFrom", {}).get("secretKeyRef") for one in container.get("env", []) if one["name"] in wanted}
    trades = container["name"] in ("api", "paper-trader")
    expect(set(given) == (wanted if trades else set()), f"{where}: is given the accounts {sorted(given)}")
    for name, reference in given.items():
        expect(bool(reference) and reference.get("optional") is True, f"{where}: {name} is no optional reference to a secret")


def check_pod(where: str, pod: dict, maps: dict, services: set[str], known: set[str], binary: str, commands: Commands) -> None:
    for container in pod["containers"]:
        check_image(where, container["image"])
        values = values_of(container, maps)
        check_settings(where, {k: v for k, v in values.items() if v}, known, binary)
        check_urls(where, values, services)
        security = container["securityContext"]
        expect(security.get("readOnlyRootFilesystem") is True, f"{where}: its root file system can be written")
        expect({"requests", "limits"} <= set(container.get("resources", {})), f"{where}: no resource limits")
        expect("readinessProbe" in container, f"{where}: no readiness probe")
        if container["image"].startswith("alphaswarm/"):
            check_command(where, ["alphaswarm", *container.get("args", [])], commands)
        for probe in ("readinessProbe", "livenessProbe"):
            check_command(where, container.get(probe, {}).get("exec", {}).get("command", []), commands)
        check_probes(where, container)
        check_accounts(where, container, known)
    expect(pod["securityContext"].get("runAsNonRoot") is True, f"{where}: may run as root")
    expect(pod.get("terminationGracePeriodSeconds", 30) > flush_seconds(binary), f"{where}: ends before the last flush")


def check_manifests(path: str, known: set[str], binary: str, commands: Commands) -> None:
    documents = [d for d in yaml.safe_load_all(open(path)) if d]
    by_kind: dict[str, dict[str, dict]] = {}
    for document in documents:
        by_kind.setdefault(document["kind"], {})[document["metadata"]["name"]] = document
    maps = {name: d.get("data", {}) for name, d in by_kind["ConfigMap"].items()}
    for name, values in maps.items():
        secret = [key for key in values if re.search(r"_(KEY|KEY_ID|TOKEN|ACCOUNT_ID)$", key)]
        expect(not secret, f"{path}: {name} holds {secret} in plain sight")
    services = set(by_kind["Service"])
    workloads = {**by_kind["Deployment"], **by_kind["StatefulSet"]}
    for name, workload in workloads.items():
        where = f"{pathlib.Path(path).name} {name}"
        check_pod(where, workload["spec"]["template"]["spec"], maps, services, known, binary, commands)
    for name, service in by_kind["Service"].items():
        for port in service["spec"]["ports"]:
            expect(port["port"] in PORTS.get(name, set()), f"{path}: service {name} has no port {port['port']}")
        expect(service["spec"]["selector"]["app"] in workloads, f"{path}: service {name} selects nothing")
    for name in ("worker", "paper-trader", "exchange"):  # these serve no page of metrics
        values = values_of(workloads[name]["spec"]["template"]["spec"]["containers"][0], maps)
        expect(values.get("OTEL_METRICS_EXPORTER") == "otlp", f"{path}: {name} neither serves nor sends its metrics")
    collector = workloads["otel-collector"]["spec"]["template"]["spec"]["containers"][0]
    check_collector(path, collector["args"])
    paper = workloads["paper-trader"]["spec"]
    expect(paper["replicas"] == 1 and paper["strategy"]["type"] == "Recreate", f"{path}: the paper trader must be one")
    for name, policy in by_kind.get("NetworkPolicy", {}).items():
        chosen = [policy["spec"]["podSelector"]]
        for rule in policy["spec"].get("ingress", []):
            # Pods of another namespace are not ours to know.
            chosen += [source["podSelector"] for source in rule.get("from", []) if "namespaceSelector" not in source]
            target = policy["spec"]["podSelector"]["matchLabels"]["app"]
            for port in rule["ports"]:
                expect(port["port"] in PORTS[target], f"{path}: policy {name} opens {port['port']}, where nothing listens")
        for selector in chosen:
            app = selector.get("matchLabels", {}).get("app")
            expect(app is None or app in workloads, f"{path}: policy {name} selects nothing")
    endpoint = maps[next(name for name in maps if name.startswith("alphaswarm"))]["ALPHASWARM_OTEL_ENDPOINT"]
    expect(endpoint == "http://otel-collector:4317", f"{path}: the services send to {endpoint}")
    if pathlib.Path(path).stem == "prod":
        check_production(by_kind, workloads)


def check_production(by_kind: dict[str, dict[str, dict]], workloads: dict[str, dict]) -> None:
    """What production has and a cluster on one's own machine has not."""
    expect("Secret" not in by_kind, "prod: holds secrets")
    policies = by_kind.get("NetworkPolicy", {}).values()
    closed = [one for one in policies if one["spec"]["podSelector"] == {} and "ingress" not in one["spec"]]
    expect(bool(closed), "prod: no network policy that lets nothing in")
    for name in ("api", "worker"):
        scaled = [one["spec"] for one in by_kind.get("HorizontalPodAutoscaler", {}).values()
                  if one["spec"]["scaleTargetRef"]["name"] == name]
        expect(bool(scaled) and 1 < scaled[0]["minReplicas"] < scaled[0]["maxReplicas"], f"prod: {name} does not scale")
        # Else each `kubectl apply` would take back what the autoscaler has added.
        expect("replicas" not in workloads[name]["spec"], f"prod: {name} has a fixed number of replicas beside an autoscaler")
        kept = [one for one in by_kind.get("PodDisruptionBudget", {}).values()
                if one["spec"]["selector"]["matchLabels"] == {"app": name}]
        expect(bool(kept), f"prod: no disruption budget for {name}")
    check_scraping(by_kind["NetworkPolicy"]["otel-collector"]["spec"])
    scaled_names = {one["spec"]["scaleTargetRef"]["name"] for one in by_kind.get("HorizontalPodAutoscaler", {}).values()}
    expect("paper-trader" not in scaled_names, "prod: the paper trader must not scale")
    for name, workload in workloads.items():
        for container in workload["spec"]["template"]["spec"]["containers"]:
            for variable in container.get("env", []):
                if re.search(r"PASSWORD|DATABASE_URL|REDIS_URL|KEY$|TOKEN", variable["name"]):
                    expect("secretKeyRef" in variable.get("valueFrom", {}), f"prod {name}: {variable['name']} in plain sight")


def check_scraping(policy: dict) -> None:
    """A Prometheus of the cluster, known by the labels of its namespace and pod, reaches the pages of metrics and no more."""
    ports = [{port["port"] for port in rule["ports"]} for rule in policy["ingress"]
             if any("namespaceSelector" in source and "podSelector" in source for source in rule.get("from", []))]
    expect(ports == [{8888, 8889}], f"prod: a Prometheus of the cluster reaches {ports} of the otel-collector")


def check_prometheus(services: set[str], sending: set[str]) -> None:
    """Each of our services is asked for its metrics, or sends them; what is asked is a port that is there."""
    document = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    targets = [target for job in document["scrape_configs"] for one in job["static_configs"] for target in one["targets"]]
    asked = set()
    for host, port in (target.split(":") for target in targets):
        expect(host in services and int(port) in PORTS[host], f"prometheus: {host}:{port} is not there")
        asked.add(host)
    for name in ("api", "worker", "paper-trader", "exchange"):
        expect((name in asked) != (name in sending), f"prometheus: the metrics of {name} come by {int(name in asked) + int(name in sending)} ways")
    pipelines = yaml.safe_load((DEPLOY / "otel/signals.yaml").read_text())["service"]["pipelines"]
    base = yaml.safe_load((DEPLOY / "otel/otel-collector-config.yaml").read_text())
    parts = {kind: {**base.get(kind, {}), **base.get("connectors", {})} for kind in ("receivers", "processors", "exporters")}
    for signal in ("metrics", "logs"):
        found = [one for name, one in pipelines.items() if name.split("/")[0] == signal and "otlp" in one["receivers"]]
        expect(bool(found), f"signals.yaml: no pipeline takes {signal} by OTLP")
    for name, pipeline in pipelines.items():
        expect(name not in base["service"]["pipelines"], f"signals.yaml: {name} would replace that of otel-collector-config.yaml")
        for kind, known in parts.items():
            expect(set(pipeline[kind]) <= set(known), f"signals.yaml: {name} names {kind} that are not there")


def check_dockerfile(known: set[str], binary: str, commands: Commands) -> None:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    stages = re.split(r"^FROM ", text, flags=re.M)[1:]
    listening = set().union(*PORTS.values())
    for stage in stages:
        image, _, name = stage.splitlines()[0].partition(" AS ")
        where = f"Dockerfile {name}"
        expect(image == "base" or re.fullmatch(r"debian:12\.\d+-slim", image) is not None, f"{where}: {image} is not pinned")
        values = dict(re.findall(r"(\w+)=(\S+)", " ".join(re.findall(r"^ENV (.*)", stage, flags=re.M))))
        check_settings(where, values, known, binary)
        for port in " ".join(re.findall(r"^EXPOSE (.*)", stage, flags=re.M)).split():
            expect(int(port) in listening, f"{where}: nothing listens on {port}")
        for command in re.findall(r"CMD (\[.*\])", stage):
            words = json.loads(command)
            check_command(where, words if words[0] in ("alphaswarm", "sh") else ["alphaswarm", *words], commands)
        if image == "base":
            expect("HEALTHCHECK" in stage, f"{where}: no health check")
    expect({"api", "worker", "paper", "all-in-one"} <= {stage.split()[2] for stage in stages}, "Dockerfile: a target is missing")
    expect("\nUSER 10001" in text, "Dockerfile: runs as root")


def check_units(known: set[str]) -> None:
    for unit in (DEPLOY / "systemd").glob("*.service"):
        for name in re.findall(r"^Environment=(\w+)=", unit.read_text(), flags=re.M):
            expect(name in known, f"{unit.name}: {name} is no setting of the program")


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
    commands = Commands(binary, str(pathlib.Path(sys.argv[2]).parent))
    check_compose(sys.argv[2], "otel-collector", known, binary, commands)
    check_compose(sys.argv[3], "embedded", known, binary, commands)
    for path in sys.argv[4:]:
        check_manifests(path, known, binary, commands)
    check_dockerfile(known, binary, commands)
    check_units(known)
    check_dashboards()
    print("\n".join(problems) or "deploy: variables, ports, versions and files fit the program")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
