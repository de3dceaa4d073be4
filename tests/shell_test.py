#!/usr/bin/env python3
"""Completion in real shells, and man pages through the programs that read them.

usage: shell_test.py ALPHASWARM
"""
import os
import pathlib
import pty
import re
import select
import subprocess
import sys
import tempfile
import time

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
failures: list[str] = []

# What is typed, and what is offered for its last word: the shells must agree with the command line.
CASES = [
    ("alphaswarm pa", ["paper"]),
    ("alphaswarm paper ", ["run"]),
    ("alphaswarm trace ", ["get", "list", "tree"]),
    ("alphaswarm trace tree --a", ["--all"]),
    ("alphaswarm trace --url list l", ["list"]),  # `list` is the value of --url here
    ("alphaswarm --env-file up tr", ["trace"]),
    ("alphaswarm completion ", ["bash", "fish", "zsh"]),
    ("alphaswarm collector --config coll", ["collector.yaml"]),
    ("alphaswarm up --data-dir fol", ["folder"]),
]


def check(shell: str, line: str, got: list[str], wanted: list[str]) -> None:
    if got != wanted:
        failures.append(f"{shell}: {line!r} offers {got}, not {wanted}")


def run(*command: str, **more) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, **more).stdout


def words(text: str) -> list[str]:
    """Bare candidates: without descriptions and the slash of a folder."""
    return sorted({line.split("\t")[0].rstrip("/ ") for line in text.splitlines() if line.strip()})


def bash(folder: str) -> None:
    script = f"""source {folder}/alphaswarm || exit
        compopt() {{ :; }}  # works only while bash itself completes
        complete_line() {{
          COMP_LINE=$1 COMP_POINT=${{#1}}
          read -r -a COMP_WORDS <<<"$1"
          [[ $1 == *' ' ]] && COMP_WORDS+=('')
          COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)) COMPREPLY=()
          $(complete -p alphaswarm | sed 's/.*-F \\([^ ]*\\).*/\\1/')
          printf '%s\\n' "${{COMPREPLY[@]}}"
        }}
        complete_line "$1" """
    for line, wanted in CASES:
        check("bash", line, words(run("bash", "-c", script, "bash", line, cwd=folder)), wanted)
    # What bash makes of --data-dir=fol.
    split = f"source {folder}/alphaswarm; compopt() {{ :; }}; COMP_WORDS=(alphaswarm up --data-dir = fol)" \
            " COMP_CWORD=4; _alphaswarm; printf '%s\\n' \"${COMPREPLY[@]}\""
    check("bash", "alphaswarm up --data-dir=fol", words(run("bash", "-c", split, cwd=folder)), ["folder"])


def fish(folder: str) -> None:
    for line, wanted in CASES:
        out = run("fish", "--no-config", "-c", f"source {folder}/alphaswarm.fish; complete -C \"$argv[1]\"", line,
                  cwd=folder, env={**os.environ, "HOME": folder})
        check("fish", line, words(out), wanted)


class Terminal:
    """A shell on a pseudo terminal: zsh completes only for someone who types."""

    def __init__(self, command: list[str], folder: str):
        self.process, self.fd = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, {"PATH": os.environ["PATH"], "HOME": folder, "TERM": "dumb"})

    def send(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def until(self, pattern: str, limit: float = 20) -> str:
        seen, deadline = "", time.monotonic() + limit
        while not re.search(pattern, seen):
            if time.monotonic() > deadline or not select.select([self.fd], [], [], limit)[0]:
                raise TimeoutError(f"waited for {pattern}, saw {seen!r}")
            seen += os.read(self.fd, 4096).decode(errors="replace")
        return seen

    def close(self) -> None:
        os.close(self.fd)
        os.waitpid(self.process, 0)


# Instead of showing the candidates, print them; then leave the line.
ZSH = r"""
unsetopt zle_bracketed_paste; PS1='READY'; fpath=(%s $fpath)
autoload -U compinit && compinit -u -D
zstyle ':completion:*' list-colors ''
compadd () {
  local -a hits; local at
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
  builtin compadd -A hits "$@"
  for at in $hits; do print -r -- "OFFER:${at}:END"; done
}
report () { zle complete-word; print -r -- "OFFERED"; zle kill-whole-line }
zle -N report; bindkey '^I' complete-word '^X' report
"""


def zsh(folder: str) -> None:
    start = pathlib.Path(folder, "start.zsh")
    start.write_text(ZSH % folder)
    terminal = Terminal(["zsh", "-f", "-i"], folder)
    try:
        terminal.send(f"source {start}; print -r -- LOA''DED\n")
        terminal.until("LOADED")
        for line, wanted in CASES:
            terminal.send(line + "\x18")
            seen = terminal.until("OFFERED\r?\n")
            check("zsh", line, sorted({word.rstrip("/") for word in re.findall("OFFER:(.*?):END", seen)}), wanted)
    finally:
        terminal.close()


def man_pages(folder: str) -> None:
    pages = sorted(pathlib.Path(folder, "man").glob("*.1"))
    for page in pages:
        # No date in the heading: the same program makes the same page.
        lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True).stdout
        lint = "\n".join(line for line in lint.splitlines() if "missing date" not in line)
        done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", page], text=True, capture_output=True,
                              env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
        if lint or done.stderr or done.returncode:
            failures.append(f"{page.name}: {lint} {done.stderr}")
    # A page for each command there is, and what the help says is in it.
    commands = [[]]
    for command in commands:
        text = run(BINARY, *command, "--help")
        name = "-".join(["alphaswarm", *command])
        page = pathlib.Path(folder, "man", name + ".1")
        if not page.exists():
            failures.append(f"no man page {name}")
            continue
        rendered = re.sub(".\b", "", run("mandoc", "-T", "utf8", page))
        for option in re.findall(r"^  (?:-\w,)?(--[\w-]+)", text, flags=re.M):
            if option not in rendered:
                failures.append(f"{name}(1) has no {option}")
        below = text.partition("Subcommands:\n")[2]
        commands += [[*command, word] for word in re.findall(r"^  (\w+)", below, flags=re.M)]
    if len(pages) != len(commands):
        failures.append(f"{len(pages)} man pages for {len(commands)} commands")


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        for shell, name in (("bash", "alphaswarm"), ("zsh", "_alphaswarm"), ("fish", "alphaswarm.fish")):
            pathlib.Path(folder, name).write_text(run(BINARY, "completion", shell))
        pathlib.Path(folder, "man").mkdir()
        run(BINARY, "man", "--output", f"{folder}/man")
        pathlib.Path(folder, "folder").mkdir()
        pathlib.Path(folder, "collector.yaml").touch()
        for part in (bash, fish, zsh, man_pages):
            part(folder)
    print("\n".join(failures) or f"{len(CASES)} lines complete alike in bash, zsh and fish; man pages are clean")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
