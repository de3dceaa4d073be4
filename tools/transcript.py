#!/usr/bin/env python3
"""Follows the quick start word by word on a clean Debian 12 and writes what it said: alphaswarm_docs/transcript.md.

usage: transcript.py DEBIAN.tar FOLDER [CCACHE]     DEBIAN.tar: a clean root, as tools/package_test.sh makes it; FOLDER:
       scratch; CCACHE: the folder of a ccache that has built this commit, with base_dir and without hash_dir, to spare compiling

The root gets a copy of this repository's last commit, and nothing else of this machine but the way to its registries.
Needs root, and the time of a whole build. Dates, ids and addresses are made alike, so that a second run differs only
where something changed.
"""
import os
import pathlib
import re
import select
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
OFFSET = 9000
# The commands of README.md and of the troubleshooting page; the second text says when the next one is typed.
STEPS = [
    ("apt-get install -y --no-install-recommends git make", None),
    ("git clone /srv/alphaswarm.git alphaswarm", None),
    ("cd alphaswarm", None),
    (f"make up PORT_OFFSET={OFFSET}", "Ctrl-C"),
    (f"build/release/bin/alphaswarm trace --url http://127.0.0.1:{16686 + OFFSET} list --limit 5", None),
    ("build/release/bin/alphaswarm trace --url http://127.0.0.1:%d tree TRACE | head -30" % (16686 + OFFSET), None),
    (f"ALPHASWARM_OTEL_ENDPOINT=http://127.0.0.1:{4317 + OFFSET} build/release/bin/alphaswarm doctor"
     f" --query http://127.0.0.1:{16686 + OFFSET} --metrics http://127.0.0.1:{8000 + OFFSET}/metrics", None),
    ("Ctrl-C", None),
]
HEAD = """# Transcript of the quick start

Made by `tools/transcript.py`, which typed these commands on a clean Debian 12 (debootstrap's `minbase`, as root) with nothing but a copy of
this repository at `/srv/alphaswarm.git`; do not edit. What stands here is what was printed, apart from dates, ids and the registries'
addresses, which are made alike, and long lists of the same, which are cut at `…`. It took {minutes} minutes on a machine of two cores that
had other work to do{how}.

`make test` is not part of it: it takes about half an hour, and runs for every change.

"""


def prepare(tar: str, folder: pathlib.Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    subprocess.run(["tar", "-C", folder, "-xf", tar], check=True)
    subprocess.run(["git", "clone", "--quiet", "--bare", ROOT, folder / "srv/alphaswarm.git"], check=True)
    certificates = "etc/ssl/certs/ca-certificates.crt"
    shutil.copy(f"/{certificates}", folder / certificates)
    for name in ("etc/resolv.conf", "etc/hosts"):
        shutil.copy(f"/{name}", folder / name)


class Shell:
    """One bash in the root, with /proc, /dev and process numbers of its own; all of it ends with it."""

    def __init__(self, folder: pathlib.Path, ccache: str | None):
        mounts = f"mount -t proc proc {folder}/proc && mount --rbind /dev {folder}/dev && exec chroot {folder} bash"
        if ccache:
            (folder / "ccache").mkdir()
            mounts = f"mount --bind {ccache} {folder}/ccache && {mounts}"
        registries = {name: value for name, value in os.environ.items() if re.search("CERT|CA_BUNDLE|proxy$", name, re.I)}
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8",
                       "DEBIAN_FRONTEND": "noninteractive", **registries,
                       **({"CCACHE_DIR": "/ccache", "CCACHE_BASEDIR": "/root", "CCACHE_NOHASHDIR": "1"} if ccache else {})}
        self.process = subprocess.Popen(["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", mounts],
                                        env=environment, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.seen = ""
        self.say("set -m; cd /root")  # -m: Ctrl-C reaches a job as it does from a terminal
        self.until("@done@")

    def say(self, command: str, wait: bool = True) -> None:
        line = f"{{ {command}; }} </dev/null; echo @done@ $?\n" if wait else f"{command} </dev/null & up=$!\n"
        self.process.stdin.write(line.encode())
        self.process.stdin.flush()

    def until(self, word: str, limit: float = 3600) -> str:
        """What was printed up to the end of the line with this word."""
        deadline = time.monotonic() + limit
        while not (found := re.search(rf".*?{re.escape(word)}[^\n]*\n", self.seen, flags=re.S)):
            failed = "make: ***" in self.seen or self.process.poll() is not None
            if failed or time.monotonic() > deadline:
                raise SystemExit(f"waited for {word!r}:\n{self.seen}")
            if select.select([self.process.stdout], [], [], 1)[0]:
                more = os.read(self.process.stdout.fileno(), 65536).decode(errors="replace")
                print(more, end="", flush=True)
                self.seen += more
        self.seen = self.seen[found.end():]
        return found[0]

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def tidy(text: str) -> str:
    text = re.sub(r"@done@ (\d+)\n", "", text)
    text = re.sub(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "2026-01-01T00:00:00.000Z", text)
    ids: dict[str, str] = {}
    for long in re.findall(r"\b(?:[0-9a-f]{32}|[0-9a-f]{16}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b", text):
        number = f"{len(ids) + 1:032x}"
        uuid = f"{number[:8]}-{number[8:12]}-{number[12:16]}-{number[16:20]}-{number[20:]}"
        ids.setdefault(long, uuid if "-" in long else number[-len(long):])
    for long, short in ids.items():
        text = text.replace(long, short)
    text = re.sub(r"\b[a-z0-9.-]+\.(?:org|com|net|io|googleapis\.com)(?=/)", "mirror.example", text)
    return text


def shortened(text: str) -> str:
    """Of many lines of one kind, as a build and apt print them, the first and the last."""
    out: list[str] = []
    kinds: list[str] = []
    for line in text.splitlines():
        word = line.split()[0] if line.split() else ""
        kind = "ninja" if re.match(r"\s*\[\d+/\d+", line) else word if word in (
            "Get:", "Selecting", "Preparing", "Unpacking", "Setting", "Processing", "(Reading") or word.startswith("Get:") else ""
        kind = "apt" if kind and kind != "ninja" else kind
        if kind and len(kinds) > 1 and kinds[-1] == kinds[-2] == kind:
            out[-1] = line
            if len(kinds) > 2 and out[-2] != "…" and kinds[-3] == kind:
                out[-2] = "…"
            continue
        if kind and len(kinds) > 1 and kinds[-1] == kind:
            out.append("…")
            kinds.append(kind)
        out.append(line)
        kinds.append(kind)
    return "\n".join(out)


def main() -> int:
    folder = pathlib.Path(sys.argv[2]).resolve() / "transcript"
    ccache = sys.argv[3] if len(sys.argv) > 3 else None
    prepare(sys.argv[1], folder)
    began = time.monotonic()
    shell = Shell(folder, ccache)
    pages, trace, up = [], "", ""
    try:
        for command, word in STEPS:
            print(f"$ {command}", flush=True)
            if command == "Ctrl-C":
                shell.say("kill -INT -$up; wait $up")
                pages.append(("^C", shell.until("@done@", 60)))
                continue
            command = command.replace("TRACE", trace)
            shell.say(command, wait=word is None)
            text = shell.until(word or "@done@")
            if word is None and "@done@ 0" not in text:
                raise SystemExit(f"{command} failed")
            if found := re.search(r"/trace/([0-9a-f]{32})", text):
                trace = trace or found[1]
            pages.append((command, text))
    finally:
        shell.end()
    minutes = round((time.monotonic() - began) / 60)
    everything = "".join(f"\0{command}\n{text}" for command, text in pages)
    page = HEAD.format(minutes=minutes, how=", with the objects of an earlier build in the compiler's cache" if ccache else "")
    for part in tidy(everything).split("\0")[1:]:
        command, _, text = part.partition("\n")
        page += f"```text\n$ {command}\n{shortened(text)}".rstrip() + "\n```\n\n"
    (ROOT / "alphaswarm_docs/transcript.md").write_text(page.rstrip() + "\n")
    shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
