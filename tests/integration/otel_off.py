"""With ALPHASWARM_OTEL=OFF a function with spans has the instructions of the bare one, and so has
what traced() returns. Usage: otel_off.py COMPILER SOURCE_FOLDER"""

import pathlib
import re
import subprocess
import sys
import tempfile

SOURCE = """
#include "alphaswarm/observability/tracing.hpp"
namespace otel = alphaswarm::observability;
long work(long);
extern "C" long bare(long a, long b) { return work(a) + work(b) * a; }
extern "C" long with_spans(long a, long b) {
  otel::Span span = otel::span("work", {{"a", a}, {"symbol", "AAPL"}});
  span.set("b", b).event("half", {{"b", b}}).status(otel::StatusCode::ok);
  const long first = work(a);
  otel::set_on_current("first", first);
  const long second = work(b);
  span.end();
  return first + second * a;
}
extern "C" long bare_call(long a) { return work(a); }
extern "C" long traced_call(long a) {
  const auto call = otel::traced("work", [](long b) { return work(b); });
  return call(a);
}
"""


def instructions(text, function):
    body = re.search(rf"<{function}>:\n(.*?)\n(?:\n|$)", text, re.S).group(1)
    # Addresses differ; an operation and its operands do not.
    lines = [re.sub(r"\s+", " ", re.sub(r"<.*?>|#.*", "", line.split("\t", 1)[1])) for line in body.splitlines() if "\t" in line]
    return [re.sub(r"^(j\w+|call\w*) [0-9a-f]+", r"\1", line.strip()) for line in lines if "nop" not in line]


def main():
    compiler, root = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as folder:
        source, output = pathlib.Path(folder, "off.cpp"), pathlib.Path(folder, "off.o")
        source.write_text(SOURCE)
        texts = {}
        for mode in "01":
            subprocess.run([compiler, "-std=c++23", "-O2",
                            f"-DALPHASWARM_OTEL={mode}", f"-I{root}", "-c", source, "-o", output], check=True)
            texts[mode] = subprocess.run(["objdump", "-d", "--no-show-raw-insn", output], check=True,
                                         stdout=subprocess.PIPE, text=True).stdout
        for plain, traced in (("bare", "with_spans"), ("bare_call", "traced_call")):
            want, found = instructions(texts["0"], plain), instructions(texts["0"], traced)
            if want != found:
                sys.exit(f"{traced} is not {plain}:\n" + "\n".join(found) + "\n\nbut\n\n" + "\n".join(want))
            if instructions(texts["1"], traced) == want:
                sys.exit(f"{traced} is {plain} even where tracing is built in: this test sees nothing")
    print("otel_off: the same instructions")


if __name__ == "__main__":
    main()
