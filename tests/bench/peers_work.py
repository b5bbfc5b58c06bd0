"""The peers' side of peers.py: one piece of work a process. The last line of the output is its figures as JSON.

    python peers_work.py sample GGUF SEQUENCES TOKENS THREADS REPACKED
                                                                  llama.cpp, tokens a second with top-k and without
    python peers_work.py train STAGE WEIGHTS THREADS              TRL, seconds a step
    python peers_work.py dequantise GGUF WEIGHTS                  the weights that TRL takes
    python peers_work.py first-token GGUF_OR_WEIGHTS THREADS      transformers, one token
    python peers_work.py starts COUNT COMMAND...                  seconds from a command's start to its first output
    python peers_work.py versions

It is run by the Python of the environment that peers.py installs.
"""

import ctypes
import importlib.metadata
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

PROMPT_TOKENS = 40  # before samples
PAIR_PROMPT, PAIR_TOKENS, PAIRS = 20, 55, 4  # a pair's prompt; prompt, reply and EOS together; pairs a step
REPEATS, STEPS = 5, 3  # measured, after one that warms up
TEMPERATURE, TOP_P, TOP_K = 0.9, 0.95, 40  # top-k: llama.cpp's default; 0 keeps the whole vocabulary
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "llama-cpp-python")


def llama_context(gguf, sequences, tokens, threads, repacked):
    import llama_cpp as llama

    llama_context.quiet = llama.llama_log_callback(lambda *_: None)
    llama.llama_log_set(llama_context.quiet, ctypes.c_void_p())
    llama.llama_backend_init()
    model_settings = llama.llama_model_default_params()
    model_settings.n_gpu_layers = 0
    model_settings.use_extra_bufts = bool(repacked)
    model = llama.llama_model_load_from_file(str(gguf).encode(), model_settings)
    if not model:
        raise SystemExit(f"sample: llama.cpp cannot open {gguf}")
    settings = llama.llama_context_default_params()
    settings.n_ctx = PROMPT_TOKENS + sequences * tokens + 64
    settings.n_batch = settings.n_ubatch = 512
    settings.n_seq_max = sequences
    settings.n_threads = settings.n_threads_batch = threads
    settings.kv_unified = True  # the prompt's cells belong to all sequences
    context = llama.llama_init_from_model(model, settings)
    if not context:
        raise SystemExit("sample: llama.cpp made no context")
    return llama, model, context


def sample(gguf, sequences, tokens, threads, repacked):
    """All replies of one prompt in one batch, the prompt read once for all of them; every reply runs its length."""
    llama, model, context = llama_context(gguf, sequences, tokens, threads, repacked)
    vocabulary = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(model))
    prompt = [(7919 * i + 11) % vocabulary for i in range(PROMPT_TOKENS)]
    def chain_of(seed, top_k):
        chain = llama.llama_sampler_chain_init(llama.llama_sampler_chain_default_params())
        for part in (llama.llama_sampler_init_top_k(top_k), llama.llama_sampler_init_top_p(TOP_P, 1),
                     llama.llama_sampler_init_temp(TEMPERATURE), llama.llama_sampler_init_dist(seed)):
            llama.llama_sampler_chain_add(chain, part)
        return chain

    batch = llama.llama_batch_init(max(PROMPT_TOKENS, sequences), 0, sequences)

    def decode(rows):
        batch.n_tokens = len(rows)
        for i, (token, position, owners, wanted) in enumerate(rows):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.logits[i] = token, position, len(owners), wanted
            for j, owner in enumerate(owners):
                batch.seq_id[i][j] = owner
        if llama.llama_decode(context, batch) != 0:
            raise SystemExit("sample: llama.cpp failed to decode a batch")

    def replies(samplers):
        llama.llama_memory_clear(llama.llama_get_memory(context), True)
        everyone = range(sequences)
        decode([(token, i, everyone, i == PROMPT_TOKENS - 1) for i, token in enumerate(prompt)])
        latest = [llama.llama_sampler_sample(chain, context, -1) for chain in samplers]
        drawn = len(latest)
        for step in range(1, tokens):
            decode([(latest[i], PROMPT_TOKENS + step - 1, [i], True) for i in everyone])
            latest = [llama.llama_sampler_sample(samplers[i], context, i) for i in everyone]
            drawn += len(latest)
        return drawn

    def rate(top_k):
        samplers = [chain_of(i, top_k) for i in range(sequences)]
        rates = []
        for _ in range(REPEATS + 1):
            start = time.perf_counter()
            drawn = replies(samplers)
            rates.append(drawn / (time.perf_counter() - start))
        return statistics.median(rates[1:])

    return {"tokens_per_s": rate(TOP_K), "whole_vocabulary": rate(0)}


def single_token_words(tokenizer):
    """Words that are one token each, so that a text's length is known."""
    return sorted(piece.replace("Ġ", " ") for piece in tokenizer.get_vocab()
                  if piece.startswith("Ġ") and piece[1:].isascii() and piece[1:].isalpha() and piece[1:].islower()
                  and len(piece) > 4)


def text(words, count, stream):
    return "".join(words[(7919 * i + 104729 * stream + 13) % len(words)] for i in range(count))


def pair_rows(tokenizer):
    words = single_token_words(tokenizer)
    rows = []
    for i in range(PAIRS * (STEPS + 1)):
        reply = PAIR_TOKENS - PAIR_PROMPT - 1  # and EOS, which TRL appends
        row = {"prompt": text(words, PAIR_PROMPT, 3 * i), "chosen": text(words, reply, 3 * i + 1),
               "rejected": text(words, reply, 3 * i + 2)}
        for side in ("chosen", "rejected"):
            length = len(tokenizer(row["prompt"] + row[side] + tokenizer.eos_token)["input_ids"])
            if length != PAIR_TOKENS:
                raise SystemExit(f"train: a row has {length} tokens instead of {PAIR_TOKENS}")
        rows.append(row)
    return rows


def trainer_of(stage, weights, folder):
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer
    from trl import (DPOConfig, DPOTrainer, GRPOConfig, GRPOTrainer, RewardConfig, RewardTrainer, RLOOConfig,
                     RLOOTrainer)

    tokenizer = AutoTokenizer.from_pretrained(weights)
    common = dict(output_dir=folder, learning_rate=1e-4, lr_scheduler_type="constant", max_steps=STEPS + 1,
                  logging_steps=1, bf16=False, use_cpu=True, gradient_checkpointing=False, save_strategy="no",
                  report_to="none", disable_tqdm=True, seed=0)
    kind = "SEQ_CLS" if stage == "reward" else "CAUSAL_LM"
    lora = LoraConfig(r=16, lora_alpha=32, lora_dropout=0.0, target_modules=LINEAR, task_type=kind)
    if stage == "reward":
        model = AutoModelForSequenceClassification.from_pretrained(weights, num_labels=1, dtype=torch.float32)
        model.config.pad_token_id = tokenizer.pad_token_id
    else:
        model = AutoModelForCausalLM.from_pretrained(weights, dtype=torch.float32)
    arguments = dict(model=model, processing_class=tokenizer, peft_config=lora)
    if stage in ("dpo", "reward"):
        Config, Trainer = (DPOConfig, DPOTrainer) if stage == "dpo" else (RewardConfig, RewardTrainer)
        return Trainer(args=Config(per_device_train_batch_size=PAIRS, max_length=1024, **common),
                       train_dataset=Dataset.from_list(pair_rows(tokenizer)), **arguments)
    Config, Trainer = (RLOOConfig, RLOOTrainer) if stage == "rloo" else (GRPOConfig, GRPOTrainer)
    samples, tokens = 8, 48
    words = single_token_words(tokenizer)
    prompts = [{"prompt": text(words, PROMPT_TOKENS, i)} for i in range(STEPS + 1)]
    config = Config(per_device_train_batch_size=samples, num_generations=samples, max_completion_length=tokens,
                    num_iterations=1, steps_per_generation=1, beta=0.05, temperature=TEMPERATURE,
                    generation_kwargs={"min_new_tokens": tokens}, **common)
    return Trainer(args=config, train_dataset=Dataset.from_list(prompts), **arguments,
                   reward_funcs=lambda completion_ids, **_: [float(ids[-1] % 7) for ids in completion_ids])


def train(stage, weights, threads):
    """A step: TRL's own, from its callback before a step to the one after it."""
    import torch
    from transformers import TrainerCallback

    torch.set_num_threads(threads)

    class Clock(TrainerCallback):
        def __init__(self):
            self.seconds = []

        def on_step_begin(self, *_, **__):
            self.start = time.perf_counter()

        def on_step_end(self, *_, **__):
            self.seconds.append(time.perf_counter() - self.start)

    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        trainer = trainer_of(stage, weights, folder)
        trainer.add_callback(clock)
        trainer.train()
    lengths = [entry["completions/mean_length"] for entry in trainer.state.log_history
               if "completions/mean_length" in entry]
    return {"step_s": statistics.median(clock.seconds[1:]), "steps": clock.seconds, "threads": torch.get_num_threads(),
            "reply_lengths": lengths}


def model_and_tokenizer(weights):
    """Of a GGUF file or of a folder of safetensors."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    weights = pathlib.Path(weights)
    place = {"gguf_file": weights.name} if weights.is_file() else {}
    folder = weights.parent if place else weights
    return (AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **place),
            AutoTokenizer.from_pretrained(folder, **place))


def dequantise(gguf, weights):
    """Through a fresh model: transformers takes one that came from GGUF for quantised, and refuses to train it."""
    from transformers import LlamaConfig, LlamaForCausalLM

    loaded, tokenizer = model_and_tokenizer(gguf)
    model = LlamaForCausalLM(LlamaConfig(**{key: value for key, value in loaded.config.to_dict().items()
                                            if key not in ("quantization_config", "_name_or_path")})).float()
    missing, unexpected = model.load_state_dict(loaded.state_dict(), strict=False)
    if set(missing) - {"lm_head.weight"} or unexpected:
        raise SystemExit(f"dequantise: weights missing {missing}, unexpected {unexpected}")
    model.tie_weights()
    model.save_pretrained(weights)
    tokenizer.save_pretrained(weights)
    return {"parameters": sum(weight.numel() for weight in model.parameters())}


def first_token(weights, threads):
    import torch

    torch.set_num_threads(threads)
    model, tokenizer = model_and_tokenizer(weights)
    prompt = tokenizer("The sky is", return_tensors="pt")
    ids = model.generate(**prompt, max_new_tokens=1, do_sample=False)
    return {"token": tokenizer.decode(ids[0, -1])}


def starts(count, command):
    """The first start brings the files into memory and is not counted."""
    seconds = []
    for _ in range(count + 1):
        begin = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            first = process.stdout.readline()
            seconds.append(time.perf_counter() - begin)
            _, complaints = process.communicate()
        if process.returncode != 0 or not first:
            raise SystemExit(f"starts: {command[0]} ended with {process.returncode}: {complaints.decode()[-2000:]}")
    return {"seconds": statistics.median(seconds[1:]), "starts": seconds, "output": first.decode().strip()}


def versions():
    try:
        return {name: importlib.metadata.version(name) for name in PACKAGES}
    except importlib.metadata.PackageNotFoundError as error:
        raise SystemExit(f"versions: {error.name} is not installed in {sys.prefix}") from error


def main():
    work, *rest = sys.argv[1:]
    figures = {
        "sample": lambda: sample(rest[0], *map(int, rest[1:])),
        "train": lambda: train(rest[0], rest[1], int(rest[2])),
        "dequantise": lambda: dequantise(*rest),
        "first-token": lambda: first_token(rest[0], int(rest[1])),
        "starts": lambda: starts(int(rest[0]), rest[1:]),
        "versions": versions,
    }[work]()
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
