#!/usr/bin/env python3
"""Every code block of the documents is compiled, run, parsed or held against what it names.

usage: docs_test.py ALPHASWARM BUILD_FOLDER DEPLOY_FOLDER     the last holds compose.yaml, dev.yaml and prod.yaml

  cpp, cmake   comes from a built and run file: the mark `<!-- snippet: … -->`, whose text tools/docs.py checks
  sh           bash parses it, and every command, option, make target, service and object in it is there; with the
               mark `<!-- run -->` it is run, in a network of its own, where every default port is free;
               `<!-- run: until WORD -->` leaves it running once it has said WORD; `<!-- run: each until WORD -->` does so
               with each command of ours in the block
               `<!-- before: COMMAND -->` and `<!-- before: until WORD: COMMAND -->` are run before it, for what the reader has;
               `<!-- with: WORD=TEXT -->` puts TEXT in place of an example's WORD
  any          `<!-- save: FILE -->` puts the block where the next ones are run
  text         after `<!-- output -->`: what the block before it printed, numbers and ids aside
  yaml, json   parsed; a collector's configuration starts in our collector, a manifest fits Kubernetes' schemas
  mermaid      drawn, by tools/docs_test.sh
Names in back quotes are checked as well: files, settings, metrics, commands.
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
from doc_commands import Commands  # noqa: E402
from docs import CLEAN, DOCS, ROOT, pages  # noqa: E402

LANGUAGES = {"cpp", "cmake", "sh", "text", "yaml", "json", "mermaid"}
GENERATED = {"cli.md", "settings.md", "api.md", "CHANGELOG.md"}
problems: list[str] = []
counts: dict[str, int] = {}


class Block:
    def __init__(self, page: pathlib.Path, match: re.Match):
        marks = re.findall(r"<!-- (.*?) -->", match[1])
        saved = [mark.removeprefix("save: ") for mark in marks if mark.startswith("save: ")]
        self.save = saved[0] if saved else ""
        self.before = [mark.removeprefix("before: ") for mark in marks if mark.startswith("before: ")]
        self.values = [mark.removeprefix("with: ").split("=", 1) for mark in marks if mark.startswith("with: ")]
        self.mark = next((mark for mark in marks if not mark.startswith(("save: ", "before: ", "with: "))), "")
        self.language, self.text = match[2], match[3]
        line = page.read_text()[:match.start(2)].count("\n") + 1
        self.where = f"{page.relative_to(ROOT)}:{line}"


def blocks(page: pathlib.Path) -> list[Block]:
    found = re.finditer(r"((?:^<!-- [^\n]*? -->\n+)*)^```(\S*)\n(.*?)^```$", page.read_text(), flags=re.S | re.M)
    return [Block(page, match) for match in found]


def normal(text: str) -> list[str]:
    """Lines without what differs from run to run: ids, numbers, the width of columns."""
    text = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "#", text)
    text = re.sub(r"\b[0-9a-f]{16,32}\b", "#", text)
    text = re.sub(r"\d[\d,.:]*", "#", text)
    text = re.sub(r"# ?(ns|us|µs|ms|s|min)\b", "#", text)
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


class Session:
    """The marked blocks of a page, in order, in one folder."""

    def __init__(self, binary: str, build: str):
        self.folder = tempfile.TemporaryDirectory()
        self.cwd = self.folder.name
        self.output = ""
        self.left: list[subprocess.Popen] = []
        path = f"{os.path.dirname(binary)}:{os.environ['PATH']}"
        self.environment = {**CLEAN, "PATH": path, "HOME": self.folder.name, "CMAKE_PREFIX_PATH": f"{self.folder.name}/prefix",
                            "ROOT": str(ROOT)}
        # A reader's clone, as far as the blocks look into it.
        pathlib.Path(self.cwd, "build").mkdir()
        pathlib.Path(self.cwd, "build/release").symlink_to(build)

    def run(self, block: Block) -> None:
        for command in block.before:
            until = re.fullmatch(r"until (.+?): (.+)", command)
            self.run_script(block.where, until[2] if until else command, until and until[1])
        block.before = []  # not once more, where its output is waited for
        text = block.text
        for word, value in block.values:
            if word not in text:
                problems.append(f"{block.where}: there is no {word}")
            text = text.replace(word, value)
        each = re.fullmatch(r"run: each until (.+)", block.mark)
        if each:
            lines = text.replace("\\\n", " ").splitlines()
            settings = "\n".join(line for line in lines if line.startswith("export "))
            for line in lines:
                if line.startswith("alphaswarm "):
                    self.run_script(block.where, f"{settings}\nexec {line}", each[1])
            return
        until = re.fullmatch(r"run: until (.+)", block.mark)
        self.run_script(block.where, text, until and until[1])

    def run_script(self, where: str, text: str, until: str | None) -> None:
        script = f"set -euo pipefail\n{text}\npwd >{self.folder.name}/.cwd\n"
        process = subprocess.Popen(["bash", "-c", script], cwd=self.cwd, env=self.environment, text=True, start_new_session=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if until:
            self.left.append(process)
            self.output = ""
            for line in process.stdout:
                self.output += line
                if line.startswith(until):
                    return
            problems.append(f"{where}: ended without {until}: {self.output}")
            return
        self.output, _ = process.communicate(timeout=300)
        if process.returncode:
            problems.append(f"{where}: exit {process.returncode}: {self.output}")
            return
        self.cwd = pathlib.Path(self.folder.name, ".cwd").read_text().strip()

    def expect(self, block: Block, printed_by: Block) -> None:
        """A reader types slower than a collector collects: what is not there yet is asked for again."""
        wanted = [line for line in normal(block.text) if line not in ("…", "...")]
        deadline = time.monotonic() + 10
        while missing := [line for line in wanted if line not in normal(self.output)]:
            if time.monotonic() > deadline:
                problems.extend(f"{block.where}: {line!r} is not in the output {self.output!r}" for line in missing)
                return
            time.sleep(0.2)
            self.run(printed_by)

    def close(self) -> None:
        for process in reversed(self.left):  # a store after those that use it
            os.killpg(process.pid, signal.SIGTERM)
            process.stdout.read()
            process.wait(20)
        self.folder.cleanup()


def check_yaml(block: Block, binary: str, validate: str) -> None:
    documents = list(yaml.safe_load_all(block.text))
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "block.yaml")
        file.write_text(block.text)
        if "receivers" in documents[0]:
            process = subprocess.Popen([binary, "collector", "--config", file, "--data-dir", folder, "--port-offset", "10000"], text=True, cwd=folder,
                                       env=CLEAN, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            said = ""
            for line in process.stdout:
                said += line
                if line.startswith("ready"):
                    break
            process.terminate()
            process.communicate(timeout=20)
            if "ready" not in said or process.returncode:
                problems.append(f"{block.where}: our collector says: {said}")
        elif "apiVersion" in documents[0]:
            done = subprocess.run([validate, "--kubernetes-version", "1.29", "--strict", file], capture_output=True, text=True)
            if done.returncode:
                problems.append(f"{block.where}: {done.stdout}{done.stderr}")
        else:
            problems.append(f"{block.where}: neither a collector's configuration nor a manifest")


def named_by_tools(page: pathlib.Path, name: str) -> bool:
    """A variable of the tools beside the page, or of the tests that it tells about."""
    if DOCS in page.parents or page.parent == ROOT:
        return False
    return subprocess.run(["grep", "-rqwF", "--exclude=*.md", "--exclude-dir=node_modules", "--exclude-dir=dist", name, page.parent,
                           ROOT / "tests"]).returncode == 0


def check_names(page: pathlib.Path, commands: Commands, known: set[str]) -> None:
    """What stands in back quotes in the running text."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    where = page.relative_to(ROOT)
    places = [ROOT, ROOT / "alphaswarm", ROOT / "alphaswarm/observability", ROOT / "alphaswarm/collector", ROOT / "alphaswarm/trading",
              page.parent]
    for function, path in re.findall(r"`([\w:]+)\(\)`\s+\(`([\w./]+)`", text):
        found = [place / path for place in places if (place / path).exists()]
        if found and not re.search(rf"\b{function.split('::')[-1]}\(", found[0].read_text()):
            problems.append(f"{where}: {path} has no {function}()")
    for quoted in re.findall(r"`([^`\n]+)`", text):
        quoted = quoted.replace("\\|", "|")
        if re.fullmatch(r"[\w./-]+\.(cpp|hpp|py|sh|md|yaml|yml|toml|ts|tsx)", quoted) and "/" in quoted:
            if not any((place / quoted).exists() for place in places):
                problems.append(f"{where}: there is no {quoted}")
        elif re.match(r"(alphaswarm|make|docker compose|kubectl) \S", quoted):
            problems.extend(f"{where}: {problem}" for problem in commands.check(quoted))
        for name in re.findall(r"\b(?:ALPHASWARM|OTEL)_[A-Z0-9_]+\b(?!\*)", quoted):
            if name not in known and not name.endswith("_") and not named_by_tools(page, name):
                problems.append(f"{where}: {name} is no setting and no build option")
        for metric in re.findall(r"\balphaswarm_\w+_total\b", quoted):
            if subprocess.run(["grep", "-rqF", metric, ROOT / "alphaswarm"]).returncode:
                problems.append(f"{where}: no code makes {metric}")


def known_names(binary: str) -> set[str]:
    listing = subprocess.run([binary, "settings", "--markdown"], capture_output=True, text=True, check=True, env=CLEAN).stdout
    names = set(re.findall(r"^\| `(\w+)`", listing, flags=re.M))
    names |= set(re.findall(r"(?:option|set)\((ALPHASWARM_\w+)", (ROOT / "CMakeLists.txt").read_text()))
    for source in (ROOT / "alphaswarm/observability").rglob("*settings.cpp"):  # of metrics and logs
        names |= set(re.findall(r'"(OTEL_\w+|ALPHASWARM_\w+)"', source.read_text()))
    return names


def main() -> int:
    binary, build, deploy = (str(pathlib.Path(argument).resolve()) for argument in sys.argv[1:4])
    commands = Commands(binary, deploy)
    known = known_names(binary)
    for page in pages():
        if ROOT / "bench" in page.parents:
            continue  # what a run printed, as it came
        session = Session(binary, build)
        for block in blocks(page):
            counts[block.language] = counts.get(block.language, 0) + 1
            if block.save:
                pathlib.Path(session.cwd, block.save).write_text(block.text)
            if block.language not in LANGUAGES:
                problems.append(f"{block.where}: a block of {block.language or 'no language'}")
            elif block.language in ("cpp", "cmake") and not block.mark.startswith("snippet: "):
                problems.append(f"{block.where}: code that no test builds: put it into a file, and a mark here")
            elif block.language == "sh":
                done = subprocess.run(["bash", "-n"], input=block.text, text=True, capture_output=True)
                problems.extend([f"{block.where}: {done.stderr}"] if done.returncode else [])
                problems.extend(f"{block.where}: {problem}" for problem in commands.check(block.text))
                if block.mark.startswith("run"):
                    session.run(block)
                    last = block
                    counts["run"] = counts.get("run", 0) + 1
            elif block.language == "text" and block.mark == "output":
                session.expect(block, last)
            elif block.language == "yaml":
                check_yaml(block, binary, os.path.join(deploy, "venv/bin/kubernetes-validate"))
            elif block.language == "json":
                json.loads(block.text)
        session.close()
        if page.name not in GENERATED:
            check_names(page, commands, known)
    what = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    print("\n".join(problems) or f"docs: blocks checked: {what}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
