"""What each step costs against its size: `plumbline-cli bench` over one setting at a time.

    python3 tests/bench/sweep.py [--cli PROGRAM] [--model GGUF] [--repeats N] [--threads N] [--only SWEEP[=VALUE]]
                                 [--under COMMAND] [--json FILE] [--svg [FILE]] [--quick]

prints a table a sweep: tokens/s, seconds a step (the median), the most memory that was resident, what had been foretold
of it, and their ratio. A run that was refused, for it would not fit into the memory, keeps its row, and the refusal
stands below the table. Ctrl+C ends the sweep; what is measured by then is printed. --svg draws the same figures, by
default into resources/screenshots/bench.svg. --quick: the bundled model and few, small values, to try this script.

candidates   replies to one prompt of 40 tokens, 48 tokens each; 1 for sample only
reply        tokens of each of 8 replies
context      tokens of the prompt to 8 replies of 48. The prompt's pass is measured apart, with replies of one token:
             what a token more costs is the rest
rank         rank of LoRA on all linear layers; DPO, 4 pairs of 2 x 55 tokens
pairs        pairs of a DPO step of 2 x 55 tokens. A backward pass holds as many as make 192 rows, with AMX 384
pair-tokens  tokens of each reply of a DPO pair, and so of a backward pass
model        parameters. The two larger models have random weights in the shapes of SmolLM2-360M and SmolLM2-1.7B; they
             are made once, by random_model.py, with Python packages from an environment beside them

A step that works on more than 2048 tokens, and one of the larger models, is measured once.
"""

import argparse
import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import tempfile
from typing import NamedTuple

import peers
import sweep_plot
from peers import Failure, note

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DTYPES = peers.DTYPES
MANY_TOKENS = 2048


class Sweep(NamedTuple):
    name: str
    title: str
    axis: str  # with its unit
    option: str  # of bench; empty: the model
    works: tuple
    values: tuple
    quick: tuple


SWEEPS = [
    Sweep("candidates", "Candidates", "replies", "--candidates", ("sample", "rloo"), (1, 2, 4, 8, 16, 32), (1, 2, 4)),
    Sweep("reply", "Reply length", "tokens of a reply", "--max-new-tokens", ("sample", "rloo"),
          (16, 32, 64, 128, 256, 512), (16, 32, 64)),
    Sweep("context", "Context", "tokens of the prompt", "--prompt-tokens", ("sample",), (40, 128, 512, 1024, 1900),
          (40, 128)),
    Sweep("rank", "LoRA rank", "rank", "--lora-rank", ("dpo",), (4, 8, 16, 32, 64), (4, 16)),
    Sweep("pairs", "Pairs a step", "pairs", "--pairs", ("dpo",), (1, 2, 4, 8, 16), (1, 4)),
    Sweep("pair-tokens", "Length of a pair's replies", "tokens of a reply", "--pair-tokens", ("dpo",),
          (32, 64, 128, 256, 512), (32, 128)),
    Sweep("model", "Model size", "million parameters", "", ("sample", "dpo"), ("courtesy", "135M", "360M", "1.7B"),
          ("courtesy",)),
]


class Interrupted(Exception):
    pass


def run(command, threads):
    """Output of a process of its own group, or Failure with its last line of complaint."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as complaints:
        try:
            process = subprocess.Popen([str(part) for part in command], stdout=out, stderr=complaints,
                                       env=environment, start_new_session=True)
        except OSError as error:
            raise Failure(str(error)) from error
        try:
            process.wait()
        except KeyboardInterrupt:
            os.killpg(process.pid, signal.SIGINT)  # it stops at its next micro-step
            process.wait()
            raise Interrupted from None
        out.seek(0)
        complaints.seek(0)
        if process.returncode != 0:
            said = peers.tail(complaints.read(), 1).removeprefix("error: ").removeprefix("bench: ")
            raise Failure(said or f"exit code {process.returncode}")
        return out.read()


def last_object(text):
    try:
        return json.loads(text.strip().splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise Failure(f"no figures in its output {text[-200:]!r}") from error


class Models:
    """Paths and sizes of what the model sweep compares."""

    def __init__(self, cli, gguf, threads):
        self.cli, self.gguf, self.threads, self.folder = cli, gguf, threads, peers.cache().parent / "bench"
        self.parameters = {}

    def path(self, name):
        if name in ("courtesy", "135M"):
            return name if name == "courtesy" else self.gguf
        made = self.folder / f"random-{name}.gguf"
        if not made.exists():
            note(f"writing {made}")
            run([self.python(), HERE / "random_model.py", name, self.gguf, made], self.threads)
        return made

    def python(self):
        """One that has numpy and gguf: of the peers where they are installed, else of an environment made here."""
        for folder in (peers.cache() / "venv", self.folder / "venv"):
            if (folder / "installed.json").exists():
                return folder / "bin" / "python"
        pins = [pin for pin in peers.PINS if pin.startswith("gguf==")]
        note(f"installing {pins[0]} into {folder}")
        run([sys.executable, "-m", "venv", folder], self.threads)
        run([folder / "bin" / "python", "-m", "pip", "install", *pins], self.threads)
        (folder / "installed.json").write_text(json.dumps(pins))
        return folder / "bin" / "python"

    def millions(self, name):
        if name not in self.parameters:
            told = run([self.cli, "info", self.path(name), "--json"], self.threads)
            self.parameters[name] = last_object(told)["parameters"] / 1e6
        return self.parameters[name]


class Bench:
    def __init__(self, options, models):
        self.options, self.models = options, models

    def measure(self, work, model, dtype, repeats, extra):
        command = [*self.options.under, self.options.cli, "bench", work, model, "--dtype", dtype, "--threads",
                   self.options.threads, "--repeats", repeats, "--json", "--quiet", *extra]
        return last_object(run(command, self.options.threads))

    def repeats(self, sweep, work, value):
        candidates, reply = 8, 48
        if sweep.name == "candidates":
            candidates = value
        if sweep.name == "reply":
            reply = value
        tokens = candidates * reply if work == "rloo" else 8 * value if sweep.name == "pair-tokens" else 0
        return 1 if tokens > MANY_TOKENS or value in ("360M", "1.7B") else self.options.repeats

    def row(self, sweep, work, value, dtype):
        """One row's figures, or its refusal."""
        out = {"sweep": sweep.name, "work": work, "value": value, "dtype": dtype}
        try:
            if sweep.option:
                model = "courtesy" if self.options.quick else self.options.model
                extra, out["x"] = [sweep.option, value], value
            else:
                model, extra, out["x"] = self.models.path(value), [], self.models.millions(value)
            repeats = self.repeats(sweep, work, value)
            done = self.measure(work, model, dtype, repeats, extra)
            out.update({"tokens_per_s": done["tokens_per_s"], "step_s": done["step_s"]["median"],
                        "peak_mb": done["rss_mb"], "forecast_mb": done["forecast_mb"],
                        "ratio": done["rss_mb"] / done["forecast_mb"], "repeats": repeats})
            if sweep.name == "context":
                first = self.measure(work, model, dtype, repeats, [*extra, "--max-new-tokens", 1])["step_s"]["median"]
                out.update({"prompt_s": first, "token_ms": 1000 * (out["step_s"] - first) / 47})
        except Failure as failure:
            out["refusal"] = str(failure)
        return out


def figure(value):
    """Three digits, or a whole number."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def cells_of(row, name):
    if row is None:
        return [""] * (7 if name == "context" else 5)
    if "refusal" in row:
        return ["failed" if row["refusal"].startswith("exit code") else "refused"] + [""] * (6 if name == "context" else 4)
    cells = [figure(row["tokens_per_s"]), figure(row["step_s"])]
    if name == "context":
        cells += [figure(row["prompt_s"]), figure(row["token_ms"])]
    return cells + [figure(row["peak_mb"]), figure(row["forecast_mb"]), f"{row['ratio']:.2f}"]


def table(sweep, rows):
    """A line each work and value, f32 and bf16 side by side; refusals below."""
    columns = ["tokens/s", "step (s)"] + (["prompt (s)", "8 tokens (ms)"] if sweep.name == "context" else []) + [
        "peak (MiB)", "foretold", "ratio"]
    lines = [["work", sweep.axis if sweep.option else "model"] +
             [f"{dtype} {column}" if i == 0 else column for dtype in DTYPES for i, column in enumerate(columns)]]
    found = {(row["work"], row["value"], row["dtype"]): row for row in rows}
    for work, value in dict.fromkeys((row["work"], row["value"]) for row in rows):
        lines.append([work, str(value)] +
                     [cell for dtype in DTYPES for cell in cells_of(found.get((work, value, dtype)), sweep.name)])
    widths = [max(3, *map(len, column)) for column in zip(*lines)]
    lines.insert(1, ["-" * width for width in widths])
    text = "\n".join("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
                     for line in lines)
    refused = [f"- {row['work']} {row['value']} {row['dtype']}: {row['refusal']}" for row in rows if "refusal" in row]
    return f"### {sweep.title}\n\n{text}\n" + ("\n" + "\n".join(refused) + "\n" if refused else "")


def chosen(options):
    """(sweep, work, value, dtype) of every row, in order."""
    wanted = [text.partition("=") for text in options.only or []]
    for sweep in SWEEPS:
        values = sweep.quick if options.quick else sweep.values
        for work in sweep.works:
            for value in values:
                if wanted and not any(name == sweep.name and rest in ("", str(value)) for name, _, rest in wanted):
                    continue
                if work == "rloo" and sweep.name == "candidates" and value < 2:
                    continue
                for dtype in DTYPES:
                    if value in ("360M", "1.7B") and dtype == "f32":
                        continue
                    yield sweep, work, value, dtype


def parse():
    parser = argparse.ArgumentParser(description="What each step costs against its size.")
    parser.add_argument("--cli", type=pathlib.Path, default=ROOT / "build" / "release" / "bin" / "plumbline-cli",
                        help="plumbline-cli (default: that of build/release)")
    parser.add_argument("--model", type=pathlib.Path, default=peers.default_model(),
                        help=f"default: the installed {peers.MODEL}")
    parser.add_argument("--repeats", type=int, default=3, help="measured steps of a row (default 3)")
    parser.add_argument("--threads", type=int, default=2, help="default 2")
    parser.add_argument("--only", action="append", metavar="SWEEP[=VALUE]",
                        help=f"one sweep, or one value of it; may be repeated: {', '.join(s.name for s in SWEEPS)}")
    parser.add_argument("--under", type=shlex.split, default=[], metavar="COMMAND",
                        help="put before every process that is measured, for instance 'taskset -c 0,1'")
    parser.add_argument("--quick", action="store_true", help="the bundled model, few values, one repeat")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument("--svg", type=pathlib.Path, nargs="?", metavar="FILE",
                        const=ROOT / "resources" / "screenshots" / "bench.svg", help="draw them there")
    options = parser.parse_args()
    options.repeats = 1 if options.quick else options.repeats
    if options.repeats < 1 or options.threads < 1:
        parser.error("--repeats and --threads are at least 1")
    for text in options.only or []:
        name, _, value = text.partition("=")
        known = {sweep.name: sweep.quick if options.quick else sweep.values for sweep in SWEEPS}
        if name not in known or value and value not in map(str, known[name]):
            parser.error(f"--only: there is no {text}; choose "
                         + "; ".join(f"{sweep}={'|'.join(map(str, values))}" for sweep, values in known.items()))
    for path in (options.json, options.svg):
        if path and not path.resolve().parent.is_dir():
            parser.error(f"there is no folder {path.resolve().parent}")
    return options


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    options = parse()
    if not options.cli.is_file():
        note(f"sweep: {options.cli} does not exist; build it, or choose one with --cli")
        return 1
    if not options.quick and not options.model.is_file():
        note(f"sweep: {options.model} does not exist; install it with packaging/install.sh, or choose one with --model")
        return 1
    options.cli, options.model = options.cli.resolve(), options.model.resolve()
    signal.signal(signal.SIGTERM, interrupt)
    bench = Bench(options, Models(options.cli, options.model, options.threads))
    rows, code, planned = [], 0, list(chosen(options))
    try:
        for i, (sweep, work, value, dtype) in enumerate(planned):
            note(f"{i + 1} of {len(planned)}: {sweep.name} {value}, {work} {dtype}")
            rows.append(bench.row(sweep, work, value, dtype))
    except (Interrupted, KeyboardInterrupt):
        note(f"stopped after {len(rows)} of {len(planned)} rows")
        code = 130
    for sweep in SWEEPS:
        of_sweep = [row for row in rows if row["sweep"] == sweep.name]
        if of_sweep:
            print(table(sweep, of_sweep))
    machine = peers.this_machine(options.threads)
    model = "courtesy" if options.quick else options.model.name
    print(f"Ratio: measured over foretold. {model}, {machine['threads']} threads, {machine['processor']}, "
          f"{machine['cores']} cores, {machine['system']}.")
    if options.json:
        options.json.write_text(json.dumps({"rows": rows, "machine": machine, "model": model}, indent=1) + "\n")
    if options.svg and rows:
        options.svg.write_text(sweep_plot.draw(SWEEPS, rows))
    return code


if __name__ == "__main__":
    sys.exit(main())
