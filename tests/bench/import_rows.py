#!/usr/bin/env python3
"""How long preference files take on their way into a project and out again, and how much memory.

    python3 tests/bench/import_rows.py [ROWS] [PLUMBLINE_CLI]

makes files of ROWS pairs (100,000) and of a tenth of them, imports each into a new project of the bundled model, exports it,
and prints seconds and the peak of resident memory. Memory does not grow with the rows.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(*words):
    start = time.monotonic()
    with subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        out = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = status
    peak = usage.ru_maxrss // 1024
    if status != 0:
        sys.exit(f"{' '.join(map(str, words))} ended with {status}")
    return json.loads(out.splitlines()[-1]), time.monotonic() - start, peak


def write_rows(path, rows):
    words = "the parcel came late again and nobody could say why it had been sent to another town ".split()
    with path.open("w", encoding="utf-8") as file:
        for i in range(rows):
            chosen = " ".join(words[(i + k) % len(words)] for k in range(60))
            rejected = " ".join(words[(i * 7 + k * 3) % len(words)] for k in range(60))
            file.write(json.dumps({"prompt": f"Question {i}: where is it?", "chosen": chosen, "rejected": rejected}) + "\n")
    return path.stat().st_size / 2**20


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    cli = sys.argv[2] if len(sys.argv) > 2 else ROOT / "build" / "release" / "bin" / "plumbline-cli"
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for count in (rows // 10, rows):
            size = write_rows(folder / "rows.jsonl", count)
            project = folder / f"{count}.plumb"
            (folder / "one.jsonl").write_text('{"prompt":"p","chosen":"c","rejected":"r"}\n')
            run(cli, "import", project, "--preferences", folder / "one.jsonl", "--model", "courtesy", "--json")
            result, seconds, peak = run(cli, "import", project, "--preferences", folder / "rows.jsonl", "--json")
            print(f"import {result['rows']} rows, {size:.0f} MiB: {seconds:.1f} s, {peak} MiB at its peak")
            result, seconds, peak = run(cli, "export", project, "--as", "trl", "--out", folder / "out.jsonl", "--json")
            print(f"export {result['rows']} rows: {seconds:.1f} s, {peak} MiB at its peak")


if __name__ == "__main__":
    main()
