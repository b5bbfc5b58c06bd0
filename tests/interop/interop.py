"""Round trips with the programs that others use: what Plumbline writes, read by them, and what they write, read by it.

    python3 tests/interop/interop.py [--cli PROGRAM] [--model MODEL]... [--venv FOLDER] [--keep FOLDER]

takes the environment that tests/bench/peers.py makes for itself (peft, transformers, TRL, llama.cpp; 6 GB, up to 20
minutes the first time) and prints a table: what was tried, on which model, with which tool, how far the two sides were
apart and how far they may be. Log-probabilities are of each token of fixed replies, in nats; a greedy reply has 24
tokens. llama.cpp may leave our reply where the two best tokens tie: where, by our own log-probabilities on that file,
they are within 0.01 nats in F16, within 0.25 in the quantised types. There llama.cpp rounds activations to 8 bits: on
SmolLM2 in Q8_0 its log-probabilities are up to 0.13 nats from those of the same weights in f32, and as far from its own
when it reads a text in one batch instead of token by token. A session's exported script is run by TRL, and its margins
(chosen less rejected log-probability) must grow on three quarters of the session's pairs. Unless models are named, the
tiny models of tests/golden are trained too, all weights of each family that llama.cpp has, and read by it. Exit code: 0
when everything agrees, 1 when something does not, 2 for wrong usage.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests" / "bench"))
import peers  # noqa: E402  (its environment, its pins)

MODELS = ("courtesy", "smollm2-135m-instruct")
SCRIPTS = ("dpo", "kto", "rloo", "online-dpo")   # exported and run on the first model
QUESTION = "How do I make a cup of tea?"
TEXTS = ["Hello, world! 123 4567\n\n  x  ", "naïve café — “quotes” …", "שלום עולם", "def f(x):\n\treturn x**2",
         "日本語 한국어", "\U0001f469\u200d\U0001f469\u200d\U0001f467 e\u0301 \u3000"]
PAIRS = [(QUESTION, "Boil water and pour it over the leaves.", "No."),
         ("What is the capital of France?", "The capital of France is Paris.", "I do not care."),
         ("My parcel is late.", "I am sorry to hear that. Let me look into it.", "That is your problem.")]
REPLY_TOKENS = 24
FAMILIES = ROOT / "tests" / "golden" / "families"   # tiny random models
GGUF_TIES = {"f16": 1e-2, "q8_0": 0.25, "q4_1": 0.25}   # nats between the two best tokens
NEAR = 1e-4     # the same weights in the same precision
SCRIPT = 0.25   # of a session's pairs, whose replies were drawn while it learned
MERGED = 1e-3   # W + scale B A rounded once
KERNELS = 5e-3  # attention of llama.cpp, which works in F16 for some shapes of heads


class Interop:
    def __init__(self, cli, python, folder):
        self.cli, self.python, self.folder, self.rows = cli, python, folder, []
        self.environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
                            "TOKENIZERS_PARALLELISM": "false", "CUDA_VISIBLE_DEVICES": ""}
        self.versions = self.theirs("versions")[0]

    def ours(self, *arguments):
        """The JSON lines of plumbline-cli."""
        command = [self.cli, *arguments, "--json", "--quiet"]
        return json_lines(self.run("plumbline-cli " + arguments[0], command))

    def theirs(self, what, *arguments):
        return json_lines(self.run(what, [self.python, HERE / "interop_work.py", what, *arguments]))

    def run(self, what, command):
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=self.environment)
        if done.returncode != 0:
            raise peers.Failure(f"{what}: exit code {done.returncode}\n{peers.tail(done.stderr)}")
        return done.stdout

    def note(self, what, model, tool, difference, limit, unit="nats"):
        good = difference <= limit
        measured = f"{difference:.1e} {unit}" if limit else "the same" if good else "different"
        allowed = f"{limit:g}" if limit else "the same"
        self.rows.append([what, model, tool, measured, allowed, "ok" if good else "FAILED"])
        print("; ".join(self.rows[-1]), file=sys.stderr, flush=True)

    def note_reply(self, what, model, file, theirs, tie):
        """llama.cpp's greedy reply beside ours on the same file: the same, or up to a tie."""
        ours, tool = self.greedy(file), self.tool("llama-cpp-python")
        parting = next((i for i, (a, b) in enumerate(zip(ours, theirs["greedy"])) if a != b), None)
        if parting is None:
            self.note(what, model, tool, float(len(ours) != len(theirs["greedy"])), 0)
            return
        requests = write_lines(self.folder / "tie.jsonl", [
            {"prompt_ids": theirs["prompt"] + ours[:parting], "response_ids": [reply[parting]]}
            for reply in (ours, theirs["greedy"])])
        (best,), (other,) = self.logprobs(file, requests)
        self.note(f"{what} up to token {parting + 1}, a tie", model, tool, best - other, tie)

    def tool(self, name):
        return f"{name} {self.versions[name]}"

    def logprobs(self, model, requests, *more):
        return [row["logprobs"] for row in self.ours("logprobs", model, "--jsonl", requests, *more)]

    def greedy(self, model, *more):
        return self.ours("generate", model, "--prompt", QUESTION, "--chat", "--temperature", 0, "--max-new-tokens",
                         REPLY_TOKENS, *more)[0]["ids"]


def json_lines(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith(("{", "["))]


def apart(ours, theirs):
    assert [len(row) for row in ours] == [len(row) for row in theirs], "rows of different lengths"
    return max(abs(a - b) for row, other in zip(ours, theirs) for a, b in zip(row, other))


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def check_model(it, model):
    folder = it.folder / model
    folder.mkdir()
    pairs = write_lines(folder / "pairs.jsonl", [
        {"prompt": [{"role": "user", "content": p}], "chosen": [{"role": "assistant", "content": c}],
         "rejected": [{"role": "assistant", "content": r}]} for p, c, r in PAIRS])
    texts = write_lines(folder / "texts.jsonl", [{"text": text} for text in TEXTS])
    # Ids, so that tokenizers have no part in it; small enough for every vocabulary.
    requests = write_lines(folder / "requests.jsonl", [
        {"prompt_ids": [(7 * i + 11 * row) % 300 + 20 for i in range(12)],
         "response_ids": [(13 * i + 5 * row) % 300 + 20 for i in range(16)]} for row in range(3)])

    base = folder / "base"
    it.ours("export", model, "--as", "safetensors", "--type", "f32", "--out", base)
    loaded = it.theirs("transformers", base, requests, texts, QUESTION, REPLY_TOKENS)[0]
    before = it.logprobs(model, requests)
    it.note("our folder, log-probs", model, it.tool("transformers"), apart(before, loaded["logprobs"]), NEAR)
    it.note("our folder, tokenizer", model, it.tool("transformers"),
            float([row["ids"] for row in it.ours("tokenize", model, "--jsonl", texts)] != loaded["ids"]), 0)
    it.note("our folder, chat template and greedy reply", model, it.tool("transformers"),
            float(it.greedy(model) != loaded["greedy"]), 0)
    it.note("our folder, log-probs", model, "Plumbline", apart(before, it.logprobs(base, requests)), NEAR)

    adapter = folder / "adapter"
    it.ours("train", "dpo", model, "--data", pairs, "--config", "steps=4", "--config", "lr=1e-3",
            "--config", "batch_size=3", "--out", adapter)
    trained = it.logprobs(model, requests, "--adapter", adapter)
    assert apart(trained, before) > 0.01, "the training changed nothing"
    it.note("our adapter", model, it.tool("peft"), apart(trained, it.theirs("peft", base, adapter, requests)[0]), NEAR)
    made = folder / "made-by-peft"
    theirs = it.theirs("make-adapter", base, made, requests)[0]
    it.note("an adapter of theirs in ours", model, it.tool("peft"),
            apart(it.logprobs(model, requests, "--adapter", made), theirs), NEAR)

    merged = folder / "merged"
    it.ours("export", model, "--adapter", adapter, "--as", "safetensors", "--out", merged)
    loaded = it.theirs("transformers", merged, requests, texts, QUESTION, REPLY_TOKENS)[0]
    it.note("our merged folder, log-probs", model, it.tool("transformers"), apart(trained, loaded["logprobs"]), MERGED)
    it.note("our merged folder, greedy reply", model, it.tool("transformers"),
            float(it.greedy(model, "--adapter", adapter) != loaded["greedy"]), 0)
    for kind, tie in GGUF_TIES.items():
        file = folder / f"merged-{kind}.gguf"
        it.ours("export", model, "--adapter", adapter, "--as", "gguf", "--type", kind, "--out", file)
        theirs = it.theirs("llama.cpp", file, QUESTION, REPLY_TOKENS)[0]
        it.note_reply(f"our GGUF {kind.upper()}, greedy reply", model, file, theirs, tie)
        assert theirs["prompt"] == loaded["prompt"], f"{model}: llama.cpp has another prompt than transformers"


def check_script(it, model, algorithm):
    """A session trains; TRL repeats it from the start by the exported script; our margins of its pairs are compared."""
    name = f"{model}-{algorithm}"
    project, folder, trained = it.folder / f"{name}.plumb", it.folder / name, it.folder / f"{name}-trained"
    it.ours("simulate", model, "--judge", "polite", "--clicks", 4, "--algorithm", algorithm, "--seed", 1,
            "--project", project)
    it.ours("export", project, "--as", "script", "--out", folder)
    it.run(f"{name}'s train.py", [it.python, folder / "train.py", "--out", trained])
    pairs = [json.loads(line) for line in (folder / "preferences.jsonl").read_text().splitlines()]
    pairs = [pair for pair in pairs if not pair["tie"]]
    requests = write_lines(it.folder / f"{name}.jsonl", [{"messages": pair["prompt"], "response": reply[0]["content"]}
                                                         for pair in pairs for reply in (pair["chosen"], pair["rejected"])])

    def margins(*model_and_adapter):
        sums = [sum(row) for row in it.logprobs(model_and_adapter[0], requests, *model_and_adapter[1:])]
        return [chosen - rejected for chosen, rejected in zip(sums[::2], sums[1::2])]

    adapter = (trained / "adapter_config.json").exists()
    after = margins(model, "--adapter", trained) if adapter else margins(trained)
    not_learned = sum(now <= before for now, before in zip(after, margins(model)))
    it.note(f"our script of {algorithm}, pairs whose margin did not grow", model, it.tool("trl"),
            not_learned / len(pairs), SCRIPT, "of them")


def check_family(it, folder):
    """All weights of a tiny model of another family, trained into a GGUF file."""
    name = folder.name
    work = it.folder / f"family-{name}"
    work.mkdir()
    model = work / "model"   # in a file named after phi3, llama.cpp looks for that model's own tokens
    model.symlink_to(folder)
    rows = write_lines(work / "rows.jsonl", [{"prompt": "the hat", "completion": " a cat"},
                                             {"prompt": "a cat", "completion": " the hat"}])
    requests = write_lines(work / "requests.jsonl", [
        {"prompt_ids": [(7 * i + 11 * row) % 90 + 3 for i in range(8)],
         "response_ids": [(13 * i + 5 * row) % 90 + 3 for i in range(12)]} for row in range(3)])
    file = work / "trained.gguf"
    it.ours("train", "sft", model, "--data", rows, "--config", "steps=3", "--config", "lr=3e-3", "--out", file)
    trained = it.logprobs(file, requests)
    assert apart(trained, it.logprobs(folder, requests)) > 10 * KERNELS, f"{name}: the training changed nothing"
    it.note("a trained family, GGUF F32, log-probs", name, it.tool("llama-cpp-python"),
            apart(trained, it.theirs("llama.cpp-logprobs", file, requests)[0]), KERNELS)
    it.note_reply("a trained family, GGUF F32, greedy reply", name, file,
                  it.theirs("llama.cpp", file, QUESTION, REPLY_TOKENS)[0], KERNELS)


def table(rows):
    rows = [["what", "model", "tool", "apart", "limit", ""], *rows]
    widths = [max(3, *map(len, column)) for column in zip(*rows)]
    rows.insert(1, ["-" * width for width in widths])
    return "\n".join("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows)


def parse():
    parser = argparse.ArgumentParser(description="Plumbline's files in other programs, and theirs in Plumbline.")
    parser.add_argument("--cli", type=pathlib.Path, default=ROOT / "build" / "release" / "bin" / "plumbline-cli",
                        help="plumbline-cli (default: that of build/release)")
    parser.add_argument("--model", action="append",
                        help=f"default: {' and '.join(MODELS)}, and tiny ones of each family")
    parser.add_argument("--venv", type=pathlib.Path, help="an environment that has the tools; nothing is installed")
    parser.add_argument("--keep", type=pathlib.Path, metavar="FOLDER", help="leave the files there; must not exist")
    options = parser.parse_args()
    if not options.cli.is_file():
        parser.error(f"{options.cli} does not exist; build it, or choose one with --cli")
    if options.keep and options.keep.exists():
        parser.error(f"--keep: {options.keep} exists; choose a new folder")
    return options


def run(options, folder):
    python = options.venv / "bin" / "python" if options.venv else peers.install(peers.cache() / "venv")
    it = Interop(options.cli.resolve(), python, folder)
    for model in options.model or MODELS:
        check_model(it, model)
    for algorithm in SCRIPTS:
        check_script(it, (options.model or MODELS)[0], algorithm)
    for twin in [] if options.model else sorted(FAMILIES.glob("*.gguf")):
        check_family(it, twin.with_suffix(""))
    print(table(it.rows))
    return 0 if all(row[-1] == "ok" for row in it.rows) else 1


def main():
    options = parse()
    try:
        if options.keep:
            options.keep.mkdir(parents=True)
            return run(options, options.keep.resolve())
        with tempfile.TemporaryDirectory() as folder:
            return run(options, pathlib.Path(folder))
    except (peers.Failure, AssertionError) as failure:
        print(f"interop: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
