"""Whether what a document tells people to type names things that are there."""
import pathlib
import re
import shlex
import subprocess

import yaml

from docs import CLEAN, ROOT, commands as all_commands

# Programs of other people: taken as they are.
FOREIGN = {"apt-get", "brew", "c++", "cat", "cd", "chmod", "cp", "cpack", "ctest", "curl", "echo", "export", "git", "grep", "jq", "kill",
           "ls", "man", "mkdir", "mv", "pip", "printf", "rm", "sed", "sleep", "source", "systemctl", "test", "unset", "export",
           "g++", "clang++-19", "clang-format-19", "cmake", "ninja", "npm", "npx", "openssl", "./build/hello", "xargs", "wait"}


class Commands:
    def __init__(self, binary: str, deploy: str):
        self.help = all_commands(binary)
        folder = pathlib.Path(deploy)
        self.compose = yaml.safe_load((folder / "compose.yaml").read_text())["services"]
        source = yaml.safe_load((ROOT / "alphaswarm_platform/deploy/compose/services.yml").read_text())["services"]
        self.profiles = {profile for one in source.values() for profile in one.get("profiles", [])}
        self.compose = {**source, **self.compose}
        self.objects: set[tuple[str, str, str]] = set()  # namespace, kind, name
        self.ports: set[tuple[str, str, int]] = set()  # namespace, service, port
        for overlay in ("dev", "prod"):
            for one in yaml.safe_load_all((folder / f"{overlay}.yaml").read_text()):
                meta = one["metadata"]
                namespace = meta.get("namespace", "")
                self.objects.add((namespace, one["kind"], meta["name"]))
                for port in one["spec"]["ports"] if one["kind"] == "Service" else []:
                    self.ports.add((namespace, meta["name"], port["port"]))
        makefile = (ROOT / "Makefile").read_text()
        self.targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.M))
        self.variables = set(re.findall(r"\$\((\w+)\)", makefile))

    def check(self, script: str) -> list[str]:
        problems = []
        script = re.sub(r"<<'?(\w+)'?.*?^\1$", "", script, flags=re.S | re.M)  # here-documents
        for line in script.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|\|\||[|;]|&(?=\s|$)", re.sub(r"(^|\s)#.*", "", line)):
                try:
                    words = shlex.split(re.sub(r"<[\w ]+>", "VALUE", part))
                except ValueError as error:
                    problems.append(f"{part}: {error}")
                    continue
                words = [word for word in words if word != "$"]
                while words and (re.match(r"[A-Z_]+=", words[0]) or words[0] in ("sudo", "!")):
                    words.pop(0)
                if words:
                    problems += self.check_words(words)
        return problems

    def check_words(self, words: list[str]) -> list[str]:
        program = words[0]
        if program.endswith("bin/alphaswarm") or program == "alphaswarm":
            return self.check_alphaswarm(words[1:])
        if program == "make":
            return self.check_make(words[1:])
        if program in ("docker", "docker-compose"):
            return self.check_compose(words[1:] if program == "docker-compose" else words[2:]) if "build" not in words[:2] else []
        if program == "kubectl":
            return self.check_kubectl(words[1:])
        if program in ("python3", "bash", "sh") and len(words) > 1:
            program = words[1]
        if program == "systemctl":
            units = ROOT / "alphaswarm_platform/deploy/systemd"
            return [f"there is no unit {word}" for word in words if word.startswith("alphaswarm-")
                    and not (units / f"{word.removesuffix('.service')}.service").exists()]
        if "/" in program and not program.startswith(("./build", "build/")):
            return [] if (ROOT / program).exists() else [f"there is no {program}"]
        return [] if program in FOREIGN or program.startswith(("./build", "build/")) else [f"an unknown program {program}"]

    def check_alphaswarm(self, words: list[str]) -> list[str]:
        path = "alphaswarm"
        problems = []
        for word in words:
            if f"{path} {word}" in self.help:
                path += f" {word}"
            elif word.startswith("-"):
                option = word.split("=")[0]
                inherited = self.help[path.rsplit(" ", 1)[0]] if " " in path else ""
                if not re.search(rf"(^|[\s,]){re.escape(option)}\b", self.help[path] + inherited):
                    problems.append(f"{path} has no {option}")
            elif path == "alphaswarm" and not re.match(r"[A-Z…/.]", word):
                problems.append(f"there is no command {word}")
        return problems

    def check_make(self, words: list[str]) -> list[str]:
        problems = []
        for word in words:
            name = word.split("=")[0]
            if name not in (self.variables if "=" in word else self.targets):
                problems.append(f"make knows no {name}")
        return problems

    def check_compose(self, words: list[str]) -> list[str]:
        problems, plain = [], []
        rest = iter(words)
        for word in rest:
            if word == "--profile":
                profile = next(rest)
                problems += [] if profile in self.profiles else [f"compose has no profile {profile}"]
            elif word == "-f":
                file = next(rest)
                problems += [] if (ROOT / file).exists() else [f"there is no {file}"]
            elif not word.startswith("-"):
                plain.append(word)
        command, names = plain[0], plain[1:]
        if command not in ("up", "exec", "logs", "ps", "down", "build", "config", "restart", "stop"):
            problems.append(f"docker compose {command}?")
        if command == "exec":
            problems += self.check_words(names[1:]) if names[1] == "alphaswarm" else []
            names = names[:1]
        return problems + [f"compose has no service {name}" for name in names if name not in self.compose]

    def check_kubectl(self, words: list[str]) -> list[str]:
        kinds = {"deploy": "Deployment", "svc": "Service", "statefulset": "StatefulSet"}
        problems = []
        namespace = words[words.index("-n") + 1] if "-n" in words else ""
        if "-k" in words and not (ROOT / words[words.index("-k") + 1] / "kustomization.yaml").exists():
            problems.append(f"there is no overlay {words[words.index('-k') + 1]}")
        for word in words:
            kind, _, name = word.partition("/")
            if kind in kinds and name and (namespace, kinds[kind], name) not in self.objects:
                problems.append(f"namespace {namespace} has no {word}")
            if kind == "svc" and name:
                port = int(words[words.index(word) + 1].split(":")[-1])
                if (namespace, name, port) not in self.ports:
                    problems.append(f"{word} has no port {port}")
        if "--" in words:
            problems += self.check_words(words[words.index("--") + 1:])
        return problems
