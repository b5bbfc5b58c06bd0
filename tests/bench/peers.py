"""Plumbline's speed and memory beside what a user would pick instead, on one machine, in one run.

    python3 tests/bench/peers.py [--cli PROGRAM] [--model GGUF] [--runs N] [--threads N] [--only NAME] [--json FILE]

installs llama.cpp (compiled here, for this processor), TRL, transformers and peft into an environment of its own
(6 GB; up to 20 minutes the first time) and runs both sides in turn: for each line of the table the peer, then
plumbline-cli in f32, then in bf16, and all of it --runs times. A ratio is of figures of the same run, above 1 where
Plumbline is ahead; the table has its median over the runs and its range. A line is `ok` where all runs reach the
target, `short` where none does. Exit code: 0 with a table, targets reached or not; 1 when a side failed; 2 for wrong
usage.

What is measured, each after one that warms up and is not counted:

sample8, sample2   median of five batches: 8 or 2 replies of 48 tokens to a prompt of 40, the prompt's pass included.
                   llama.cpp: Q4_1 as it is in the file, one batch, the prompt read once for all sequences, top-k 40
                   (its default), top-p 0.95, temperature 0.9. Plumbline's default has no top-k and so more to do; the
                   lines without a target give llama.cpp the same.
dpo, reward        median of three steps on 4 pairs of 2 x 55 tokens, the reference's pass included.
rloo, grpo         median of three steps: 8 samples of 48 tokens to a prompt of 40, log-probabilities of policy and
                   reference, gradient, optimiser. KL: GRPO k3 in the loss, RLOO k1 in the reward, on both sides.
                   TRL: f32, LoRA r 16 on all linear layers, no gradient checkpointing (slower, less memory), the
                   attention that transformers chooses; timed by its callbacks, so without its logging.
memory             of the dpo and rloo lines' processes: the most they ever had resident.
start              from the program's start to its first output, one token from the GGUF file: median of three, the
                   files in memory. transformers: Python and its imports are part of it, and so is the conversion of
                   the file; the last line, which has no target, gives it the converted weights instead.
"""

import argparse
import json
import os
import pathlib
import platform
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PINS = ["torch==2.15.0", "transformers==5.23.0", "trl==1.16.0", "peft==0.21.2", "accelerate==1.15.0", "datasets==5.2.0",
        "gguf==0.19.0", "llama-cpp-python==0.3.36"]
MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"
NAMES = ("sample8", "sample2", "dpo", "reward", "rloo", "grpo", "start")
DTYPES = ("f32", "bf16")
# (line, the run that it is part of, work, peer, unit, more is better, targets in f32 and bf16)
LINES = [
    ("sample8", "sample8", "sampling, 8 x 48 tokens", "llama.cpp Q4_1, top-k 40", "tokens/s", True, (1.7, 2.5)),
    ("sample2", "sample2", "sampling, 2 x 48 tokens", "llama.cpp Q4_1, top-k 40", "tokens/s", True, (0.9, 1.3)),
    ("sample8_whole", "sample8", "8 x 48, as Plumbline truncates", "llama.cpp Q4_1", "tokens/s", True, (None, None)),
    ("sample2_whole", "sample2", "2 x 48, as Plumbline truncates", "llama.cpp Q4_1", "tokens/s", True, (None, None)),
    ("dpo", "dpo", "DPO step, 4 pairs", "TRL f32", "s", False, (3, 5)),
    ("reward", "reward", "reward-model step, 4 pairs", "TRL f32", "s", False, (2.5, 4)),
    ("rloo", "rloo", "RLOO step, 8 x 48", "TRL f32", "s", False, (4, 7)),
    ("grpo", "grpo", "GRPO step, 8 x 48, k3 KL", "TRL f32", "s", False, (4, 7)),
    ("dpo_peak", "dpo", "peak memory, DPO", "TRL f32", "MB", False, (2, 3)),
    ("rloo_peak", "rloo", "peak memory, RLOO", "TRL f32", "MB", False, (2, 3)),
    ("start", "start", "start to first token, GGUF", "transformers f32", "s", False, (5, 5)),
    ("start_converted", "start", "the same, the peer from safetensors", "transformers f32", "s", False, (None, None)),
]


class Failure(Exception):
    pass


class Crash(Failure):
    """A process ended by a signal."""


def cache():
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "plumbline" / "peers"


def default_model():
    data = os.environ.get("PLUMBLINE_DATA_DIR")
    share = os.environ.get("XDG_DATA_HOME") or pathlib.Path.home() / ".local" / "share"
    return (pathlib.Path(data) if data else pathlib.Path(share) / "plumbline") / "models" / MODEL


def note(text):
    print(text, file=sys.stderr, flush=True)


def install(folder):
    """Returns the Python of the environment in `folder`, made new unless it has all of PINS, for this processor."""
    python, stamp = folder / "bin" / "python", folder / "installed.json"
    wanted = {"pins": PINS, "processor": processor("flags")}
    if stamp.exists() and json.loads(stamp.read_text()) == wanted:
        return python
    for tool in ("g++", "cmake"):
        if not shutil.which(tool):
            raise Failure(f"install peers: {tool} is missing, and llama.cpp is compiled here; install it")
    note(f"installing {', '.join(PINS)} into {folder}")
    shutil.rmtree(folder, ignore_errors=True)
    log = folder.with_suffix(".log")
    folder.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "CMAKE_ARGS": "-DGGML_NATIVE=ON -DLLAVA_BUILD=OFF"}
    environment.setdefault("CMAKE_BUILD_PARALLEL_LEVEL", str(os.cpu_count()))
    with log.open("w") as out:
        for command in ([sys.executable, "-m", "venv", folder],
                        [python, "-m", "pip", "install", "--no-binary", "llama-cpp-python", *PINS]):
            try:
                done = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, env=environment).returncode
            except OSError as error:
                raise Failure(f"install peers: {command[0]} did not start: {error}") from error
            if done != 0:
                raise Failure(f"install peers: {shlex.join(map(str, command))} failed; its output is in {log} and "
                              f"ends with\n{tail(log.read_text())}")
    stamp.write_text(json.dumps(wanted))
    return python


def tail(text, lines=8):
    return "\n".join(text.replace("\r", "\n").strip().splitlines()[-lines:])


class Machine:
    """Starts processes, each with the same threads and behind the same --under."""

    def __init__(self, under, threads):
        self.under, self.threads = under, threads
        self.environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads),
                            "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "false",
                            "CUDA_VISIBLE_DEVICES": ""}

    def figures(self, what, command, measured=True):
        """The last line of the output, which is JSON, and `peak_mb`: the most that the process had resident."""
        under = self.under if measured else []
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as complaints:
            try:
                process = subprocess.Popen(under + [str(part) for part in command], stdout=out, stderr=complaints,
                                           env=self.environment)
            except OSError as error:
                raise Failure(f"{what}: {error}") from error
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            complaints.seek(0)
            lines = out.read().strip().splitlines()
            if process.returncode != 0:
                kind = Crash if process.returncode < 0 else Failure
                raise kind(f"{what}: exit code {process.returncode}\n{tail(complaints.read())}")
        try:
            figures = json.loads(lines[-1])
        except (IndexError, ValueError) as error:
            raise Failure(f"{what}: no figures in its output {lines[-1:]}") from error
        return {**figures, "peak_mb": usage.ru_maxrss / 1024}


class Peers:
    def __init__(self, machine, python, gguf):
        self.machine, self.gguf = machine, gguf
        self.work = [python, HERE / "peers_work.py"]
        self.weights = cache() / "weights"
        self.versions = machine.figures("peers' versions", self.work + ["versions"], measured=False)
        self.versions.pop("peak_mb")
        self.repacked = True

    def trainable_weights(self):
        source = self.weights / "source.json"
        stat = self.gguf.stat()
        identity = [str(self.gguf), stat.st_size, int(stat.st_mtime)]
        if not source.exists() or json.loads(source.read_text()) != identity:
            note("writing the model's weights in f32 for TRL")
            shutil.rmtree(self.weights, ignore_errors=True)
            self.machine.figures("dequantise", self.work + ["dequantise", self.gguf, self.weights],
                                 measured=False)
            source.write_text(json.dumps(identity))
        return self.weights

    def sample(self, sequences):
        """llama.cpp repacks weights for some processors; 0.3.36 crashes with those that it repacks for AMX."""
        def figures():
            return self.machine.figures("llama.cpp", self.work + ["sample", self.gguf, sequences, 48,
                                                                  self.machine.threads, int(self.repacked)])
        try:
            return figures()
        except Crash:
            if not self.repacked:
                raise
            note("llama.cpp crashed with repacked weights; from here on it runs without")
            self.repacked = False
            return figures()

    def measure(self, name):
        threads = self.machine.threads
        if name.startswith("sample"):
            done = self.sample(name[6:])
            return {name: done["tokens_per_s"], name + "_whole": done["whole_vocabulary"]}
        if name == "start":
            return {line: self.machine.figures("transformers", self.work + ["starts", 3, *self.work, "first-token",
                                                                            weights, threads])["seconds"]
                    for line, weights in ((name, self.gguf), ("start_converted", self.trainable_weights()))}
        done = self.machine.figures(f"TRL {name}", self.work + ["train", name, self.trainable_weights(), threads])
        return {name: done["step_s"], name + "_peak": done["peak_mb"]}


class Plumbline:
    def __init__(self, machine, cli, gguf):
        self.machine, self.cli, self.gguf = machine, cli, gguf

    def measure(self, name, dtype):
        arguments = ["--dtype", dtype, "--threads", self.machine.threads, "--json", "--quiet"]
        what = f"plumbline-cli {name} {dtype}"
        if name == "start":
            command = [self.cli, "generate", self.gguf, "--prompt", "The sky is", "--max-new-tokens", 1,
                       "--temperature", 0, *arguments]
            done = self.machine.figures(what, [sys.executable, HERE / "peers_work.py", "starts", 3, *command])
            return {name: done["seconds"], "start_converted": done["seconds"]}
        sampling = name.startswith("sample")
        work, repeats = ("sample", 5) if sampling else (name, 3)
        replies = name[6:] if sampling else 8
        done = self.machine.figures(what, [self.cli, "bench", work, self.gguf, "--repeats", repeats, "--candidates",
                                           replies, "--max-new-tokens", 48, *arguments])
        if (done["threads"], done["dtype"]) != (self.machine.threads, dtype):
            raise Failure(f"{what}: it ran with {done['threads']} threads in {done['dtype']}")
        if sampling:
            return {name: done["tokens_per_s"], name + "_whole": done["tokens_per_s"]}
        return {name: done["step_s"]["median"], name + "_peak": done["peak_mb"]}


def processor(what="model name"):
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(what):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def figure(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def verdict(ratios, target):
    if target is None:
        return ""
    reached = sum(ratio >= target for ratio in ratios)
    return "ok" if reached == len(ratios) else "short" if reached == 0 else f"{reached} of {len(ratios)}"


def evaluate(runs, peer_runs):
    """One entry a line that was measured: medians over the runs, ratios of each run."""
    lines = []
    for name, _, work, peer, unit, more, targets in LINES:
        if not all(name in run["f32"] for run in runs):
            continue
        theirs = [run[name] for run in peer_runs]
        line = {"name": name, "work": work, "peer": peer, "unit": unit, "peer_figure": statistics.median(theirs)}
        for dtype, target in zip(DTYPES, targets):
            ours = [run[dtype][name] for run in runs]
            ratios = [a / b if more else b / a for a, b in zip(ours, theirs)]
            line[dtype] = {"figure": statistics.median(ours), "ratios": ratios, "ratio": statistics.median(ratios),
                           "target": target, "verdict": verdict(ratios, target)}
        lines.append(line)
    return lines


def table(lines):
    rows = [["work", "peer", "peer's figure", "Plumbline f32", "ratio", "target", "", "bf16", "ratio", "target", ""]]
    for line in lines:
        row = [line["work"], line["peer"], f"{figure(line['peer_figure'])} {line['unit']}"]
        for dtype in DTYPES:
            side = line[dtype]
            spread = f" ({min(side['ratios']):.2f}..{max(side['ratios']):.2f})" if len(side["ratios"]) > 1 else ""
            row += [f"{figure(side['figure'])} {line['unit']}", f"{side['ratio']:.2f}{spread}",
                    "" if side["target"] is None else f"{side['target']:g}", side["verdict"]]
        rows.append(row)
    widths = [max(3, *map(len, column)) for column in zip(*rows)]
    rows.insert(1, ["-" * width for width in widths])
    return "\n".join("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows)


def parse():
    root = HERE.parents[1]
    parser = argparse.ArgumentParser(description="Plumbline beside llama.cpp, TRL and transformers.")
    parser.add_argument("--cli", type=pathlib.Path, default=root / "build" / "release" / "bin" / "plumbline-cli",
                        help="plumbline-cli (default: that of build/release)")
    parser.add_argument("--model", type=pathlib.Path, default=default_model(), help=f"default: the installed {MODEL}")
    parser.add_argument("--runs", type=int, default=3, help="of everything (default 3)")
    parser.add_argument("--threads", type=int, default=2, help="of each side (default 2)")
    parser.add_argument("--only", action="append", choices=NAMES, help="one part of the table; may be repeated")
    parser.add_argument("--venv", type=pathlib.Path, help="an environment that has the peers; nothing is installed")
    parser.add_argument("--under", type=shlex.split, default=[], metavar="COMMAND",
                        help="put before every process that is measured, for instance 'taskset -c 0,1'")
    parser.add_argument("--skip-peers", type=pathlib.Path, metavar="FILE", help="take the peers' figures of a --json")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write figures and ratios there as well")
    options = parser.parse_args()
    if options.runs < 1 or options.threads < 1:
        parser.error("--runs and --threads are at least 1")
    if options.json and not options.json.resolve().parent.is_dir():
        parser.error(f"--json: there is no folder {options.json.resolve().parent}")
    return options


def load_peers(path, here):
    try:
        earlier = json.loads(path.read_text())
        runs, versions, there = earlier["runs"], earlier["versions"], earlier["machine"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failure(f"--skip-peers: {path} is not what --json writes: {error!r}") from error
    for name in ("processor", "cores", "threads"):
        if there.get(name) != here[name]:
            raise Failure(f"--skip-peers: {path} was measured with {name} {there.get(name)}, now it is {here[name]}; "
                          f"measure the peers anew")
    return runs, versions


def this_machine(threads):
    return {"processor": processor(), "cores": os.cpu_count(), "threads": threads,
            "system": f"{platform.system()} {platform.release()}"}


def measure(options):
    for path, remedy in ((options.cli, "build it, or choose one with --cli"),
                         (options.model, "install it with packaging/install.sh, or choose one with --model")):
        if not path.is_file():
            raise Failure(f"peers: {path} does not exist; {remedy}")
    names = [name for name in NAMES if not options.only or name in options.only]
    machine = Machine(options.under, options.threads)
    ours = Plumbline(machine, options.cli.resolve(), options.model.resolve())
    if options.skip_peers:
        earlier, versions = load_peers(options.skip_peers, this_machine(options.threads))
    else:
        python = options.venv / "bin" / "python" if options.venv else install(cache() / "venv")
        peers = Peers(machine, python, options.model.resolve())
        versions = peers.versions
    runs = []
    for i in range(options.runs):
        run = {"peer": {}, "f32": {}, "bf16": {}}
        for name in names:
            note(f"run {i + 1} of {options.runs}: {name}")
            if options.skip_peers:
                known = earlier[i % len(earlier)]["peer"]
                run["peer"].update({line[0]: known[line[0]] for line in LINES if line[1] == name and line[0] in known})
                if name not in run["peer"]:
                    raise Failure(f"--skip-peers: {options.skip_peers} has no figure for {name}")
            else:
                run["peer"].update(peers.measure(name))
            for dtype in DTYPES:
                run[dtype].update(ours.measure(name, dtype))
        runs.append(run)
    return {"lines": evaluate(runs, [run["peer"] for run in runs]), "runs": runs, "versions": versions,
            "machine": this_machine(options.threads),
            "model": options.model.name, "peers_measured": not options.skip_peers}


def main():
    options = parse()
    try:
        result = measure(options)
    except Failure as failure:
        note(str(failure))
        return 1
    print(table(result["lines"]))
    machine = result["machine"]
    print(f"\nRatio: above 1 Plumbline is ahead; median of the runs (range), {len(result['runs'])} of them. "
          f"{result['model']}, {machine['threads']} threads, {machine['processor']}, {machine['cores']} cores, "
          f"{machine['system']}. "
          + ", ".join(f"{name} {version}" for name, version in result["versions"].items())
          + ("." if result["peers_measured"] else "; the peers' figures are of an earlier run."))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
